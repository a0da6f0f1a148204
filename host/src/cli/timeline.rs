//! What became of each promise, worked out from a journal. Pure.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::Deserialize;

use crate::model::{Failure, Timestamp};

/// A journal entry, as far as a timeline wants to know it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    pub(super) seq: u64,
    pub(super) run: u32,
    pub(super) at: Timestamp,
    pub(super) kind: String,
    promise: Option<u32>,
    name: Option<String>,
    count: Option<u32>,
    detached: Option<bool>,
    milliseconds: Option<u64>,
    promises: Vec<u32>,
    attempt: Option<u32>,
    duration_micros: Option<u64>,
    failure: Option<Failure>,
    reason: Option<String>,
    from: Option<u64>,
    why: Option<String>,
    state: Option<String>,
}

/// One line: a promise, or something that happened to the whole execution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    seq: u64,
    promise: Option<u32>,
    pub(super) what: String,
    is_call: bool,
    pub(super) state: State,
    pub(super) attempt: u32,
    pub(super) begun: Timestamp,
    pub(super) ended: Option<(u64, Timestamp)>,
    /// How long the last attempt took, where that was measured.
    pub(super) took_micros: Option<u64>,
    pub(super) why: String,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Completed,
    /// By the kept result of another call.
    Answered,
    Failed,
    Fired,
    Received,
    Cancelled,
    Superseded,
    /// No promise: it happened, and that is all.
    Happened,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Answered => "from cache",
            Self::Failed => "failed",
            Self::Fired => "fired",
            Self::Received => "received",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
            Self::Happened => "",
        }
    }
}

impl Line {
    fn happened(seq: u64, at: Timestamp, what: String) -> Self {
        Self {
            seq,
            promise: None,
            what,
            is_call: false,
            state: State::Happened,
            attempt: 0,
            begun: at,
            ended: None,
            took_micros: None,
            why: String::new(),
        }
    }
}

/// Works the lines out, in the order in which they begin.
pub(super) fn lines(entries: &[Entry]) -> Vec<Line> {
    let mut timeline = Timeline::default();
    for entry in entries {
        timeline.take(entry);
    }
    timeline.tell_unreceived();
    timeline.lines
}

/// When a signal came.
#[derive(Debug, Clone, Copy)]
struct Arrived {
    seq: u64,
    at: Timestamp,
}

#[derive(Debug, Default)]
struct Timeline {
    lines: Vec<Line>,
    /// The line of each promise that counts now.
    of: HashMap<u32, usize>,
    /// Lines that wait for a signal, and signals that wait for a line, by name. Never both.
    receiving: HashMap<String, VecDeque<usize>>,
    buffered: BTreeMap<String, VecDeque<Arrived>>,
}

impl Timeline {
    fn take(&mut self, entry: &Entry) {
        let name = entry.name.as_deref().unwrap_or("?");
        match entry.kind.as_str() {
            "call" => self.begin(entry, 1, |_| name.to_owned()),
            "call-many" => {
                let count = entry.count.unwrap_or(0);
                self.begin(entry, count, |number| format!("{name} {}/{count}", number + 1));
            }
            // It goes its own way.
            "start-child" if entry.detached == Some(true) => {
                self.happen(entry, &format!("child {name} is started on its own"));
            }
            "start-child" => self.begin(entry, 1, |_| format!("child {name}")),
            "sleep" => {
                let span = super::out::span(entry.milliseconds.unwrap_or(0).saturating_mul(1_000));
                self.begin(entry, 1, |_| format!("sleep {span}"));
            }
            "receive" => self.receive(entry, name),
            "received" => self.arrive(entry, name),
            "completed" => self.settle(entry, State::Completed),
            "failed" => self.settle(entry, State::Failed),
            "fired" => self.settle(entry, State::Fired),
            "cancel" => self.cancel(entry),
            "cancel-requested" => self.happen(entry, "cancel was asked for"),
            "expired" => self.happen(entry, "max_duration has passed"),
            "run" => self.begin_run(entry),
            "ended" => self.end(entry),
            // `started`, `noted`, and what a newer server may say.
            _ => {}
        }
    }

