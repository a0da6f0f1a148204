//! `durable`: what a workflow can do.

use super::Workflow;
use crate::journal::{Command, Halt, Next};
use crate::model::{Name, Payload, Promise, Said, kind};
use crate::sandbox::bindings::stepwell::workflow::durable::{
    CallOptions, ChildOptions, Host, NothingToWaitFor,
};
use crate::sandbox::bindings::stepwell::workflow::types::Outcome;
use crate::sandbox::guest::{CALL_BYTES_MAX, Guest, Verdict};
use crate::sandbox::words;

/// What a command costs beside being called: the host keeps an entry of it.
const COMMAND_FUEL: u64 = 10_000;
/// What a byte costs that the host has to keep.
const BYTE_FUEL: u64 = 10;
/// Inputs of one `call-many`.
const INPUTS_MAX: usize = 10_000;
/// Promises of one `cancel`.
const CANCELS_MAX: usize = 100_000;
/// The longest `random` at once, in bytes.
const RANDOM_BYTES_MAX: u32 = 4_096;
/// The longest `sleep`: ten years.
const SLEEP_MILLISECONDS_MAX: u64 = 10 * 366 * 24 * 3_600_000;

impl Guest<Workflow> {
    fn issue(&mut self, command: Command, entries: usize) -> wasmtime::Result<u32> {
        self.meter.charge(COMMAND_FUEL.saturating_mul(entries as u64));
        let now = self.world.clock.now();
        match self.world.replay_mut()?.issue(command, now) {
            Ok(promise) => Ok(promise.0),
            Err(Halt::Diverged(divergence)) => Err(Verdict::Diverged(divergence).into()),
            Err(Halt::Exceeded(failure)) => Err(Verdict::Failed(failure).into()),
        }
    }

    fn take_payload(&mut self, what: &str, text: String) -> wasmtime::Result<Payload> {
        self.meter.charge(BYTE_FUEL.saturating_mul(text.len() as u64));
        words::payload(what, text, self.payload_bytes_max)
    }

    /// Hands what was said to the replay. Only where a workflow waits or ends, so that it is the same notes on each replay.
    pub(super) fn hand_over_notes(&mut self) {
        let notes = self.notebook().take();
        self.note_all(notes);
    }

    /// The same at the end.
    pub(super) fn hand_over_last_notes(&mut self) {
        let notes = self.notebook().take_last();
        self.note_all(notes);
    }

    /// What a workflow says has the time of its journal, which is the same on each replay.
    fn note_all(&mut self, notes: Vec<Said>) {
        if let Some(replay) = &mut self.world.replay {
            notes.into_iter().for_each(|said| replay.note(said.note));
        }
    }
}

impl Host for Guest<Workflow> {
    fn call(&mut self, step: String, input: String, options: CallOptions) -> wasmtime::Result<u32> {
        let step = words::name("the name of the step", &step)?;
        let input = self.take_payload("the input of the step", input)?;
        let options = words::call_options(options)?;
        self.issue(Command::Call { step, input, options }, 1)
    }

    fn call_many(
        &mut self,
        step: String,
        inputs: Vec<String>,
        options: CallOptions,
    ) -> wasmtime::Result<u32> {
        let bytes: usize = inputs.iter().map(String::len).sum();
        if inputs.is_empty() || inputs.len() > INPUTS_MAX || bytes > CALL_BYTES_MAX {
            let what = format!(
                "call-many was given {} inputs of {bytes} bytes: it takes 1 to {INPUTS_MAX} of at most \
                 {CALL_BYTES_MAX} bytes together; split them",
                inputs.len()
            );
            return Err(Verdict::failed(kind::TRAPPED, what));
        }
        let step = words::name("the name of the step", &step)?;
        let options = words::call_options(options)?;
        let inputs = inputs
            .into_iter()
            .map(|input| self.take_payload("an input of the step", input))
            .collect::<wasmtime::Result<Vec<_>>>()?;
        let entries = inputs.len();
        self.issue(Command::CallMany { step, inputs, options }, entries)
    }

    fn start_child(
        &mut self,
        workflow: String,
        input: String,
        options: ChildOptions,
    ) -> wasmtime::Result<u32> {
        let workflow = words::name("the name of the workflow", &workflow)?;
        let input = self.take_payload("the input of the child", input)?;
        let options = words::child_options(options)?;
        self.issue(Command::StartChild { workflow, input, options }, 1)
    }

    fn sleep(&mut self, milliseconds: u64) -> wasmtime::Result<u32> {
        if milliseconds > SLEEP_MILLISECONDS_MAX {
            let what = format!(
                "a sleep of {milliseconds} ms is longer than ten years: sleep again when it has fired"
            );
            return Err(Verdict::failed(kind::TRAPPED, what));
        }
        self.issue(Command::Sleep { milliseconds }, 1)
    }

    fn receive(&mut self, signal: String) -> wasmtime::Result<u32> {
        let signal: Name = words::name("the name of the signal", &signal)?;
        self.issue(Command::Receive { signal }, 1)
    }

    fn cancel(&mut self, promises: Vec<u32>) -> wasmtime::Result<()> {
        if promises.len() > CANCELS_MAX {
            let what =
                format!("cancel was given {} promises: it takes {CANCELS_MAX}", promises.len());
            return Err(Verdict::failed(kind::TRAPPED, what));
        }
        let entries = promises.len();
        let promises = promises.into_iter().map(Promise).collect();
        self.issue(Command::Cancel { promises }, entries).map(|_none| ())
    }

    /// Gives the replay away while nothing can settle, and takes it back with what has arrived.
    async fn next(&mut self) -> wasmtime::Result<Result<(u32, Outcome), NothingToWaitFor>> {
        self.hand_over_notes();
        loop {
            match self.world.replay_mut()?.next().map_err(Verdict::Diverged)? {
                Next::Settled(promise, outcome) => {
                    let budget = self.world.segment_budget();
                    self.meter.begin_segment(budget);
                    self.world.pace.turn_page();
                    return Ok(Ok((promise.0, words::outcome(outcome))));
                }
                Next::Nothing => return Ok(Err(NothingToWaitFor::NothingToWaitFor)),
                Next::Wait => self.world.wait().await?,
            }
        }
    }

    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(u64::try_from(self.world.now().as_micros()).unwrap_or(0))
    }

    fn random(&mut self, length: u32) -> wasmtime::Result<Vec<u8>> {
        if length > RANDOM_BYTES_MAX {
            let what = format!(
                "random was asked for {length} bytes: it gives {RANDOM_BYTES_MAX} at once; ask again"
            );
            return Err(Verdict::failed(kind::TRAPPED, what));
        }
        Ok(self.world.replay_mut()?.random(length as usize))
    }

    fn continue_as_new(&mut self, input: String) -> wasmtime::Result<()> {
        let input = self.take_payload("the input of the next run", input)?;
        self.issue(Command::ContinueAsNew { input }, 1).map(|_none| ())
    }
}
