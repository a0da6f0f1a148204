//! Pieces that several pages are made of.

use maud::{Markup, html};

use super::told;
use crate::dispatch::Wait;
use crate::model::{ExecutionId, ExecutionState, Failure, Name, Payload, Timestamp};

/// A payload beyond this many bytes is shown cut: the API gives it whole.
const PAYLOAD_SHOWN_BYTES: usize = 64 << 10;

/// A state as a small coloured word.
pub(super) fn badge(state: ExecutionState) -> Markup {
    html! { span .badge data-state=(state) { (in_words(state)) } }
}

/// The same, and that it is paused.
pub(super) fn standing(state: ExecutionState, paused_at: Option<Timestamp>) -> Markup {
    html! {
        (badge(state))
        @if paused_at.is_some() { " " span .badge data-state="paused" { "paused" } }
    }
}

/// A state without the marks of a program.
pub(super) fn in_words(state: ExecutionState) -> String {
    state.as_str().replace('_', " ")
}

/// What a list is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be looked at, beside other things.
    Look,
    /// To give orders from, on a page of its own.
    Order,
}

impl Purpose {
    pub(super) fn orders(self) -> bool {
        self == Self::Order
    }
}

/// The address of an execution.
pub(super) fn path_of(id: ExecutionId) -> String {
    format!("/executions/{id}")
}

/// An execution by its id.
pub(super) fn link_to(id: ExecutionId) -> Markup {
    html! { a .id href=(path_of(id)) { (id) } }
}

/// What is said where a list is empty: what that means, and what to do next.
pub(super) fn nothing(title: &str, next: &Markup) -> Markup {
    html! { div .nothing { p .nothing-title { (title) } p { (next) } } }
}

/// A failure on one line.
pub(super) fn why(failure: &Failure) -> Markup {
    html! {
        span .why title=(failure.message) {
            code { (failure.kind) }
            @if !failure.message.trim().is_empty() { " " (failure.message) }
        }
    }
}

/// A failure with all that is known: what the guest said last, and where it was.
pub(super) fn failure(failure: &Failure) -> Markup {
    let details = failure.details.as_ref();
    let read = details.and_then(|details| serde_json::from_str(details.as_str()).ok());
    let read: serde_json::Value = read.unwrap_or_default();
    let lines = |key: &str| -> Vec<String> {
        let list = read.get(key).and_then(serde_json::Value::as_array);
        let texts = list.into_iter().flatten().filter_map(serde_json::Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let (frames, said) = (lines("backtrace"), lines("last_errors"));
    html! {
        p .failure-line { code { (failure.kind) } " " (failure.message) }
        @if !said.is_empty() {
            h3 { "The guest's last errors" }
            pre .lines tabindex="0" { @for line in &said { (line) "\n" } }
        }
        @if !frames.is_empty() {
            h3 { "The guest's frames, innermost first" }
            ol .frames {
                // Frames of Rust have the names that its compiler gave them; all others stay as they are.
                @for frame in &frames { li { code { (format_args!("{:#}", rustc_demangle::demangle(frame))) } } }
            }
        }
        @if let Some(details) = details.filter(|_| frames.is_empty() && said.is_empty()) {
            h3 { "Details" }
            (json(details))
        }
    }
}

/// A payload. The script indents it without changing a digit.
pub(super) fn json(payload: &Payload) -> Markup {
    let text = payload.as_str();
    let shown = &text[..text.floor_char_boundary(PAYLOAD_SHOWN_BYTES)];
    let cut = shown.len() < text.len();
    html! {
        pre .json data-json=[(!cut).then_some("")] tabindex="0" { (shown) }
        @if cut {
            p .muted { "The first " (told::bytes(PAYLOAD_SHOWN_BYTES as u64)) " of "
                (told::bytes(text.len() as u64)) "; the API gives all of it." }
        }
    }
}

/// Why something waits, as a sentence with its capital.
pub(super) fn waits(wait: &Wait) -> String {
    told::sentence(&wait.to_string())
}

/// One fact of many: its name, and what it is.
pub(super) fn fact(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// Tags, each by itself.
pub(super) fn tags(tags: &[Name]) -> Markup {
    html! { @for tag in tags { span .tag { (tag) } " " } }
}

/// A button that sends an order to the API.
#[derive(Debug, Default)]
pub(super) struct Order<'a> {
    /// What the button says.
    pub(super) says: &'a str,
    /// `POST /v1/...`
    pub(super) sends: String,
    /// With this body.
    pub(super) body: Option<&'a str>,
    /// What else is asked, as the script reads it: a list of fields with a key and a label.
    pub(super) fields: Option<&'a str>,
    /// What is asked before.
    pub(super) asks: Option<String>,
    /// What is said when it is done.
    pub(super) done: &'a str,
    /// Whether something is lost by it.
    pub(super) harms: bool,
}

impl Order<'_> {
    pub(super) fn button(&self) -> Markup {
        html! {
            button type="button" .danger[self.harms] data-order=(self.sends) data-body=[self.body]
                data-asks=[self.asks.as_deref()] data-fields=[self.fields] data-done=(self.done) { (self.says) }
        }
    }
}

/// The links below a list: back to its beginning, and on.
pub(super) fn pager(first: Option<&str>, next: Option<&str>) -> Markup {
    html! {
        @if first.is_some() || next.is_some() {
            nav .pager aria-label="Pages of the list" {
                @if let Some(first) = first { a .button href=(first) rel="first" { "First page" } }
                @if let Some(next) = next { a .button href=(next) rel="next" { "Next page" } }
            }
        }
    }
}

/// A text as it stands in a path or a query.
pub(super) fn encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a text takes whatever is written");
        }
    }
    encoded
}