    fn begin(&mut self, entry: &Entry, count: u32, what: impl Fn(u32) -> String) {
        let first = entry.promise.unwrap_or(0);
        for number in 0..count {
            let promise = first.saturating_add(number);
            self.of.insert(promise, self.lines.len());
            self.lines.push(Line {
                seq: entry.seq,
                promise: Some(promise),
                what: what(number),
                is_call: entry.kind.starts_with("call"),
                state: State::Open,
                attempt: 0,
                begun: entry.at,
                ended: None,
                took_micros: None,
                why: String::new(),
            });
        }
    }

    fn receive(&mut self, entry: &Entry, signal: &str) {
        self.begin(entry, 1, |_| format!("signal {signal}"));
        let place = self.lines.len() - 1;
        match self.buffered.get_mut(signal).and_then(VecDeque::pop_front) {
            Some(_arrived) => self.close(place, entry, State::Received),
            None => self.receiving.entry(signal.to_owned()).or_default().push_back(place),
        }
    }

    fn arrive(&mut self, entry: &Entry, signal: &str) {
        let waiting = self.receiving.entry(signal.to_owned()).or_default();
        while let Some(place) = waiting.pop_front() {
            if self.lines[place].state == State::Open {
                self.close(place, entry, State::Received);
                return;
            }
        }
        let arrived = Arrived { seq: entry.seq, at: entry.at };
        self.buffered.entry(signal.to_owned()).or_default().push_back(arrived);
    }

    fn settle(&mut self, entry: &Entry, state: State) {
        let Some(place) = entry.promise.and_then(|promise| self.of.get(&promise)).copied() else {
            return;
        };
        self.close(place, entry, state);
        let line = &mut self.lines[place];
        line.attempt = entry.attempt.unwrap_or(0);
        // Children have no attempts, and a failure without one was nobody's result.
        if line.is_call && entry.attempt == Some(0) && state == State::Completed {
            line.state = State::Answered;
        }
        line.took_micros = entry.duration_micros.filter(|micros| *micros > 0);
        if let Some(failure) = &entry.failure {
            line.why = super::out::reason(failure);
        }
    }

    fn close(&mut self, place: usize, entry: &Entry, state: State) {
        let line = &mut self.lines[place];
        line.state = state;
        line.ended = Some((entry.seq, entry.at));
    }

    fn cancel(&mut self, entry: &Entry) {
        for promise in &entry.promises {
            let Some(place) = self.of.get(promise).copied() else { continue };
            if self.lines[place].state == State::Open {
                self.close(place, entry, State::Cancelled);
            }
        }
    }

    fn happen(&mut self, entry: &Entry, what: &str) {
        let why = entry.reason.clone().unwrap_or_default();
        self.lines.push(Line { why, ..Line::happened(entry.seq, entry.at, what.to_owned()) });
    }

    /// A name that nobody receives looks like a workflow that does not go on.
    fn tell_unreceived(&mut self) {
        for (name, waiting) in &self.buffered {
            let Some(Arrived { seq, at }) = waiting.back().copied() else { continue };
            let what = format!("signal {name}: {} not received", waiting.len());
            self.lines.push(Line::happened(seq, at, what));
        }
    }

    /// What lies beyond `from` no longer counts; what was settled beyond it is open again.
    fn begin_run(&mut self, entry: &Entry) {
        let from = entry.from.unwrap_or(0);
        let why = entry.why.as_deref().unwrap_or("?");
        let anew = why == "continue-as-new";
        for line in &mut self.lines {
            let beyond = |seq: u64| !anew && seq > from;
            if line.promise.is_some() && beyond(line.seq) {
                line.state = State::Superseded;
            } else if line.ended.is_some_and(|(seq, _)| beyond(seq)) {
                (line.state, line.ended, line.took_micros) = (State::Open, None, None);
                line.why.clear();
            }
        }
        // What nobody had received is recorded again in the new run.
        for waiting in self.buffered.values_mut() {
            waiting.retain(|arrived| !anew && arrived.seq <= from);
        }
        if anew {
            self.of.clear();
        }
        self.happen(entry, &format!("run {} begins: {why}", entry.run));
    }

