//! The arguments of `#[step(...)]` and `#[workflow(...)]`, checked as far as a compiler can.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Lit, Token, UnOp, parenthesized};

use crate::duration_text::{complaint, milliseconds};

/// What an option takes.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Name,
    Texts,
    Whole(i64, i64),
    Number(f64, f64),
    Duration,
    Rate,
    Pointer,
    Flag,
    Group(Known),
}

/// The options that are known in a place.
type Known = &'static [(&'static str, Form)];

/// The longest name that a host takes.
const NAME_BYTES_MAX: usize = 128;

/// The longest JSON pointer that a host takes.
const POINTER_BYTES_MAX: usize = 256;

const MANY: i64 = u32::MAX as i64;

/// The options of a step.
pub(crate) const STEP: Options = Options {
    of: "a step",
    known: &[
        ("name", Form::Name),
        ("queue", Form::Name),
        ("tags", Form::Texts),
        ("priority", Form::Whole(-100, 100)),
        ("retry", Form::Group(RETRY)),
        ("timeout", Form::Duration),
        ("schedule_timeout", Form::Duration),
        ("max_concurrent", Form::Whole(1, MANY)),
        ("rate", Form::Rate),
        ("per_key", Form::Group(PER_KEY)),
        ("cached", Form::Flag),
        ("cache_ttl", Form::Duration),
        ("idempotent", Form::Flag),
        ("version", Form::Text),
    ],
    elsewhere: &[(
        "max_duration",
        "a step has `timeout` for one attempt and `schedule_timeout` for the queue",
    )],
};

/// The options of a workflow.
pub(crate) const WORKFLOW: Options = Options {
    of: "a workflow",
    known: &[
        ("name", Form::Name),
        ("queue", Form::Name),
        ("tags", Form::Texts),
        ("priority", Form::Whole(-100, 100)),
        ("max_duration", Form::Duration),
        ("version", Form::Text),
    ],
    elsewhere: &[
        ("retry", "put it on the steps that the workflow calls"),
        ("timeout", "a workflow has `max_duration`"),
    ],
};

const PER_KEY: Known =
    &[("pointer", Form::Pointer), ("max_concurrent", Form::Whole(1, MANY)), ("rate", Form::Rate)];

const RETRY: Known = &[
    ("max_attempts", Form::Whole(1, 1_000_000)),
    ("initial_delay", Form::Duration),
    ("backoff_factor", Form::Number(1.0, 1_000.0)),
    ("max_delay", Form::Duration),
    ("jitter", Form::Number(0.0, 1.0)),
    ("retry_for", Form::Texts),
    ("never_for", Form::Texts),
];

/// Which options there are, and what to say about the others.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    of: &'static str,
    known: Known,
    elsewhere: &'static [(&'static str, &'static str)],
}

/// What an attribute declares.
pub(crate) struct Declared {
    /// The name, where one is given.
    pub(crate) name: Option<String>,
    /// The `options` of the manifest, as the inside of a `json!` object.
    pub(crate) json: TokenStream,
}

impl Options {
    /// Reads the arguments of an attribute.
    pub(crate) fn read(self, arguments: TokenStream) -> syn::Result<Declared> {
        let parser = Punctuated::<Given, Token![,]>::parse_terminated;
        let given = syn::parse::Parser::parse2(parser, arguments)?;
        let mut name = None;
        let mut options = Punctuated::new();
        for option in given {
            let value = self.check(self.known, &option)?;
            if option.key == "name" {
                name = Some(option.text()?);
            } else {
                options.push(value);
            }
        }
        Ok(Declared { name, json: Punctuated::<_, Token![,]>::into_token_stream(options) })
    }

