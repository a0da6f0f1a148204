//! `context` in a step.

use sha2::{Digest, Sha256};

use super::Step;
use crate::model::{StepCall, kind};
use crate::sandbox::bindings::stepwell::workflow::context::{ExecutionInfo, Host};
use crate::sandbox::bindings::stepwell::workflow::types::Level;
use crate::sandbox::guest::{Guest, Verdict};
use crate::sandbox::{say, words};

/// The longest label of an idempotency key, in bytes.
const LABEL_BYTES_MAX: usize = 1 << 10;

impl Guest<Step> {
    fn call_of_step(&self) -> wasmtime::Result<&StepCall> {
        self.world.call.as_ref().ok_or_else(|| {
            Verdict::failed(
                kind::TRAPPED,
                "describe may only describe: move what needs a context to a step",
            )
        })
    }
}

impl Host for Guest<Step> {
    fn info(&mut self) -> wasmtime::Result<ExecutionInfo> {
        let call = self.call_of_step()?;
        Ok(ExecutionInfo {
            execution: call.execution.to_string(),
            run: call.run.0,
            workflow: call.workflow.to_string(),
            step: Some(call.step.to_string()),
            attempt: call.attempt,
            deadline: u64::try_from(call.deadline.as_micros()).ok(),
        })
    }

    /// A hash, so that it has one length and no character that a header or an address would refuse.
    fn idempotency_key(&mut self, label: String) -> wasmtime::Result<String> {
        if label.len() > LABEL_BYTES_MAX {
            let what = format!(
                "the label of the idempotency key has {} bytes, at most {LABEL_BYTES_MAX} are allowed: use a short name",
                label.len()
            );
            return Err(Verdict::failed(kind::TRAPPED, what));
        }
        let call = self.call_of_step()?;
        let hash: [u8; 32] = Sha256::new()
            .chain_update(b"stepwell:idempotency-key:")
            .chain_update(call.execution.as_bytes())
            .chain_update(call.run.0.to_be_bytes())
            .chain_update(call.promise.0.to_be_bytes())
            .chain_update(label)
            .finalize()
            .into();
        let half = hash.first_chunk().map_or(0, |half| u128::from_be_bytes(*half));
        Ok(format!("{half:032x}"))
    }

    fn heartbeat(&mut self, detail: String) -> wasmtime::Result<()> {
        self.call_of_step()?;
        self.meter.charge(detail.len() as u64);
        let detail = words::payload("the detail of the heartbeat", detail, self.payload_bytes_max)?;
        self.world.heartbeat = Some(detail);
        Ok(())
    }

    fn last_heartbeat(&mut self) -> wasmtime::Result<Option<String>> {
        let last = self.call_of_step()?.last_heartbeat.as_ref();
        Ok(last.map(|detail| detail.as_str().to_owned()))
    }

    fn counter_add(&mut self, name: String, amount: i64) -> wasmtime::Result<()> {
        say::count(self, &name, amount)
    }

    fn set_state(&mut self, key: String, value: String) -> wasmtime::Result<()> {
        say::set(self, &key, value)
    }

    fn progress(&mut self, text: String) -> wasmtime::Result<()> {
        say::progress(self, &text)
    }

    fn log(&mut self, level: Level, message: String, fields: String) -> wasmtime::Result<()> {
        say::log(self, level, &message, fields)
    }
}
