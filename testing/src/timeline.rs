//! What happened, for people.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use stepwell::journal::{Body, Entry, Event, Recorded};
use stepwell::model::{Name, Outcome, Payload, Promise};

use crate::world::{Life, World};

/// The longest payload that is shown, in characters.
const SHOWN_MAX: usize = 120;

/// One line an entry: when, its place, and what.
pub(crate) fn timeline(world: &World, life: &Life) -> String {
    let mut text = format!("{} {} {}\n", life.workflow, life.id, life.state.predicate());
    for entry in &life.journal {
        let at = time(world.since_beginning(entry.recorded_at));
        // Writing into a `String` has no way to go wrong.
        writeln!(text, "  {at:>12} {:>4}  {}", entry.seq, said(entry)).ok();
    }
    if !life.is_over() {
        for open in open(life) {
            writeln!(text, "  {:>12}       waits for {open}", "").ok();
        }
    }
    text
}

fn time(since: Duration) -> String {
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let clock = format!("{hours:02}:{:02}:{:02}.{millis:03}", seconds / 60 % 60, seconds % 60);
    if days > 0 { format!("{days}d {clock}") } else { clock }
}

fn said(entry: &Entry) -> String {
    match &entry.body {
        Body::Started(started) => format!("started {}", shown(&started.input)),
        Body::Run(run) => format!("run {} begins", run_of(entry, run.why)),
        Body::Ended(ended) => format!("{} {}", ended.state, outcome(&ended.outcome)),
        Body::Noted => "noted".to_owned(),
        Body::Command(command) => command_text(&command.command),
        Body::Event(event) => event_text(event),
    }
}

fn run_of(entry: &Entry, why: stepwell::journal::RunReason) -> String {
    format!("{} ({why:?})", entry.run)
}

fn command_text(command: &Recorded) -> String {
    let input = |input: &Option<Payload>| input.as_ref().map(shown).unwrap_or_default();
    match command {
        Recorded::Call { promise, step, input: given, .. } => {
            format!("call {step} #{promise} {}", input(given))
        }
        Recorded::CallMany { promise, step, count, .. } => {
            format!("call {step} {count} times from #{promise}")
        }
        Recorded::StartChild { promise, workflow, child, input: given, .. } => {
            format!("start {workflow} ({child}) #{promise} {}", input(given))
        }
        Recorded::Sleep { promise, milliseconds, .. } => {
            format!("sleep {} #{promise}", time(Duration::from_millis(*milliseconds)))
        }
        Recorded::Receive { promise, signal } => format!("receive {signal} #{promise}"),
        Recorded::Cancel { promises } => {
            let promises: Vec<_> = promises.iter().map(|promise| format!("#{promise}")).collect();
            format!("cancel {}", promises.join(" "))
        }
        Recorded::ContinueAsNew { input: given, .. } => format!("continue as new {}", input(given)),
    }
}

fn event_text(event: &Event) -> String {
    match event {
        Event::Settled { promise, outcome: how, attempt, .. } => {
            let tries = if *attempt > 1 { format!(" at attempt {attempt}") } else { String::new() };
            format!("#{promise} settled{tries}: {}", outcome(how))
        }
        Event::Fired { promise } => format!("#{promise} fired"),
        Event::Received { signal, payload, .. } => format!("received {signal} {}", shown(payload)),
        Event::CancelRequested { reason } => format!("cancel requested: {reason}"),
        Event::Expired => "expired: max_duration has passed".to_owned(),
    }
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Ok(result) => shown(result),
        Err(failure) => format!("failure {failure}"),
    }
}

fn shown(payload: &Payload) -> String {
    let text = payload.as_str();
    match text.char_indices().nth(SHOWN_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], payload.bytes()),
    }
}

/// What a workflow waits for, by its journal.
pub(crate) fn open(life: &Life) -> Vec<String> {
    let mut open: BTreeMap<Promise, String> = BTreeMap::new();
    let mut receives: Vec<(Promise, Name)> = Vec::new();
    for entry in life.effective() {
        match &entry.body {
            Body::Command(command) => {
                if let Recorded::Receive { promise, signal } = &command.command {
                    receives.push((*promise, signal.clone()));
                }
                if let Recorded::Cancel { promises } = &command.command {
                    promises.iter().for_each(|promise| drop(open.remove(promise)));
                }
                let text = command_text(&command.command);
                let made = command.command.promises_created();
                open.extend(made.map(|promise| (promise, text.clone())));
            }
            Body::Event(Event::Settled { promise, .. } | Event::Fired { promise }) => {
                open.remove(promise);
            }
            Body::Event(Event::Received { signal, .. }) => {
                let waits = |(promise, name): &&(Promise, Name)| {
                    name == signal && open.contains_key(promise)
                };
                if let Some((promise, _)) = receives.iter().find(waits) {
                    open.remove(promise);
                }
            }
            Body::Event(Event::CancelRequested { .. } | Event::Expired) => open.clear(),
            Body::Started(_) | Body::Run(_) => {
                open.clear();
                receives.clear();
            }
            Body::Ended(_) | Body::Noted => {}
        }
    }
    open.into_values().collect()
}
