//! `durable` in a step: only workflows coordinate.

use super::Step;
use crate::model::kind;
use crate::sandbox::bindings::stepwell::workflow::durable::{
    CallOptions, ChildOptions, Host, NothingToWaitFor,
};
use crate::sandbox::bindings::stepwell::workflow::types::Outcome;
use crate::sandbox::guest::{Guest, Verdict};

impl Host for Guest<Step> {
    fn call(&mut self, _: String, _: String, _: CallOptions) -> wasmtime::Result<u32> {
        Err(only_in_workflows("call"))
    }

    fn call_many(&mut self, _: String, _: Vec<String>, _: CallOptions) -> wasmtime::Result<u32> {
        Err(only_in_workflows("call-many"))
    }

    fn start_child(&mut self, _: String, _: String, _: ChildOptions) -> wasmtime::Result<u32> {
        Err(only_in_workflows("start-child"))
    }

    fn sleep(&mut self, _: u64) -> wasmtime::Result<u32> {
        Err(only_in_workflows("sleep"))
    }

    fn receive(&mut self, _: String) -> wasmtime::Result<u32> {
        Err(only_in_workflows("receive"))
    }

    fn cancel(&mut self, _: Vec<u32>) -> wasmtime::Result<()> {
        Err(only_in_workflows("cancel"))
    }

    async fn next(&mut self) -> wasmtime::Result<Result<(u32, Outcome), NothingToWaitFor>> {
        Err(only_in_workflows("next"))
    }

    fn now(&mut self) -> wasmtime::Result<u64> {
        Err(only_in_workflows("now"))
    }

    fn random(&mut self, _: u32) -> wasmtime::Result<Vec<u8>> {
        Err(only_in_workflows("random"))
    }

    fn continue_as_new(&mut self, _: String) -> wasmtime::Result<()> {
        Err(only_in_workflows("continue-as-new"))
    }
}

fn only_in_workflows(function: &str) -> wasmtime::Error {
    let what = format!("durable.{function} is not available in a step: move it to a workflow");
    Verdict::failed(kind::TRAPPED, what)
}
