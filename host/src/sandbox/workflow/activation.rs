//! One activation: an instance from its beginning to its end, with the waits between.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::FutureExt;
use tokio::sync::mpsc;
use wasmtime::Store;

use super::Workflow;
use super::pace::{self, Late, Pace};
use super::wasi::Seed;
use crate::journal::{Divergence, Replay};
use crate::model::{Failure, Outcome};
use crate::sandbox::fault::{self, Budget, Fault};
use crate::sandbox::guest::{self, Guest};
use crate::sandbox::threads::Task;
use crate::sandbox::{Module, Sandbox, SandboxError, words};

/// What a workflow's guest does next.
#[derive(Debug)]
pub enum Turn {
    /// It is inside `next`, and nothing recorded can settle. Admit arrivals and give the replay back with
    /// [`WorkflowGuest::resume`], or drop the guest.
    Waits(Replay),
    /// It returned, having used so many units of fuel in this activation.
    Returned(Replay, Outcome, u64),
    /// It ended without an answer, having used so many units of fuel.
    Broke(Replay, Broken, u64),
    /// Its task is gone, and the replay with it: begin the activation again from the store.
    Lost(SandboxError),
}

/// Why a workflow's guest ended without an answer.
#[derive(Debug)]
pub enum Broken {
    /// It did something else than its journal says: the execution is blocked.
    Diverged(Divergence),
    /// Its own fault, such as a trap or a segment without end: the execution fails. The backtrace is in the details.
    Failed(Failure),
    /// A segment took too long by the wall clock. Says nothing about the workflow: begin the activation again.
    Stuck,
    /// This host's fault: begin the activation again, here or elsewhere.
    Host(SandboxError),
}

/// A workflow's instance. Dropping it drops the instance.
#[derive(Debug)]
pub struct WorkflowGuest {
    turns: mpsc::Receiver<Turn>,
    resume: mpsc::Sender<Replay>,
    memory: Arc<AtomicU64>,
    _task: Task<()>,
}

impl WorkflowGuest {
    /// Waits for what the guest does next. Loses nothing when dropped.
    pub async fn turn(&mut self) -> Turn {
        let turn = self.turns.recv().await;
        turn.unwrap_or_else(|| {
            Turn::Lost(SandboxError::Gone {
                what: "this host stops, or the guest ended".to_owned(),
            })
        })
    }

    /// Gives the replay back to a guest that waits.
    pub fn resume(&mut self, replay: Replay) {
        // It fails only where the task is gone, which the next turn tells.
        let _given = self.resume.try_send(replay);
    }

    /// The linear memory that the instance holds, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }
}

/// Begins an activation on the guests' threads.
pub(in crate::sandbox) fn begin(
    sandbox: &Sandbox,
    module: &Module,
    replay: Replay,
) -> WorkflowGuest {
    let shared = sandbox.shared();
    let (turn, turns) = mpsc::channel(1);
    let (resume, resumed) = mpsc::channel(1);
    let pace = Arc::new(Pace::default());
    let world = Workflow {
        seed: Seed::new(replay.wasi_seed()),
        replay: Some(replay),
        turns: turn.clone(),
        resumed,
        pace: Arc::clone(&pace),
        clock: Arc::clone(&shared.clock),
        segment_fuel: shared.limits.segment_fuel,
    };
    let budget = world.segment_budget();
    let guest = Guest::new(world, budget, shared);
    let memory = guest.bounds.watch();
    let segment_max = shared.limits.segment_time_max;
    let (engine, module) = (shared.engine.clone(), module.clone());
    let task = shared.threads.begin(async move {
        let mut store = match guest::store(&engine, guest) {
            Ok(store) => store,
            Err(error) => {
                let lost = SandboxError::set_up("a store", error);
                return tell(&turn, Turn::Lost(lost)).await;
            }
        };
        let run = AssertUnwindSafe(run(&mut store, &module)).catch_unwind();
        let ended = pace::drive(run, pace, segment_max).await;
        if let Some(last) = conclude(store, ended) {
            tell(&turn, last).await;
        }
    });
    WorkflowGuest { turns, resume, memory, _task: task }
}

async fn tell(turns: &mpsc::Sender<Turn>, turn: Turn) {
    // It fails only where the guest was dropped: nobody wants to know.
    let _told = turns.send(turn).await;
}

async fn run(store: &mut Store<Guest<Workflow>>, module: &Module) -> wasmtime::Result<Outcome> {
    let (workflow, input) = {
        let replay = store.data_mut().world.replay_mut()?;
        (replay.workflow().as_str().to_owned(), replay.input().as_str().to_owned())
    };
    let instance = module.workflow().instantiate_async(&mut *store).await?;
    let guest = instance.stepwell_workflow_guest();
    let outcome = guest.call_run_workflow(&mut *store, &workflow, &input).await?;
    Ok(words::returned(outcome, store.data().payload_bytes_max))
}

type Ended = Result<std::thread::Result<wasmtime::Result<Outcome>>, Late>;

/// The last turn. None where the replay is with an owner who has dropped the guest.
fn conclude(mut store: Store<Guest<Workflow>>, ended: Ended) -> Option<Turn> {
    let left = store.get_fuel().unwrap_or(0);
    let used = store.data().meter.used(left);
    let verdict = match ended {
        Ok(Ok(Ok(outcome))) => Ok(outcome),
        Ok(Ok(Err(error))) => match fault::blame(error, &store, Budget::Segment) {
            Fault::Failed(failure) => Err(Broken::Failed(failure)),
            Fault::Diverged(divergence) => Err(Broken::Diverged(divergence)),
            Fault::Abandoned => return None,
            Fault::Host(error) => Err(Broken::Host(error)),
        },
        Ok(Err(_panic)) => {
            let what = "the host panicked while it ran this guest".to_owned();
            tracing::error!("A panic of this host was caught while it ran a workflow");
            Err(Broken::Host(SandboxError::Gone { what }))
        }
        Err(Late) => Err(Broken::Stuck),
    };
    let guest = store.data_mut();
    guest.hand_over_last_notes();
    let replay = guest.world.replay.take()?;
    Some(match verdict {
        Ok(outcome) => Turn::Returned(replay, outcome, used),
        Err(broken) => Turn::Broke(replay, broken, used),
    })
}
