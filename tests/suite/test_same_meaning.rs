//! The test host for authors means the same as a real one: the same modules on both, and their journals side by side.

use serde_json::{Value, json};
use stepwell::journal::{Body, Entry, Event, Recorded};
use stepwell::model::{ExecutionId, Outcome};
use stepwell_testing::TestHost as InMemory;

use crate::guests;
use crate::test_host::TestHost;

/// What is the same in two journals of one program: commands in their order, with their inputs; events, which may come in
/// another order; and the end.
#[derive(Debug, PartialEq)]
struct Story {
    commands: Vec<Value>,
    events: Vec<Value>,
    end: Value,
}

impl Story {
    fn of(lines: impl IntoIterator<Item = Value>) -> Self {
        let mut story = Self { commands: Vec::new(), events: Vec::new(), end: Value::Null };
        for line in lines {
            match line["kind"].as_str().unwrap() {
                "ended" => story.end = line,
                "completed" | "failed" | "fired" | "received" | "cancel-requested" | "expired" => {
                    story.events.push(line);
                }
                "started" | "run" | "noted" => {}
                _command => story.commands.push(line),
            }
        }
        story.events.sort_by_key(Value::to_string);
        story
    }
}

/// A line of a real journal without what differs from host to host: times, and what an attempt used.
fn told(line: &Value) -> Value {
    const SAME: [&str; 11] = [
        "kind",
        "promise",
        "name",
        "input",
        "milliseconds",
        "promises",
        "result",
        "failure",
        "reason",
        "state",
        "attempt",
    ];
    let field = |name: &&str| Some(((*name).to_owned(), line.get(*name)?.clone()));
    let fields = SAME.iter().filter_map(field).filter(|(_, value)| !value.is_null());
    let mut told = Value::Object(fields.collect());
    // What a step made up itself.
    if let Some(nonce) = told.pointer_mut("/result/nonce") {
        *nonce = Value::Null;
    }
    told
}

/// The same of an entry in memory, in the words of the API.
fn line(entry: &Entry) -> Value {
    let mut line = match &entry.body {
        Body::Started(_) => json!({ "kind": "started" }),
        Body::Run(_) => json!({ "kind": "run" }),
        Body::Noted => json!({ "kind": "noted" }),
        Body::Ended(ended) => {
            with(json!({ "kind": "ended", "state": ended.state }), &ended.outcome)
        }
        Body::Command(command) => match &command.command {
            Recorded::Call { promise, step, input, .. } => {
                json!({ "kind": "call", "promise": promise, "name": step, "input": input })
            }
            Recorded::CallMany { promise, step, .. } => {
                json!({ "kind": "call-many", "promise": promise, "name": step })
            }
            Recorded::StartChild { promise, workflow, input, .. } => {
                json!({ "kind": "start-child", "promise": promise, "name": workflow, "input": input })
            }
            Recorded::Sleep { promise, milliseconds, .. } => {
                json!({ "kind": "sleep", "promise": promise, "milliseconds": milliseconds })
            }
            Recorded::Receive { promise, signal } => {
                json!({ "kind": "receive", "promise": promise, "name": signal })
            }
            Recorded::Cancel { promises } => json!({ "kind": "cancel", "promises": promises }),
            Recorded::ContinueAsNew { input, .. } => {
                json!({ "kind": "continue-as-new", "input": input })
            }
        },
        Body::Event(event) => match event {
            Event::Settled { promise, outcome, attempt, .. } => {
                let kind = if outcome.is_ok() { "completed" } else { "failed" };
                with(json!({ "kind": kind, "promise": promise, "attempt": attempt }), outcome)
            }
            Event::Fired { promise } => json!({ "kind": "fired", "promise": promise }),
            Event::Received { signal, .. } => json!({ "kind": "received", "name": signal }),
            Event::CancelRequested { reason } => {
                json!({ "kind": "cancel-requested", "reason": reason })
            }
            Event::Expired => json!({ "kind": "expired" }),
        },
    };
    line = told(&line);
    line
}

