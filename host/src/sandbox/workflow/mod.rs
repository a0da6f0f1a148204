//! A workflow as a guest: its world, and the one import that waits.
//!
//! The [`Replay`] lives in the store while the guest runs. Where nothing recorded can settle, `next` gives it away through a
//! channel, as [`Turn::Waits`], and the guest's fiber stays suspended until it comes back. So there is one owner at any
//! time, and no lock.

mod activation;
mod context;
mod durable;
mod pace;
mod wasi;

pub(super) use activation::begin;
pub use activation::{Broken, Turn, WorkflowGuest};

use std::sync::Arc;

use tokio::sync::mpsc;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use self::pace::Pace;
use self::wasi::Seed;
use super::bindings::Module as World;
use super::guest::{Guest, Verdict};
use crate::journal::Replay;
use crate::model::{Clock, Timestamp};

/// What only a workflow has.
pub(super) struct Workflow {
    /// Here while the guest runs, with the owner while it waits.
    replay: Option<Replay>,
    turns: mpsc::Sender<Turn>,
    resumed: mpsc::Receiver<Replay>,
    pace: Arc<Pace>,
    clock: Arc<dyn Clock>,
    seed: Seed,
    segment_fuel: u64,
}

impl Workflow {
    fn replay_mut(&mut self) -> wasmtime::Result<&mut Replay> {
        self.replay.as_mut().ok_or_else(|| Verdict::Abandoned.into())
    }

    /// The recorded time of the last delivered event.
    fn now(&self) -> Timestamp {
        self.replay.as_ref().map_or_else(Timestamp::default, Replay::now)
    }

    /// A recorded segment is not judged: it may use twice what a live one may.
    fn segment_budget(&self) -> u64 {
        match &self.replay {
            Some(replay) if !replay.is_live() => self.segment_fuel.saturating_mul(2),
            Some(_) | None => self.segment_fuel,
        }
    }

    /// Gives the replay to the owner and waits until it comes back with something that may settle.
    async fn wait(&mut self) -> wasmtime::Result<()> {
        let replay = self.replay.take().ok_or(Verdict::Abandoned)?;
        self.pace.rest();
        self.turns.send(Turn::Waits(replay)).await.map_err(|_gone| Verdict::Abandoned)?;
        let replay = self.resumed.recv().await.ok_or(Verdict::Abandoned)?;
        self.replay = Some(replay);
        self.pace.go_on();
        Ok(())
    }
}

/// The linker of workflows: no I/O, and time and randomness from the journal.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest<Workflow>>> {
    let mut linker = Linker::new(engine);
    wasi::link(&mut linker)?;
    World::add_to_linker::<_, HasSelf<Guest<Workflow>>>(&mut linker, |guest| guest)?;
    Ok(linker)
}
