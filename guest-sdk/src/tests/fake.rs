//! A host that answers by a script.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;

use crate::Failure;
use crate::durable::{CallOptions, ChildOptions, Durable, Promise};
use crate::executor::{Ending, run_workflow};
use crate::promise::Outcome;

/// What a workflow asked, one text for each command, and what it is answered.
#[derive(Clone, Default)]
pub(super) struct Host(Rc<RefCell<Script>>);

#[derive(Default)]
struct Script {
    promises: Promise,
    asked: Vec<String>,
    options: Vec<CallOptions>,
    settlements: VecDeque<(Promise, Outcome)>,
    echoing: bool,
}

impl Host {
    /// A host that settles these promises with these values, in this order, and then says that there is nothing left.
    pub(super) fn answering(
        settlements: impl IntoIterator<Item = (Promise, &'static str)>,
    ) -> Self {
        let host = Self::default();
        for (promise, json) in settlements {
            host.0.borrow_mut().settlements.push_back((promise, Ok(json.to_owned())));
        }
        host
    }

    /// A host whose every step returns its input, in the order of the calls.
    pub(super) fn echoing() -> Self {
        let host = Self::default();
        host.0.borrow_mut().echoing = true;
        host
    }

    /// Then it fails this promise.
    pub(super) fn failing(self, promise: Promise, kind: &str) -> Self {
        let failure = Failure::new(kind, "as the script says");
        self.0.borrow_mut().settlements.push_back((promise, Err(failure)));
        self
    }

    /// And then it settles these.
    pub(super) fn then(
        self,
        settlements: impl IntoIterator<Item = (Promise, &'static str)>,
    ) -> Self {
        for (promise, json) in settlements {
            self.0.borrow_mut().settlements.push_back((promise, Ok(json.to_owned())));
        }
        self
    }

    /// Runs a workflow on this host.
    pub(super) fn run<F>(&self, workflow: impl FnOnce() -> F) -> Outcome
    where
        F: Future<Output = Result<String, Failure>>,
    {
        match self.end(workflow) {
            Ending::Returned(outcome) | Ending::Continued(outcome) => outcome,
        }
    }

    /// The same, with how it ended.
    pub(super) fn end<F>(&self, workflow: impl FnOnce() -> F) -> Ending
    where
        F: Future<Output = Result<String, Failure>>,
    {
        run_workflow(Box::new(self.clone()), workflow)
    }

    /// What was asked so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.0.borrow().asked.clone()
    }

    /// The options of the calls so far.
    pub(super) fn options(&self) -> Vec<CallOptions> {
        self.0.borrow().options.clone()
    }

    fn ask(&self, what: String, promises: usize) -> Promise {
        let mut script = self.0.borrow_mut();
        script.asked.push(what);
        let first = script.promises;
        script.promises += Promise::try_from(promises).unwrap();
        first
    }

    fn echo(&self, promise: Promise, input: &str) {
        let mut script = self.0.borrow_mut();
        if script.echoing {
            script.settlements.push_back((promise, Ok(input.to_owned())));
        }
    }
}

impl Durable for Host {
    fn call(&self, step: &str, input: &str, options: &CallOptions) -> Promise {
        self.0.borrow_mut().options.push(options.clone());
        let promise = self.ask(format!("call {step} {input}"), 1);
        self.echo(promise, input);
        promise
    }

    fn call_many(&self, step: &str, inputs: &[String], options: &CallOptions) -> Promise {
        self.0.borrow_mut().options.push(options.clone());
        let first = self.ask(format!("call-many {step} x {}", inputs.len()), inputs.len());
        for (promise, input) in (first..).zip(inputs) {
            self.echo(promise, input);
        }
        first
    }

    fn start_child(&self, workflow: &str, input: &str, options: &ChildOptions) -> Promise {
        let detached = if options.detached { " detached" } else { "" };
        let key = options.idempotency_key.as_ref().map(|key| format!(" as {key}"));
        self.ask(format!("start {workflow} {input}{detached}{}", key.unwrap_or_default()), 1)
    }

    fn sleep(&self, milliseconds: u64) -> Promise {
        self.ask(format!("sleep {milliseconds}"), 1)
    }

    fn receive(&self, signal: &str) -> Promise {
        self.ask(format!("receive {signal}"), 1)
    }

    fn cancel(&self, promises: &[Promise]) {
        self.ask(format!("cancel {promises:?}"), 0);
    }

    fn next(&self) -> Option<(Promise, Outcome)> {
        let settlement = self.0.borrow_mut().settlements.pop_front();
        if !self.0.borrow().echoing {
            self.ask("next".to_owned(), 0);
        }
        settlement
    }

    fn now(&self) -> u64 {
        1_000_000
    }

    fn random(&self, length: u32) -> Vec<u8> {
        self.ask(format!("random {length}"), 0);
        vec![7; usize::try_from(length).unwrap()]
    }

    fn continue_as_new(&self, input: &str) {
        self.ask(format!("continue-as-new {input}"), 0);
    }
}
