//! `context` in a workflow: what it says is noted once, however often it is replayed.

use super::Workflow;
use crate::model::kind;
use crate::sandbox::bindings::stepwell::workflow::context::{ExecutionInfo, Host};
use crate::sandbox::bindings::stepwell::workflow::types::Level;
use crate::sandbox::guest::{Guest, Verdict};
use crate::sandbox::say;

impl Host for Guest<Workflow> {
    fn info(&mut self) -> wasmtime::Result<ExecutionInfo> {
        let replay = self.world.replay_mut()?;
        Ok(ExecutionInfo {
            execution: replay.execution().to_string(),
            run: replay.run().0,
            workflow: replay.workflow().to_string(),
            step: None,
            attempt: 0,
            deadline: None,
        })
    }

    fn idempotency_key(&mut self, _label: String) -> wasmtime::Result<String> {
        Err(only_in_steps("idempotency-key"))
    }

    fn heartbeat(&mut self, _detail: String) -> wasmtime::Result<()> {
        Err(only_in_steps("heartbeat"))
    }

    fn last_heartbeat(&mut self) -> wasmtime::Result<Option<String>> {
        Err(only_in_steps("last-heartbeat"))
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

fn only_in_steps(function: &str) -> wasmtime::Error {
    let what = format!("{function} is of use in a step only: move what needs it to a step");
    Verdict::failed(kind::TRAPPED, what)
}
