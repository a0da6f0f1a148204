//! Death at any write, over seven programs, in three ways.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Fault, Way};
use crate::api::{Answer, Api, End};
use crate::test_host::{Settings, TestHost};

/// What is run, and what a client does about it. Each may be told again from its beginning without a second effect, as a
/// client does that has not heard an answer.
#[derive(Debug, Clone, Copy)]
enum Program {
    Checkout,
    Approval,
    Parent,
    Retried,
    Triggered,
    /// A saga that fails at its last step.
    Trip,
    /// A saga that is cancelled after its third step.
    CancelledTrip,
}

impl Program {
    fn order(self) -> Value {
        let order = |workflow: &str, input: Value| json!({ "workflow": workflow, "input": input, "idempotency_key": "the-one" });
        match self {
            Self::Checkout => order("checkout", json!({ "order": "A-1", "amount": 1000 })),
            Self::Approval => order("approval", json!({ "subject": "a lamp", "timeout": "1h" })),
            Self::Parent => order("parent", json!(2)),
            Self::Retried => order("stumbling", Value::Null),
            Self::Triggered => json!({ "idempotency_key": "the-one" }),
            Self::Trip => order("book_trip", json!({ "traveller": "ada", "fail_at": "charge" })),
            Self::CancelledTrip => {
                let trip = json!({ "traveller": "ada", "pause": "1h", "pause_after": "book_car" });
                // One key is one id, and the ledger of attempts knows executions by their ids: two tests may not share one.
                json!({ "workflow": "book_trip", "input": trip, "idempotency_key": "the-other" })
            }
        }
    }

    /// Where the order goes, after all that it needs is there.
    async fn door(self, api: &Api) -> &'static str {
        match self {
            Self::Checkout
            | Self::Approval
            | Self::Parent
            | Self::Retried
            | Self::Trip
            | Self::CancelledTrip => "/v1/executions",
            Self::Triggered => {
                let input = json!({ "order": "A-1", "amount": 1000 });
                let yearly = json!({ "cron": "@yearly", "workflow": "checkout", "input": input });
                insist_on("PUT", api, ("/v1/schedules/yearly", &yearly)).await;
                "/v1/schedules/yearly/trigger"
            }
        }
    }

    async fn tell(self, api: &Api) -> (String, End) {
        let door = self.door(api).await;
        let started = insist(api, door, &self.order()).await;
        assert!(started.is_ok(), "{}", started.body);
        let id = started.body["id"].as_str().unwrap().to_owned();
        match self {
            Self::Checkout | Self::Parent | Self::Triggered | Self::Trip => {}
            Self::CancelledTrip => {
                api.until_recorded(&id, "sleep", 1).await;
                let told = insist(api, &format!("/v1/executions/{id}/cancel"), &json!({})).await;
                assert!(told.is_ok(), "{}", told.body);
            }
            Self::Approval => {
                let path = format!("/v1/executions/{id}/signals/approval?id=once");
                let told = insist(api, &path, &json!({ "by": "ada", "approved": true })).await;
                assert!(told.is_ok() || told.problem() == "execution-ended", "{}", told.body);
            }
            Self::Retried => {
                let first = api.ended(&id).await;
                if first.state == "failed" {
                    let path = format!("/v1/executions/{id}/retry");
                    let told = insist(api, &path, &json!({})).await;
                    assert!(told.is_ok() || told.problem() == "not-in-state", "{}", told.body);
                }
            }
        }
        let end = api.ended(&id).await;
        (id, end)
    }

    /// What is counted, and how often it must have been.
    fn counted(self) -> Option<(&'static str, u64)> {
        match self {
            Self::Checkout | Self::Triggered => Some(("charges", 1)),
            Self::Approval | Self::Parent => None,
            Self::Retried => Some(("ledger", 2)),
            Self::Trip | Self::CancelledTrip => Some(("flight-back", 1)),
        }
    }

    /// How it ends.
    fn state(self) -> &'static str {
        match self {
            Self::Checkout | Self::Approval | Self::Parent | Self::Retried | Self::Triggered => {
                "completed"
            }
            Self::Trip => "failed",
            Self::CancelledTrip => "cancelled",
        }
    }

    /// The calls whose order is seen from outside: what a saga takes back.
    fn is_watched(self, step: &str) -> bool {
        let is_saga = matches!(self, Self::Trip | Self::CancelledTrip);
        is_saga && (step.starts_with("cancel_") || step == "refund")
    }
}