    fn check(self, known: Known, given: &Given) -> syn::Result<TokenStream> {
        let key = given.key.to_string();
        let Some((_, form)) = known.iter().find(|(name, _)| *name == key) else {
            return Err(syn::Error::new(given.key.span(), self.unknown(known, &key)));
        };
        let value = match *form {
            Form::Text => given.text()?.into_token_stream(),
            Form::Name => given.name()?.into_token_stream(),
            Form::Texts => {
                let texts = given.texts()?;
                quote!([#(#texts),*])
            }
            Form::Whole(least, most) => given.whole(least, most)?.into_token_stream(),
            Form::Number(least, most) => given.number(least, most)?.into_token_stream(),
            Form::Duration => given.duration()?.into_token_stream(),
            Form::Rate => given.rate()?.into_token_stream(),
            Form::Pointer => given.pointer()?.into_token_stream(),
            Form::Flag => given.flag()?.into_token_stream(),
            Form::Group(known) => {
                let parts = given.group()?.iter().map(|part| self.check(known, part));
                let parts = parts.collect::<syn::Result<Vec<_>>>()?;
                quote!({ #(#parts),* })
            }
        };
        Ok(quote!(#key: #value))
    }

    fn unknown(self, known: Known, key: &str) -> String {
        if let Some((_, instead)) = self.elsewhere.iter().find(|(name, _)| *name == key) {
            return format!("`{key}` is no option of {}: {instead}", self.of);
        }
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        format!("`{key}` is no option of {}; there are: {}", self.of, names.join(", "))
    }
}

/// One argument as it was written.
struct Given {
    key: Ident,
    value: Value,
}

enum Value {
    Nothing,
    One(Expr),
    Group(Vec<Given>),
}

impl Parse for Given {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key: Ident = input.parse()?;
        let value = if input.peek(syn::token::Paren) {
            let group;
            parenthesized!(group in input);
            let parts = Punctuated::<Self, Token![,]>::parse_terminated(&group)?;
            Value::Group(parts.into_iter().collect())
        } else if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::One(input.parse()?)
        } else {
            Value::Nothing
        };
        Ok(Self { key, value })
    }
}

impl Given {
    fn complain<T>(&self, what: impl std::fmt::Display) -> syn::Result<T> {
        let complaint = format!("`{}` {what}", self.key);
        match &self.value {
            Value::One(value) => Err(syn::Error::new_spanned(value, complaint)),
            Value::Nothing | Value::Group(_) => Err(syn::Error::new(self.key.span(), complaint)),
        }
    }

    fn text(&self) -> syn::Result<String> {
        match &self.value {
            Value::One(Expr::Lit(literal)) if let Lit::Str(text) = &literal.lit => Ok(text.value()),
            _ => self.complain(format_args!("takes a text, as in `{} = \"...\"`", self.key)),
        }
    }

    fn name(&self) -> syn::Result<String> {
        let name = self.text()?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(fits) {
            return self.complain("takes 1 to 128 letters, digits, `_`, `-` and `.`");
        }
        Ok(name)
    }

    fn texts(&self) -> syn::Result<Vec<String>> {
        let wrong = || self.complain(format_args!("takes texts, as in `{} = [\"...\"]`", self.key));
        let Value::One(Expr::Array(list)) = &self.value else { return wrong() };
        let mut texts = Vec::new();
        for element in &list.elems {
            match element {
                Expr::Lit(literal) if let Lit::Str(text) = &literal.lit => texts.push(text.value()),
                _ => return wrong(),
            }
        }
        Ok(texts)
    }

    fn whole(&self, least: i64, most: i64) -> syn::Result<i64> {
        let number = self.literal().and_then(|literal| match literal {
            (sign, Lit::Int(number)) => Some(sign * number.base10_parse::<i64>().ok()?),
            _ => None,
        });
        match number {
            Some(number) if (least..=most).contains(&number) => Ok(number),
            _ => self.complain(format_args!("takes a whole number from {least} to {most}")),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "the sign is 1 or -1")]
    fn number(&self, least: f64, most: f64) -> syn::Result<f64> {
        let number = self.literal().and_then(|(sign, literal)| match literal {
            Lit::Int(number) => Some(sign as f64 * number.base10_parse::<f64>().ok()?),
            Lit::Float(number) => Some(sign as f64 * number.base10_parse::<f64>().ok()?),
            _ => None,
        });
        match number {
            Some(number) if (least..=most).contains(&number) => Ok(number),
            _ => self.complain(format_args!("takes a number from {least} to {most}")),
        }
    }

    /// A literal and its sign.
    fn literal(&self) -> Option<(i64, &Lit)> {
        let Value::One(value) = &self.value else { return None };
        match value {
            Expr::Lit(literal) => Some((1, &literal.lit)),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => match &*unary.expr {
                Expr::Lit(literal) => Some((-1, &literal.lit)),
                _ => None,
            },
            _ => None,
        }
    }

    fn duration(&self) -> syn::Result<String> {
        let Value::One(Expr::Lit(literal)) = &self.value else {
            return self.complain("takes a duration, as in `\"30s\"` or `\"1h30m\"`");
        };
        let Lit::Str(text) = &literal.lit else {
            return self.complain("takes a duration as a text, as in `\"30s\"` or `\"1h30m\"`");
        };
        match milliseconds(&text.value()) {
            Ok(_) => Ok(text.value()),
            Err(fault) => {
                self.complain(format_args!("cannot be read: {}", complaint(&text.value(), fault)))
            }
        }
    }

    fn rate(&self) -> syn::Result<String> {
        let rate = self.text()?;
        let read = rate.split_once('/').is_some_and(|(count, unit)| {
            count.parse::<u32>().is_ok_and(|count| count > 0)
                && ["s", "m", "h", "d"].contains(&unit)
        });
        if read {
            return Ok(rate);
        }
        self.complain(
            "takes so many a second, minute, hour or day, as in `\"10/s\"` or `\"100/m\"`",
        )
    }

    /// Where something is in a JSON document (RFC 6901).
    fn pointer(&self) -> syn::Result<String> {
        let pointer = self.text()?;
        let is_escaped = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        let is_rooted = pointer.is_empty() || pointer.starts_with('/');
        if is_rooted && is_escaped && pointer.len() <= POINTER_BYTES_MAX {
            return Ok(pointer);
        }
        self.complain(
            "takes a JSON pointer of at most 256 bytes, as in `\"/customer/id\"`, or `\"\"` for the whole input",
        )
    }

    fn flag(&self) -> syn::Result<bool> {
        match &self.value {
            Value::Nothing => Ok(true),
            Value::One(Expr::Lit(literal)) if let Lit::Bool(flag) = &literal.lit => Ok(flag.value),
            _ => self.complain("takes nothing, or `= true` or `= false`"),
        }
    }

    fn group(&self) -> syn::Result<&[Self]> {
        match &self.value {
            Value::Group(parts) => Ok(parts),
            Value::Nothing | Value::One(_) => {
                self.complain("takes options of its own, as in `retry(max_attempts = 5)`")
            }
        }
    }
}
