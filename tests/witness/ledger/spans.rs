//! Which attempts ran at the same time, by the one clock of the machine that all hosts of a storm run on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use serde_json::Value;
use stepwell::model::Timestamp;

/// One attempt, from before its step ran until after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub host: String,
    pub step: String,
    pub execution: String,
    pub from: Timestamp,
    /// None: its host has not said that it ended.
    pub until: Option<Timestamp>,
}

/// Host, execution, run, promise, attempt.
type Key = (String, String, u64, u64, u64);

static SPANS: Mutex<Option<HashMap<Key, Vec<Span>>>> = Mutex::new(None);

/// Takes down a line of a host's log about the beginning or the end of an attempt.
pub(super) fn hear(line: &Value) -> Option<()> {
    let text = |name: &str| line[name].as_str().map(str::to_owned);
    let (host, execution) = (text("host.id")?, text("execution.id")?);
    let number = |name: &str| line[name].as_u64();
    let key =
        (host.clone(), execution.clone(), number("run")?, number("promise")?, number("attempt")?);
    let at: Timestamp = serde_json::from_value(line["timestamp"].clone()).ok()?;
    let mut spans = SPANS.lock().unwrap();
    let spans = spans.get_or_insert_default().entry(key).or_default();
    if line["ended"] == true {
        spans.last_mut()?.until = Some(at);
    } else {
        spans.push(Span { host, step: text("step")?, execution, from: at, until: None });
    }
    Some(())
}

/// Forgets all that was heard.
pub(super) fn forget() {
    *SPANS.lock().unwrap() = None;
}

/// The attempts of a step.
pub fn of_step(step: &str) -> Vec<Span> {
    let spans = SPANS.lock().unwrap();
    let all = spans.iter().flat_map(HashMap::values).flatten();
    all.filter(|span| span.step == step).cloned().collect()
}

/// How many of them ran at once at most. What its host has not ended it ran until that host died.
pub fn most_at_once(spans: &[Span], deaths: &BTreeMap<String, Timestamp>) -> usize {
    let mut changes: Vec<(Timestamp, i64)> = Vec::new();
    for span in spans {
        changes.push((span.from, 1));
        changes.extend(span.until.or_else(|| deaths.get(&span.host).copied()).map(|at| (at, -1)));
    }
    // What ends the very moment another begins has ended before it.
    changes.sort();
    let mut running = 0;
    let counts = changes.iter().map(|(_, change)| {
        running += change;
        running
    });
    usize::try_from(counts.max().unwrap_or(0)).unwrap()
}
