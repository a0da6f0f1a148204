//! Runs a program against a replay, as the sandbox would.

use std::collections::{BTreeMap, VecDeque};

use super::super::{Command, Halt, Next, Replay};
use super::program::{Op, Program};
use super::{json, name};
use crate::model::{
    CallOptions, ChildOptions, Failure, Note, Outcome, Payload, Promise, Timestamp,
};

/// What the guest did and saw, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    Issued(Promise, Command),
    Settled(Promise, Outcome, Timestamp),
    Read(Promise, Payload),
    Drew(Vec<u8>),
}

/// Where a guest stopped.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stopped {
    Waits,
    Returned(Outcome),
    Halted(Halt),
}

/// How the program differs from the one that wrote the journal, at its nth command.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change {
    Another(usize),
    Dropped(usize),
    Added(usize),
    Later(usize),
}

/// One life of a program.
#[derive(Debug)]
pub(super) struct Guest {
    program: Program,
    agenda: VecDeque<Op>,
    settlements: usize,
    issued: usize,
    /// Settled receives whose value was not read.
    unread: BTreeMap<Promise, Payload>,
    /// Promises that it may cancel, and whether they are receives.
    held: BTreeMap<Promise, bool>,
    last: Option<Outcome>,
    change: Option<Change>,
    stashed: Option<Command>,
    pub(super) transcript: Vec<Line>,
    /// Its notes.
    pub(super) said: Vec<String>,
}

impl Guest {
    pub(super) fn new(program: &Program) -> Self {
        Self {
            program: program.clone(),
            agenda: program.script.iter().cloned().collect(),
            settlements: 0,
            issued: 0,
            unread: BTreeMap::new(),
            held: BTreeMap::new(),
            last: None,
            change: None,
            stashed: None,
            transcript: Vec::new(),
            said: Vec::new(),
        }
    }

    pub(super) fn changed(program: &Program, change: Change) -> Self {
        Self { change: Some(change), ..Self::new(program) }
    }

    /// Runs until it waits or ends.
    pub(super) fn run(&mut self, replay: &mut Replay, now: Timestamp) -> Stopped {
        match self.advance(replay, now) {
            Ok(stopped) => stopped,
            Err(halt) => Stopped::Halted(halt),
        }
    }

    fn advance(&mut self, replay: &mut Replay, now: Timestamp) -> Result<Stopped, Halt> {
        loop {
            match self.agenda.front().cloned() {
                Some(Op::Return) => return self.finish(replay),
                Some(Op::Next) => match self.wait(replay, now)? {
                    Some(Stopped::Waits) => return Ok(Stopped::Waits),
                    Some(_nothing) => {
                        self.agenda.pop_front();
                    }
                    None => {
                        self.agenda.pop_front();
                        self.react();
                    }
                },
                Some(op) => {
                    self.agenda.pop_front();
                    self.act(op, replay, now)?;
                }
                None => match self.wait(replay, now)? {
                    Some(Stopped::Waits) => return Ok(Stopped::Waits),
                    Some(_nothing) => return self.finish(replay),
                    None => self.react(),
                },
            }
        }
    }

    fn react(&mut self) {
        let reaction = self.program.reactions.get(self.settlements.wrapping_sub(1));
        for op in reaction.into_iter().flatten().rev() {
            self.agenda.push_front(op.clone());
        }
    }

    /// `None`: something has settled. `Returned`: there is nothing to wait for.
    fn wait(&mut self, replay: &mut Replay, now: Timestamp) -> Result<Option<Stopped>, Halt> {
        match replay.next()? {
            Next::Wait => Ok(Some(Stopped::Waits)),
            Next::Nothing => Ok(Some(Stopped::Returned(Ok(Payload::null())))),
            Next::Settled(promise, outcome) => {
                if self.held.remove(&promise) == Some(true)
                    && let Ok(value) = &outcome
                {
                    self.unread.insert(promise, value.clone());
                }
                self.last = Some(outcome.clone());
                self.settlements += 1;
                self.transcript.push(Line::Settled(promise, outcome, replay.now()));
                if let Some(late) = self.stashed.take() {
                    self.issue_as_is(late, replay, now)?;
                }
                Ok(None)
            }
        }
    }

    fn finish(&mut self, replay: &mut Replay) -> Result<Stopped, Halt> {
        self.read_all();
        replay.finish()?;
        let failed = matches!(self.last, Some(Err(_)));
        let length = self.transcript.len();
        Ok(Stopped::Returned(if failed {
            Err(Failure::new("unhappy", format!("after {length} lines")))
        } else {
            Ok(json(length))
        }))
    }

