//! L1, L2 and L4: it has ended, its journal is whole, each result is recorded once, and no attempt is unexplained.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use stepwell::journal::{Body, Entry, Event, Recorded, effective};
use stepwell::model::{Name, Outcome, Promise};

use super::Record;

/// What does not hold.
pub(super) fn breaches(record: &Record) -> Vec<String> {
    let mut found = Vec::new();
    let state = record.view.row.state;
    if !state.is_terminal() {
        found.push(format!("L1: it is {state}"));
    }
    if record.view.tasks > 0 {
        found.push(format!("L1: {} tasks are left", record.view.tasks));
    }
    found.extend(gaps(&record.entries));
    found.extend(settled_twice(&record.entries));
    found.extend(attempts(&record.entries));
    found.extend(nonces(record));
    found
}

/// The journal counts from 1 without gaps, time never runs backwards, and it ends with its end.
fn gaps(entries: &[Entry]) -> Vec<String> {
    let mut found = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        if entry.seq.0 != place as u64 + 1 {
            found.push(format!("L2: entry {} stands at place {}", entry.seq, place + 1));
        }
    }
    for pair in entries.windows(2) {
        if pair[1].recorded_at < pair[0].recorded_at {
            found.push(format!("L2: entry {} is earlier than the one before", pair[1].seq));
        }
        if pair[1].run < pair[0].run {
            found.push(format!("L2: entry {} is of an earlier run", pair[1].seq));
        }
    }
    let last = entries.last().map(|entry| &entry.body);
    if !matches!(last, Some(Body::Ended(_))) {
        found.push("L1: its journal does not end with its end".to_owned());
    }
    found
}

/// At most one settlement for each (run, promise), and among what still counts for each promise.
fn settled_twice(entries: &[Entry]) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for entry in entries {
        if let Some(promise) = settled(entry)
            && !seen.insert((entry.run, promise))
        {
            found.push(format!("L2: promise {promise} of run {} is settled twice", entry.run));
        }
    }
    let mut seen = HashSet::new();
    for entry in effective(entries.to_vec()) {
        if matches!(entry.body, Body::Started(_)) {
            seen.clear();
        }
        if let Some(promise) = settled(&entry)
            && !seen.insert(promise)
        {
            found.push(format!("L2: promise {promise} counts twice"));
        }
    }
    found
}

fn settled(entry: &Entry) -> Option<Promise> {
    match &entry.body {
        Body::Event(Event::Settled { promise, .. } | Event::Fired { promise }) => Some(*promise),
        _ => None,
    }
}

/// The step that each promise of each run calls.
pub(super) fn steps(entries: &[Entry]) -> HashMap<Promise, Name> {
    let mut steps = HashMap::new();
    for entry in entries {
        let Body::Command(command) = &entry.body else { continue };
        if let Recorded::Call { step, .. } | Recorded::CallMany { step, .. } = &command.command {
            let promises = command.command.promises_created();
            steps.extend(promises.map(|promise| (promise, step.clone())));
        }
    }
    steps
}

/// Every settlement of a step, as it counts in the end.
pub(super) fn settlements(entries: &[Entry]) -> Vec<(Name, u32, Outcome)> {
    let effective = effective(entries.to_vec());
    let steps = steps(&effective);
    let settled = effective.into_iter().filter_map(|entry| match entry.body {
        Body::Event(Event::Settled { promise, outcome, attempt, .. }) => {
            Some((steps.get(&promise)?.clone(), attempt, outcome))
        }
        _ => None,
    });
    settled.collect()
}

/// A host that was lost uses up no attempt: only what failed by itself was tried again.
fn attempts(entries: &[Entry]) -> Vec<String> {
    let mut found = Vec::new();
    for (step, attempt, outcome) in settlements(entries) {
        let explained = match &outcome {
            Ok(result) => match step.as_str() {
                // It returns the number of the first attempt that did not fail.
                "flaky" => result.as_str() == attempt.to_string(),
                // What another call has brought settles without an attempt.
                "once" | "look_up" => attempt <= 1,
                _ => attempt == 1,
            },
            Err(_) => attempt <= 10,
        };
        if !explained {
            found.push(format!("L4: attempt {attempt} of step {step} is explained by nothing"));
        }
    }
    found
}

/// Each nonce of `ledger` is in the log once, each recorded one is in the log, and the counter says how many there are.
fn nonces(record: &Record) -> Vec<String> {
    let mut found = Vec::new();
    let mut logged = HashSet::new();
    for line in &record.logs {
        let fields: Value = serde_json::from_str(line.fields.as_str()).unwrap_or_default();
        if let Some(nonce) = fields["nonce"].as_str()
            && !logged.insert(nonce.to_owned())
        {
            found.push(format!("L2: nonce {nonce} was logged twice: {}", line.message));
        }
    }
    let mut recorded = HashSet::new();
    for (step, _, outcome) in settlements(&record.entries) {
        let Ok(result) = outcome else { continue };
        if step.as_str() != "ledger" {
            continue;
        }
        let line: Value = serde_json::from_str(result.as_str()).unwrap_or_default();
        let nonce = line["nonce"].as_str().unwrap_or_default().to_owned();
        if !logged.contains(&nonce) {
            found.push(format!("L2: nonce {nonce} is recorded and no attempt wrote it"));
        }
        if !recorded.insert(nonce.clone()) {
            found.push(format!("L2: nonce {nonce} is recorded twice"));
        }
    }
    let counter = record.view.counters.iter().find(|(name, _)| name.as_str() == "ledger");
    let counted = counter.map_or(0, |(_, counted)| usize::try_from(*counted).unwrap_or(0));
    if record.view.row.run.0 == 0 && counted != recorded.len() {
        found.push(format!("L2: {} nonces are recorded, {counted} counted", recorded.len()));
    }
    found
}
