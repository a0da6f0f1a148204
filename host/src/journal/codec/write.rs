//! From an entry to its row.

use super::super::entry::{
    Arrival, Body, CommandEntry, Ended, Entry, Event, Recorded, Redrive, RunEntry, Started,
};
use super::{Encoded, Head, VERSION, number, reason_word};
use crate::model::{Name, Outcome, Payload, Promise, StepUsage};

/// A row under construction.
struct Draft {
    kind: i16,
    promise: Option<Promise>,
    name: Option<Name>,
    head: Head,
    data: Option<Vec<u8>>,
}

impl Draft {
    fn of(kind: i16) -> Self {
        Self { kind, promise: None, name: None, head: Head::default(), data: None }
    }

    fn promise(mut self, promise: Promise) -> Self {
        self.promise = Some(promise);
        self
    }

    fn name(mut self, name: &Name) -> Self {
        self.name = Some(name.clone());
        self
    }

    fn data(mut self, payload: Option<&Payload>) -> Self {
        self.data = payload.map(|payload| payload.as_str().as_bytes().to_vec());
        self
    }

    fn outcome(mut self, outcome: &Outcome) -> Self {
        match outcome {
            Ok(result) => self.data(Some(result)),
            Err(failure) => {
                self.head.failure_kind = Some(failure.kind.clone());
                self.head.message = Some(failure.message.clone());
                self.data(failure.details.as_ref())
            }
        }
    }

    fn finish(self) -> Encoded {
        let mut head = vec![VERSION];
        minicbor::encode(&self.head, &mut head).expect("writing to memory does not fail");
        Encoded {
            kind: self.kind,
            promise: self.promise.map(|promise| promise.0),
            name: self.name.map(|name| name.as_str().to_owned()),
            head,
            data: self.data,
        }
    }
}

/// Writes an entry down; its seq, run and time have columns of their own.
pub fn encode(entry: &Entry) -> Encoded {
    let mut draft = match &entry.body {
        Body::Started(started) => encode_started(started),
        Body::Run(run) => encode_run(run),
        Body::Ended(ended) => encode_ended(ended),
        Body::Noted => Draft::of(number::NOTED),
        Body::Command(CommandEntry { after, command }) => {
            let mut draft = encode_command(command);
            draft.head.after = Some(after.0);
            draft
        }
        Body::Event(event) => encode_event(event),
    };
    draft.head.noted = (entry.noted > 0).then_some(entry.noted);
    draft.finish()
}

fn encode_started(started: &Started) -> Draft {
    let mut draft = Draft::of(number::STARTED).name(&started.workflow).data(Some(&started.input));
    draft.head.bytes = Some(started.seed.to_vec().into());
    draft
}

fn encode_run(run: &RunEntry) -> Draft {
    let mut draft = Draft::of(number::RUN);
    draft.head.from = Some(run.from.0);
    draft.head.word = Some(reason_word(run.why).to_owned());
    draft.head.bytes = Some(run.module.as_bytes().to_vec().into());
    draft.head.ids = (!run.signal_ids.is_empty()).then(|| run.signal_ids.clone());
    if let Some(Redrive { promise, queue, attempts }) = &run.redrive {
        draft.promise = Some(*promise);
        draft.name.clone_from(queue);
        draft.head.attempt = Some(*attempts);
    }
    draft
}

fn encode_ended(ended: &Ended) -> Draft {
    let mut draft = Draft::of(number::ENDED).outcome(&ended.outcome);
    draft.head.word = Some(ended.state.as_str().to_owned());
    draft.head.amount = Some(ended.fuel);
    draft.head.count = Some(ended.unreceived);
    draft
}