    fn end(&mut self, entry: &Entry) {
        for place in 0..self.lines.len() {
            if self.lines[place].state == State::Open {
                self.close(place, entry, State::Cancelled);
            }
        }
        let state = entry.state.as_deref().unwrap_or("?");
        self.happen(entry, &format!("run {} ended: {state}", entry.run));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(journal: serde_json::Value) -> Vec<(String, &'static str)> {
        let entries: Vec<Entry> = serde_json::from_value(journal).unwrap();
        lines(&entries).into_iter().map(|line| (line.what, line.state.word())).collect()
    }

    fn line(what: &str, state: &'static str) -> (String, &'static str) {
        (what.to_owned(), state)
    }

    #[test]
    fn each_promise_has_a_line_with_its_end() {
        let journal = json!([
            { "seq": 1, "kind": "started", "name": "checkout" },
            { "seq": 2, "kind": "call", "promise": 0, "name": "reserve" },
            { "seq": 3, "kind": "sleep", "promise": 1, "milliseconds": 4000 },
            { "seq": 4, "kind": "completed", "promise": 0, "attempt": 1, "duration_micros": 7 },
            { "seq": 5, "kind": "cancel", "promises": [0, 1] },
            { "seq": 6, "kind": "ended", "state": "completed" },
        ]);

        let expected = [
            line("reserve", "completed"),
            line("sleep 4.00 s", "cancelled"),
            line("run 0 ended: completed", ""),
        ];
        assert_eq!(shown(journal), expected);
    }

    #[test]
    fn a_call_that_was_answered_without_an_attempt_came_from_the_cache() {
        let journal = json!([
            { "seq": 2, "kind": "call", "promise": 0, "name": "look-up" },
            { "seq": 3, "kind": "start-child", "promise": 1, "name": "c" },
            { "seq": 4, "kind": "completed", "promise": 0, "attempt": 0 },
            { "seq": 5, "kind": "completed", "promise": 1, "attempt": 0 },
        ]);

        assert_eq!(shown(journal), [line("look-up", "from cache"), line("child c", "completed")]);
    }

    #[test]
    fn a_detached_child_is_nothing_that_the_end_cancels() {
        let journal = json!([
            { "seq": 2, "kind": "start-child", "promise": 0, "name": "c", "detached": true },
            { "seq": 3, "kind": "ended", "state": "completed" },
        ]);

        let expected =
            [line("child c is started on its own", ""), line("run 0 ended: completed", "")];
        assert_eq!(shown(journal), expected);
    }

    #[test]
    fn signals_go_to_those_who_wait_and_wait_for_those_who_come() {
        let journal = json!([
            { "seq": 1, "kind": "received", "name": "approval" },
            { "seq": 2, "kind": "receive", "promise": 0, "name": "approval" },
            { "seq": 3, "kind": "receive", "promise": 1, "name": "approval" },
            { "seq": 4, "kind": "receive", "promise": 2, "name": "other" },
            { "seq": 5, "kind": "received", "name": "approval" },
        ]);

        let expected = [
            line("signal approval", "received"),
            line("signal approval", "received"),
            line("signal other", "open"),
        ];
        assert_eq!(shown(journal), expected);
    }

    #[test]
    fn signals_that_nobody_has_received_are_counted_by_name() {
        let journal = json!([
            { "seq": 1, "kind": "received", "name": "aproval" },
            { "seq": 2, "kind": "received", "name": "approval" },
            { "seq": 3, "kind": "receive", "promise": 0, "name": "approval" },
            { "seq": 4, "kind": "received", "name": "aproval" },
            { "seq": 5, "run": 1, "kind": "run", "from": 3, "why": "retry" },
            { "seq": 6, "run": 1, "kind": "received", "name": "aproval" },
        ]);

        let expected = [
            line("signal approval", "received"),
            line("run 1 begins: retry", ""),
            line("signal aproval: 2 not received", ""),
        ];
        assert_eq!(shown(journal), expected);
    }

    #[test]
    fn what_a_retry_takes_back_is_superseded_or_open_again() {
        let journal = json!([
            { "seq": 2, "kind": "call", "promise": 0, "name": "charge" },
            { "seq": 3, "kind": "failed", "promise": 0, "failure": { "kind": "k", "message": "m" } },
            { "seq": 4, "kind": "call", "promise": 1, "name": "refund" },
            { "seq": 5, "run": 1, "kind": "run", "from": 2, "why": "retry" },
            { "seq": 6, "run": 1, "kind": "completed", "promise": 0 },
        ]);

        let expected = [
            line("charge", "completed"),
            line("refund", "superseded"),
            line("run 1 begins: retry", ""),
        ];
        assert_eq!(shown(journal), expected);
    }
}