    fn read_all(&mut self) {
        for (promise, value) in std::mem::take(&mut self.unread) {
            self.transcript.push(Line::Read(promise, value));
        }
    }

    fn act(&mut self, op: Op, replay: &mut Replay, now: Timestamp) -> Result<(), Halt> {
        let options = CallOptions::default();
        match op {
            Op::Call(step) => {
                let input = json(u64::from(step) + self.settlements as u64);
                let step = name(&format!("step-{step}"));
                self.issue(Command::Call { step, input, options }, replay, now)
            }
            Op::CallByChance => {
                let drawn = replay.random(5);
                self.transcript.push(Line::Drew(drawn.clone()));
                let call = Command::Call { step: name("chance"), input: json(drawn), options };
                self.issue(call, replay, now)
            }
            Op::CallMany(count) => {
                let inputs = (0..count).map(json).collect();
                self.issue(Command::CallMany { step: name("many"), inputs, options }, replay, now)
            }
            Op::Sleep(milliseconds) => {
                self.issue(Command::Sleep { milliseconds: milliseconds.into() }, replay, now)
            }
            Op::Receive(signal) => {
                let signal = name(&format!("signal-{signal}"));
                self.issue(Command::Receive { signal }, replay, now)
            }
            Op::Child { detached } => {
                let options = ChildOptions { detached, ..ChildOptions::default() };
                let (workflow, input) = (name("child"), json(self.settlements));
                self.issue(Command::StartChild { workflow, input, options }, replay, now)
            }
            Op::Cancel(which) => self.cancel(usize::from(which), replay, now),
            Op::Branch(even, odd) => {
                let way = if replay.now().as_micros() % 2 == 0 { even } else { odd };
                way.into_iter().rev().for_each(|op| self.agenda.push_front(op));
                Ok(())
            }
            Op::ContinueAsNew if replay.run().0 < self.program.runs_max => {
                self.issue(Command::ContinueAsNew { input: json(self.settlements) }, replay, now)
            }
            Op::Read => {
                self.read_all();
                Ok(())
            }
            Op::Note => {
                let text = format!("after {} lines", self.transcript.len());
                self.said.push(text.clone());
                replay.note(Note::Progress { text });
                Ok(())
            }
            Op::ContinueAsNew | Op::Next | Op::Return => Ok(()),
        }
    }

    fn cancel(&mut self, which: usize, replay: &mut Replay, now: Timestamp) -> Result<(), Halt> {
        let all: Vec<Promise> = self.held.keys().chain(self.unread.keys()).copied().collect();
        if all.is_empty() {
            return Ok(());
        }
        let mut promises = vec![all[which % all.len()]];
        let second = all[(which + 1) % all.len()];
        if which.is_multiple_of(3) && second != promises[0] {
            promises.push(second);
        }
        for promise in &promises {
            self.held.remove(promise);
            self.unread.remove(promise);
        }
        self.issue(Command::Cancel { promises }, replay, now)
    }

    fn issue(&mut self, command: Command, replay: &mut Replay, now: Timestamp) -> Result<(), Halt> {
        let nth = self.issued;
        self.issued += 1;
        let added = |input: &str| Command::Call {
            step: name("changed"),
            input: json(input),
            options: CallOptions::default(),
        };
        match self.change {
            Some(Change::Another(n)) if n == nth => self.issue_as_is(added("other"), replay, now),
            Some(Change::Dropped(n)) if n == nth => Ok(()),
            Some(Change::Later(n)) if n == nth => {
                self.stashed = Some(command);
                Ok(())
            }
            Some(Change::Added(n)) if n == nth => {
                self.issue_as_is(added("more"), replay, now)?;
                self.issue_as_is(command, replay, now)
            }
            Some(_) | None => self.issue_as_is(command, replay, now),
        }
    }

    fn issue_as_is(
        &mut self,
        command: Command,
        replay: &mut Replay,
        now: Timestamp,
    ) -> Result<(), Halt> {
        let is_receive = matches!(command, Command::Receive { .. });
        let first = replay.issue(command.clone(), now)?;
        for promise in first.0..first.0 + count(&command) {
            self.held.insert(Promise(promise), is_receive);
        }
        self.transcript.push(Line::Issued(first, command));
        Ok(())
    }
}

/// How many promises a command makes.
pub(super) fn count(command: &Command) -> u32 {
    match command {
        Command::Call { .. }
        | Command::StartChild { .. }
        | Command::Sleep { .. }
        | Command::Receive { .. } => 1,
        Command::CallMany { inputs, .. } => u32::try_from(inputs.len()).unwrap(),
        Command::Cancel { .. } | Command::ContinueAsNew { .. } => 0,
    }
}