/// Sends it again as long as the host says that it cannot tell.
async fn insist(api: &Api, path: &str, body: &Value) -> Answer {
    insist_on("POST", api, (path, body)).await
}

async fn insist_on(method: &str, api: &Api, (path, body): (&str, &Value)) -> Answer {
    for _ in 0..100 {
        let sent = api.send(method, path, body.to_string()).await;
        let answer = sent.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
        if answer.status != 503 {
            return answer;
        }
    }
    panic!("{method} {path} is answered 503 for ever");
}

/// What can be seen from outside.
#[derive(Debug, PartialEq)]
struct Seen {
    end: End,
    counted: Value,
    undone: Vec<String>,
}

/// What a run under a fault came to.
struct Disturbed {
    seen: Seen,
    fault: Arc<Fault>,
}

/// Runs a program on a host with this fault, and on another one after it where it died.
async fn run(program: Program, fault: Fault) -> Disturbed {
    let fault = Arc::new(fault);
    let settings = Settings { fault: Some(Arc::clone(&fault)), ..Settings::default() };
    let mut host = TestHost::start_with(settings).await;

    let told = tokio::select! {
        told = program.tell(&host) => Some(told),
        () = fault.died() => None,
    };
    let (id, end) = if let Some(told) = told {
        told
    } else {
        host.settings().fault = None;
        host.kill_and_restart().await;
        program.tell(&host).await
    };

    let counters = host.execution(&id).await["counters"].clone();
    let counted = program.counted().map_or(Value::Null, |(name, _)| counters[name].clone());
    let calls = host.recorded(&id, "call").await;
    let steps = calls.iter().map(|call| call["name"].as_str().unwrap_or_default().to_owned());
    let undone = steps.filter(|step| program.is_watched(step)).collect();
    host.audit().await;
    Disturbed { seen: Seen { end, counted, undone }, fault }
}

async fn cannot_be_seen_from_outside(program: Program) {
    let undisturbed = run(program, Fault::none()).await;
    assert_eq!(undisturbed.seen.end.state, program.state(), "{:?}", undisturbed.seen);
    if let Some((_, times)) = program.counted() {
        assert_eq!(undisturbed.seen.counted, times);
    }

    for way in Way::ALL {
        let mut write = 0;
        let mut is_struck = true;
        // A write that travels with another in one run may go by itself in the next, so the end is where none is left.
        while is_struck || write < undisturbed.fault.writes() {
            write += 1;

            let disturbed = run(program, Fault::at(write, way)).await;

            assert_eq!(disturbed.seen, undisturbed.seen, "{program:?} {way:?} write {write}");
            is_struck = disturbed.fault.has_struck();
            assert!(write < 10 * undisturbed.fault.writes(), "{program:?} writes without end");
        }
        println!("{program:?}, {way:?}: died at each of {} writes", write - 1);
    }
}

/// Whatever write the host dies at, the customer is charged once and hears the same answer.
#[tokio::test]
async fn a_death_at_any_write_of_checkout_cannot_be_seen_from_outside() {
    cannot_be_seen_from_outside(Program::Checkout).await;
}

#[tokio::test]
async fn a_death_at_any_write_of_approval_cannot_be_seen_from_outside() {
    cannot_be_seen_from_outside(Program::Approval).await;
}

#[tokio::test]
async fn a_death_at_any_write_of_a_parent_and_its_children_cannot_be_seen_from_outside() {
    cannot_be_seen_from_outside(Program::Parent).await;
}

#[tokio::test]
async fn a_death_at_any_write_of_a_retried_execution_cannot_be_seen_from_outside() {
    cannot_be_seen_from_outside(Program::Retried).await;
}

#[tokio::test]
async fn a_death_at_any_write_of_a_start_by_hand_cannot_be_seen_from_outside() {
    cannot_be_seen_from_outside(Program::Triggered).await;
}

/// Everything that was booked is taken back once, the last thing first.
#[tokio::test]
async fn a_death_at_any_write_of_a_saga_that_fails_cannot_be_seen_from_outside() {
    cannot_be_seen_from_outside(Program::Trip).await;
}

#[tokio::test]
async fn a_death_at_any_write_of_a_saga_that_is_cancelled_cannot_be_seen_from_outside() {
    cannot_be_seen_from_outside(Program::CancelledTrip).await;
}
