//! What tests write, in few words.

use std::time::Duration;

use stepwell::journal::{Arrival, Body, CommandEntry, Ended, Entry, Event, Recorded};
use stepwell::model::{
    ExecutionId, ExecutionState, Failure, Level, Name, Note, Payload, Promise, RetryPolicy,
    Routing, Run, Seq, StepUsage, Timestamp,
};
use stepwell::store::{
    Append, Delivered, LetterFilter, NewDeadLetter, NewExecution, NewTask, NotedBy, Parent,
    RowChange, TaskEnd, TaskRef, Write,
};

use crate::database::{Database, execution_id, module, task_id};

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn json(text: &str) -> Payload {
    Payload::new(text, 1 << 20).unwrap()
}

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// An execution that is ready at once and nobody's.
pub(crate) fn execution(number: u8) -> NewExecution {
    NewExecution {
        id: execution_id(number),
        workflow: name("checkout"),
        module: module(),
        routing: Routing::default(),
        parent: None,
        input: json(r#"{"order":1}"#),
        seed: [7; 32],
        created_at: at(1_000),
        start_at: at(1_000),
        expires_at: None,
        owner: None,
        traceparent: None,
    }
}

pub(crate) fn start(new: NewExecution) -> Write {
    Write::Start(Box::new(new))
}

pub(crate) fn write(append: Append) -> Write {
    Write::Append(Box::new(append))
}

pub(crate) fn entry(seq: u64, body: Body) -> Entry {
    Entry {
        seq: Seq(seq),
        run: Run(0),
        recorded_at: at(1_000 + i64::try_from(seq).unwrap()),
        noted: 0,
        body,
    }
}

pub(crate) fn call(seq: u64, promise: u32) -> Entry {
    let input = json(&format!("{promise}"));
    let command = Recorded::Call {
        promise: Promise(promise),
        step: name("charge"),
        hash: input.hash(),
        input: Some(input),
    };
    entry(seq, Body::Command(CommandEntry { after: Seq(1), command }))
}

pub(crate) fn call_many(seq: u64, promise: u32, inputs: &[&str]) -> Entry {
    let inputs: Vec<Payload> = inputs.iter().map(|input| json(input)).collect();
    let command = Recorded::CallMany {
        promise: Promise(promise),
        step: name("charge"),
        hash: [1; 16],
        count: u32::try_from(inputs.len()).unwrap(),
        inputs: Some(inputs),
    };
    entry(seq, Body::Command(CommandEntry { after: Seq(1), command }))
}

pub(crate) fn settled(seq: u64, promise: u32, outcome: Result<&str, &str>) -> Entry {
    entry(
        seq,
        Body::Event(Event::Settled {
            promise: Promise(promise),
            outcome: outcome.map(json).map_err(|kind| Failure::new(kind, "it said so")),
            usage: StepUsage::default(),
            attempt: 1,
        }),
    )
}

pub(crate) fn received(seq: u64, signal: &str) -> Entry {
    let (signal, payload) = (name(signal), json("1"));
    entry(seq, Body::Event(Event::Received { signal, payload, id: Some("sender".to_owned()) }))
}

pub(crate) fn ended(seq: u64, state: ExecutionState) -> Entry {
    let outcome = match state {
        ExecutionState::Completed => Ok(json("42")),
        _ => Err(Failure::new("card-declined", "no funds").with_details(json("[1]"))),
    };
    entry(seq, Body::Ended(Ended { state, outcome, fuel: 5, unreceived: 0 }))
}

pub(crate) fn signal(text: &str) -> Arrival {
    Arrival::Signal { signal: name("approval"), payload: json(text), id: None }
}

pub(crate) fn cancel() -> Arrival {
    Arrival::Cancel { reason: "enough".to_owned(), force: false }
}

pub(crate) fn force() -> Arrival {
    Arrival::Cancel { reason: "enough".to_owned(), force: true }
}

pub(crate) fn outcome_of(promise: u32) -> Arrival {
    Arrival::Settled {
        run: Run(0),
        promise: Promise(promise),
        outcome: Ok(json("1")),
        usage: StepUsage::default(),
        attempt: 0,
    }
}

pub(crate) fn child_of(parent: ExecutionId, promise: u32) -> Parent {
    Parent { execution: parent, run: Run(0), promise: Promise(promise), detached: false }
}

/// A call that waits in a queue, whose input is the entry at `input`.
pub(crate) fn task(number: u8, promise: u32, input: (u64, u32)) -> NewTask {
    NewTask {
        id: task_id(number),
        promise: Promise(promise),
        step: name("charge"),
        input: (Seq(input.0), input.1),
        routing: Routing::default(),
        visible_at: at(1_000),
        attempt: 1,
        timeout: Duration::from_secs(30),
        schedule_by: None,
        retry: RetryPolicy::default(),
        last_failure: None,
        heartbeat: None,
        owner: None,
        limits: stepwell::model::CallLimits::default(),
        keep: None,
    }
}

pub(crate) fn task_ref(number: u8, execution: ExecutionId, attempt: u32) -> TaskRef {
    TaskRef { id: task_id(number), execution, run: Run(0), promise: Promise(0), attempt }
}

pub(crate) fn completed() -> TaskEnd {
    TaskEnd::Settled { outcome: Ok(json("7")), usage: StepUsage::default(), dead_letter: None }
}

pub(crate) fn letters_of(execution: ExecutionId) -> LetterFilter {
    LetterFilter { execution: Some(execution), ..LetterFilter::default() }
}

pub(crate) fn dead_letter(promise: u32) -> NewDeadLetter {
    NewDeadLetter {
        promise: Promise(promise),
        step: name("charge"),
        input: (Seq(2), 0),
        attempts: 3,
        failure: Failure::new("card-declined", "no funds"),
        at: at(2_000),
        queue: Some(name("slow")),
    }
}

fn noted(note: Note) -> NotedBy {
    NotedBy { step: None, promise: None, attempt: 0, at: at(1_500), note, attempt_began_at: None }
}

pub(crate) fn counted(counter: &str, amount: i64) -> NotedBy {
    noted(Note::Counter { name: name(counter), amount })
}

pub(crate) fn state_set(key: &str, value: &str) -> NotedBy {
    noted(Note::State { key: name(key), value: json(value) })
}

pub(crate) fn logged(message: &str) -> NotedBy {
    let (level, fields) = (Level::Info, json("null"));
    noted(Note::Log { level, message: message.to_owned(), fields })
}

impl Database {
    /// An execution that this host has begun.
    pub(crate) async fn born(&self, number: u8) -> ExecutionId {
        let new = NewExecution { owner: Some(self.host), ..execution(number) };
        self.commit(vec![start(new)]).await;
        execution_id(number)
    }

    /// An append of nothing by this host.
    pub(crate) fn append(&self, execution: ExecutionId) -> Append {
        Append::new(execution, self.host, Run(0))
    }

    /// Ends an execution with the entry at `seq`.
    pub(crate) async fn end(&self, execution: ExecutionId, seq: u64, state: ExecutionState) {
        let mut append = self.append(execution);
        append.entries.push(ended(seq, state));
        append.row = RowChange::End { state, failure_kind: None };
        self.commit(vec![write(append)]).await;
    }

    /// Parks an execution that has seen `seen` arrivals.
    pub(crate) async fn park(&self, id: ExecutionId, seen: i64, next_timer: Option<Timestamp>) {
        let row = RowChange::Park { seen, next_timer };
        self.commit(vec![write(Append { row, ..self.append(id) })]).await;
    }

    /// An execution of this host that has called a step once, which waits as a task.
    pub(crate) async fn called(&self, number: u8, task: NewTask) -> ExecutionId {
        let id = self.born(number).await;
        let mut append = self.append(id);
        append.entries.push(call(2, task.promise.0));
        append.tasks.push(task);
        self.commit(vec![write(append)]).await;
        id
    }

    /// Ends an attempt of a task that this host runs.
    pub(crate) async fn end_task(
        &self,
        number: u8,
        execution: ExecutionId,
        attempt: u32,
        end: TaskEnd,
    ) -> Option<Delivered> {
        let task = task_ref(number, execution, attempt);
        self.store.end_task(self.host, &task, end, Vec::new()).await.unwrap()
    }
}