fn with(mut line: Value, outcome: &Outcome) -> Value {
    match outcome {
        Ok(result) => line["result"] = json!(result),
        Err(failure) => line["failure"] = json!(failure),
    }
    line
}

/// What somebody does to an execution from outside, once so many sleeps or receives are recorded.
#[derive(Debug, Clone)]
enum Deed {
    Nothing,
    Signal(&'static str, Value),
    Cancel,
}

/// Runs a workflow on both, and compares.
async fn means_the_same(module: &str, workflow: &str, input: Value, deed: Deed) {
    let mut real = TestHost::start().await;
    if !guests::DEPLOYED.contains(&module) {
        real.deploy(module, guests::wasm(module)).await;
    }
    // One key is one id on every host, and so one idempotency key in every step.
    let order = json!({ "workflow": workflow, "input": input, "idempotency_key": "the-same" });
    let started = real.post("/v1/executions", &order).await;
    let id = started.body["id"].as_str().unwrap().to_owned();
    match &deed {
        Deed::Nothing => {}
        Deed::Signal(name, payload) => {
            real.until_recorded(&id, "receive", 1).await;
            real.signalled(&id, name, payload.clone()).await;
        }
        Deed::Cancel => {
            real.until_recorded(&id, "sleep", 1).await;
            real.cancel(&id, json!({ "reason": "no longer wanted" })).await;
        }
    }
    real.ended(&id).await;
    let journal = real.journal(&id).await;
    let counters = real.execution(&id).await["counters"].clone();
    real.audit().await;

    let mut memory = InMemory::load(guests::path(module)).unwrap();
    let id: ExecutionId = memory.start_once(workflow, "the-same", input);
    memory.settle();
    match deed {
        Deed::Nothing => {}
        Deed::Signal(name, payload) => memory.signal(id, name, payload),
        Deed::Cancel => memory.cancel(id, "no longer wanted"),
    }
    memory.end(id);

    let real = Story::of(journal.iter().map(told));
    assert_eq!(Story::of(memory.journal(id).iter().map(line)), real, "{}", memory.timeline(id));
    assert_eq!(json!(memory.counters(id)), counters);
}

#[tokio::test]
async fn chains_and_branches() {
    means_the_same("misbehaving", "chain", json!(5), Deed::Nothing).await;
    let order = json!({ "order": "o-1", "amount": 100 });
    means_the_same("checkout", "checkout", order, Deed::Nothing).await;
}

#[tokio::test]
async fn failures_and_compensations() {
    let order = json!({ "order": "o-1", "amount": 100, "fail_at": "ship" });
    means_the_same("checkout", "checkout", order, Deed::Nothing).await;
    let trip = json!({ "traveller": "ada", "pause": "1h", "pause_after": "book_hotel" });
    means_the_same("saga_trip_booking", "book_trip", trip, Deed::Cancel).await;
}

#[tokio::test]
async fn retries_and_dead_letters() {
    let plan = json!({ "flaky_failures": 1, "declined": true, "broken": true });
    means_the_same("failing_flow", "handled", plan, Deed::Nothing).await;
}

#[tokio::test]
async fn children_and_their_failures() {
    means_the_same("misbehaving", "parent", json!(1), Deed::Nothing).await;
    means_the_same("failing_flow", "explained", json!({ "broken": true }), Deed::Nothing).await;
}

#[tokio::test]
async fn signals_and_timers() {
    let request = json!({ "subject": "a lamp", "timeout": "1h" });
    let word = Deed::Signal("approval", json!({ "by": "ada", "approved": true }));
    means_the_same("approval", "approval", request, word).await;
    means_the_same("misbehaving", "sleeper", json!("100ms"), Deed::Nothing).await;
}

#[tokio::test]
async fn several_runs() {
    let rounds = json!({ "left": 2, "done": 0 });
    means_the_same("misbehaving", "continue_as_new", rounds, Deed::Nothing).await;
}