fn encode_command(command: &Recorded) -> Draft {
    match command {
        Recorded::Call { promise, step, hash, input } => {
            let draft = Draft::of(number::CALL).promise(*promise).name(step);
            with_hash(draft.data(input.as_ref()), hash)
        }
        Recorded::CallMany { promise, step, hash, count, inputs } => {
            let mut draft = Draft::of(number::CALL_MANY).promise(*promise).name(step);
            draft.head.count = Some(*count);
            if let Some(inputs) = inputs {
                let length = |input: &Payload| u32::try_from(input.bytes()).unwrap_or(u32::MAX);
                draft.head.lengths = Some(inputs.iter().map(length).collect());
                draft.data = Some(inputs.iter().flat_map(|input| input.as_str().bytes()).collect());
            }
            with_hash(draft, hash)
        }
        Recorded::StartChild { promise, workflow, hash, child, detached, input } => {
            let mut draft = Draft::of(number::START_CHILD).promise(*promise).name(workflow);
            draft.head.bytes = Some(child.as_bytes().to_vec().into());
            draft.head.flag = Some(*detached);
            with_hash(draft.data(input.as_ref()), hash)
        }
        Recorded::Sleep { promise, milliseconds, due } => {
            let mut draft = Draft::of(number::SLEEP).promise(*promise);
            draft.head.amount = Some(*milliseconds);
            draft.head.due = Some(due.as_micros());
            draft
        }
        Recorded::Receive { promise, signal } => {
            Draft::of(number::RECEIVE).promise(*promise).name(signal)
        }
        Recorded::Cancel { promises } => {
            let mut draft = Draft::of(number::CANCEL);
            draft.head.promises = Some(promises.iter().map(|promise| promise.0).collect());
            draft
        }
        Recorded::ContinueAsNew { hash, input } => {
            with_hash(Draft::of(number::CONTINUE_AS_NEW).data(input.as_ref()), hash)
        }
    }
}

fn with_hash(mut draft: Draft, hash: &[u8; 16]) -> Draft {
    draft.head.hash = Some((*hash).into());
    draft
}

fn encode_event(event: &Event) -> Draft {
    match event {
        Event::Settled { promise, outcome, usage, attempt } => {
            let mut draft = Draft::of(number::SETTLED).promise(*promise).outcome(outcome);
            draft.head.usage = (*usage != StepUsage::default()).then_some((*usage).into());
            draft.head.attempt = Some(*attempt);
            draft
        }
        Event::Fired { promise } => Draft::of(number::FIRED).promise(*promise),
        Event::Received { signal, payload, id } => {
            let mut draft = Draft::of(number::RECEIVED).name(signal).data(Some(payload));
            draft.head.ids = id.clone().map(|id| vec![id]);
            draft
        }
        Event::CancelRequested { reason } => {
            let mut draft = Draft::of(number::CANCEL_REQUESTED);
            draft.head.message = Some(reason.clone());
            draft
        }
        Event::Expired => Draft::of(number::EXPIRED),
    }
}

/// Writes down how a call settled, without which: a head and the payload's bytes.
pub fn encode_outcome(outcome: &Outcome) -> (Vec<u8>, Option<Vec<u8>>) {
    let Encoded { head, data, .. } = Draft::of(number::SETTLED).outcome(outcome).finish();
    (head, data)
}

/// Writes an arrival down; its run has a column of its own.
pub fn encode_arrival(arrival: &Arrival) -> Encoded {
    let draft = match arrival.clone() {
        Arrival::Settled { run: _, promise, outcome, usage, attempt } => {
            encode_event(&Event::Settled { promise, outcome, usage, attempt })
        }
        Arrival::Fired { promise } => encode_event(&Event::Fired { promise }),
        Arrival::Signal { signal, payload, id } => {
            encode_event(&Event::Received { signal, payload, id })
        }
        Arrival::Cancel { reason, force } => {
            let mut draft = encode_event(&Event::CancelRequested { reason });
            if force {
                draft.kind = number::CANCEL_BY_FORCE;
            }
            draft
        }
        Arrival::Expired => encode_event(&Event::Expired),
    };
    draft.finish()
}
