//! An owner as small as can be: it plays a workflow against its journal, answers its calls, and keeps what is written.

use stepwell::journal::{Arrival, Body, Effect, Entry, Replay, Started};
use stepwell::model::{
    ExecutionId, Name, Note, Outcome, Payload, Promise, Run, Seq, StepUsage, Timestamp,
};
use stepwell::sandbox::{Broken, Module, Sandbox, Turn, WorkflowGuest};

use crate::house;

/// When the played executions began.
pub(crate) const BEGAN: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// A workflow and all that was written of it.
pub(crate) struct Play {
    pub(crate) entries: Vec<Entry>,
    pub(crate) notes: Vec<Note>,
    now: Timestamp,
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum End {
    Returned(Outcome, u64),
    Broke(Broken, u64),
}

impl Play {
    pub(crate) fn new(workflow: &str, input: &str) -> Self {
        let started = Started {
            workflow: Name::new(workflow).unwrap(),
            input: Payload::new(input.to_owned(), 1 << 20).unwrap(),
            seed: [9; 32],
        };
        let body = Body::Started(started);
        let entry = Entry { seq: Seq(1), run: Run(0), recorded_at: BEGAN, noted: 0, body };
        Self { entries: vec![entry], notes: Vec::new(), now: BEGAN }
    }

    /// Its journal so far, from the beginning.
    pub(crate) fn replay(&self) -> Replay {
        let execution = ExecutionId::from_bytes([7; 16]);
        Replay::new(execution, Run(0), self.entries.clone(), &house::limits()).unwrap()
    }

    /// Plays it to its end. Each step echoes its input; the signal `go` comes when nothing else can.
    pub(crate) async fn finish(&mut self) -> End {
        self.finish_in(house::sandbox(), house::misbehaving().await).await
    }

    pub(crate) async fn finish_in(&mut self, sandbox: &Sandbox, module: &Module) -> End {
        let mut guest = sandbox.run_workflow(module, self.replay());
        self.go_on(&mut guest).await
    }

    pub(crate) async fn go_on(&mut self, guest: &mut WorkflowGuest) -> End {
        loop {
            match guest.turn().await {
                Turn::Waits(mut replay) => {
                    self.answer(&mut replay);
                    self.write(&mut replay);
                    guest.resume(replay);
                }
                Turn::Returned(mut replay, outcome, fuel) => {
                    self.write(&mut replay);
                    return End::Returned(outcome, fuel);
                }
                Turn::Broke(mut replay, broken, fuel) => {
                    self.write(&mut replay);
                    return End::Broke(broken, fuel);
                }
                Turn::Lost(error) => panic!("the guest was lost: {error}"),
            }
        }
    }

    pub(crate) fn answer(&mut self, replay: &mut Replay) {
        self.now = self.now + std::time::Duration::from_secs(1);
        let effects = replay.take_effects();
        let mut arrivals = Vec::new();
        for effect in effects {
            match effect {
                Effect::Call { promise, input, .. } | Effect::Child { promise, input, .. } => {
                    arrivals.push(settled(promise, Ok(input)));
                }
            }
        }
        if arrivals.is_empty() {
            let signal = Name::new("go").unwrap();
            arrivals.push(Arrival::Signal { signal, payload: Payload::null(), id: None });
        }
        for arrival in arrivals {
            replay.admit(arrival, self.now);
        }
    }

    fn write(&mut self, replay: &mut Replay) {
        let pending = replay.take_pending(self.now);
        self.entries.extend(pending.entries);
        self.notes.extend(pending.notes);
    }
}

fn settled(promise: Promise, outcome: Outcome) -> Arrival {
    Arrival::Settled { run: Run(0), promise, outcome, usage: StepUsage::default(), attempt: 1 }
}

impl End {
    /// What it returned.
    pub(crate) fn returned(&self) -> &str {
        match self {
            Self::Returned(Ok(payload), _) => payload.as_str(),
            other => panic!("it did not return a value: {other:?}"),
        }
    }

    /// What it failed with, returned or not.
    pub(crate) fn failure(&self) -> &stepwell::model::Failure {
        match self {
            Self::Returned(Err(failure), _) | Self::Broke(Broken::Failed(failure), _) => failure,
            other => panic!("it did not fail: {other:?}"),
        }
    }

    pub(crate) fn fuel(&self) -> u64 {
        match self {
            Self::Returned(_, fuel) | Self::Broke(_, fuel) => *fuel,
        }
    }
}
