//! L4, and the first half of L2, from outside: which attempts were begun.
//!
//! Every host says so in its log before an attempt runs. The log is no part of what the engine reads or writes, and it keeps
//! the attempts that a kill took away, of which the store knows nothing.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Mutex, Once};

use serde_json::Value;
use stepwell::journal::{Body, Event};
use stepwell::model::{Promise, Run};

use super::whole::steps;
use super::{Record, spans};

/// The log that a host has to keep for it.
pub const LOG: &str = "stepwell::worker::attempt=debug";

/// By so much a host's clock may go back when it follows the database's.
const CLOCK_STEP_MICROS: i64 = 10_000;
/// Each host's clock is behind the database's by the answer to its last renewal, which takes its time on a busy machine; a host
/// that takes over begins a lease later.
const CLOCKS_APART_MICROS: i64 = 500_000;

/// One attempt that was begun.
#[derive(Debug, Clone)]
struct Begun {
    host: String,
    run: Run,
    promise: Promise,
    attempt: u64,
    /// By the host's clock, in microseconds.
    at: i64,
}

/// By execution.
static BEGUN: Mutex<Option<HashMap<String, Vec<Begun>>>> = Mutex::new(None);

/// Hears the hosts of this process.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_env_filter(LOG)
            .with_writer(|| Ear)
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody listens already");
    });
}

/// Reads each line that is written to it.
struct Ear;

impl io::Write for Ear {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        assert!(hear(&text) || text.contains(r#""level":"WARN""#), "no attempt: {text}");
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes down a line of a host's log. False: it is about something else.
pub fn hear(line: &str) -> bool {
    let Ok(line) = serde_json::from_str::<Value>(line) else { return false };
    let is_heard = spans::hear(&line).is_some();
    if line["ended"] == true {
        return is_heard;
    }
    let number = |name: &str| line[name].as_u64();
    let text = |name: &str| line[name].as_str().map(str::to_owned);
    let begun = || {
        let begun = Begun {
            host: text("host.id")?,
            run: Run(u32::try_from(number("run")?).ok()?),
            promise: Promise(u32::try_from(number("promise")?).ok()?),
            attempt: number("attempt")?,
            at: line["at"].as_i64()?,
        };
        Some((text("execution.id")?, begun))
    };
    let Some((execution, begun)) = begun() else { return false };
    let mut all = BEGUN.lock().unwrap();
    all.get_or_insert_default().entry(execution).or_default().push(begun);
    true
}

/// Forgets all that was heard: the next hosts work on another database, where the same keys give the same ids.
pub fn forget() {
    *BEGUN.lock().unwrap() = None;
    spans::forget();
}

fn of(record: &Record) -> Vec<Begun> {
    let all = BEGUN.lock().unwrap();
    let of = all.as_ref().and_then(|all| all.get(&record.id().to_string()));
    of.cloned().unwrap_or_default()
}

/// How far the clocks of those who began and those who recorded may be apart.
fn clocks_apart(begun: &[Begun]) -> i64 {
    let hosts: HashSet<_> = begun.iter().map(|one| &one.host).collect();
    if hosts.len() > 1 { CLOCKS_APART_MICROS } else { CLOCK_STEP_MICROS }
}

/// Whatever is recorded was begun, and nothing was begun after it was recorded.
pub(super) fn breaches(record: &Record) -> Vec<String> {
    let (begun, steps) = (of(record), steps(&record.entries));
    let apart = clocks_apart(&begun);
    let calls = calls(record);
    let mut by_promise: HashMap<Promise, Vec<&Begun>> = HashMap::new();
    begun.iter().for_each(|one| by_promise.entry(one.promise).or_default().push(one));
    let mut found = Vec::new();
    for entry in &record.entries {
        let Body::Event(Event::Settled { promise, attempt, .. }) = &entry.body else { continue };
        // Attempt 0 is none: it settled without one.
        if *attempt == 0 || !steps.contains_key(promise) {
            continue;
        }
        let runs = called_in(&calls, *promise, entry.run)..=entry.run;
        let begun = by_promise.get(promise).into_iter().flatten();
        let of_promise = || begun.clone().filter(|one| runs.contains(&one.run));
        if !of_promise().any(|one| one.attempt == u64::from(*attempt)) {
            found.push(format!(
                "L2: promise {promise} has a result, and attempt {attempt} was not begun"
            ));
        }
        if let Some(late) = of_promise().find(|one| one.at > entry.recorded_at.as_micros() + apart)
        {
            found.push(format!(
                "L4: promise {promise} has a result as of {}, and was begun after it: {late:?}, of {:?}",
                entry.recorded_at.as_micros(),
                of_promise().collect::<Vec<_>>(),
            ));
        }
    }
    found
}

/// The runs in which each promise was made.
fn calls(record: &Record) -> HashMap<Promise, Vec<Run>> {
    let mut calls: HashMap<_, Vec<_>> = HashMap::new();
    for entry in &record.entries {
        let Body::Command(command) = &entry.body else { continue };
        for promise in command.command.promises_created() {
            calls.entry(promise).or_default().push(entry.run);
        }
    }
    calls
}

/// The run whose call a settlement of this run settles: promises are numbered anew in each, but those of a run that was
/// tried again are taken along.
fn called_in(calls: &HashMap<Promise, Vec<Run>>, promise: Promise, run: Run) -> Run {
    let made = calls.get(&promise).into_iter().flatten();
    made.copied().filter(|made| *made <= run).max().unwrap_or(run)
}

/// Where nothing but kills went wrong, one host begins an attempt once: what was begun again was in flight at a kill.
pub(super) fn begun_twice(record: &Record) -> Vec<String> {
    let mut seen = HashSet::new();
    let begun = of(record).into_iter();
    let twice =
        begun.filter(|one| !seen.insert((one.host.clone(), one.run, one.promise, one.attempt)));
    twice.map(|one| format!("L4: begun twice by one host: {one:?}")).collect()
}

/// How many attempts of these executions were begun, and how many of them again.
pub(super) fn count(records: &[Record]) -> (usize, usize) {
    let begun: Vec<_> = records.iter().map(of).collect();
    let keys = |of: &Vec<Begun>| {
        of.iter().map(|one| (one.run, one.promise, one.attempt)).collect::<HashSet<_>>().len()
    };
    let all = begun.iter().map(Vec::len).sum::<usize>();
    (all, all - begun.iter().map(keys).sum::<usize>())
}

/// How many attempts of these executions each host has begun, by its id.
pub fn by_host<'a>(executions: impl IntoIterator<Item = &'a String>) -> HashMap<String, usize> {
    let all = BEGUN.lock().unwrap();
    let mut counts = HashMap::new();
    let of = executions.into_iter().filter_map(|id| all.as_ref()?.get(id));
    for begun in of.flatten() {
        *counts.entry(begun.host.clone()).or_default() += 1;
    }
    counts
}
