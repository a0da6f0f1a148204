//! What stands in for steps, and what was asked of them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use stepwell::model::{ExecutionId, Failure, Name, Outcome};

/// One attempt of a step, as a test sees it.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The execution that called.
    pub execution: ExecutionId,
    /// Its workflow.
    pub workflow: String,
    /// The step.
    pub step: String,
    /// Its argument.
    pub input: Value,
    /// From 1. An attempt that was lost with its host is made again under the same number.
    pub number: u32,
    /// What [`stepwell::context::heartbeat`](https://docs.rs/stepwell-sdk) left in the attempt before.
    pub last_heartbeat: Option<Value>,
    /// What it ended with; none where it was lost, stopped, or is still running.
    pub outcome: Option<Outcome>,
}

/// What a replaced step does.
pub(crate) type Replacement = Box<dyn FnMut(&Attempt) -> Result<Value, Failure>>;

/// What was said about one step.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) replacement: Option<Replacement>,
    pub(crate) fails: Option<Fails>,
    pub(crate) takes: Duration,
}

/// A failure, of every attempt or of the first ones.
#[derive(Debug, Clone)]
pub(crate) struct Fails {
    pub(crate) times: u32,
    pub(crate) failure: Failure,
}

/// What was said about all steps. Shared by a test host and those that are made from it.
#[derive(Clone, Default)]
pub(crate) struct Scripts(Rc<RefCell<BTreeMap<Name, Script>>>);

impl Scripts {
    pub(crate) fn change(&self, step: &Name, change: impl FnOnce(&mut Script)) {
        change(self.0.borrow_mut().entry(step.clone()).or_default());
    }

    pub(crate) fn takes(&self, step: &Name) -> Duration {
        self.0.borrow().get(step).map_or(Duration::ZERO, |script| script.takes)
    }

    /// What an attempt fails with, before it is run; `made` were made before.
    pub(crate) fn failure(&self, step: &Name, made: u32) -> Option<Failure> {
        let scripts = self.0.borrow();
        let fails = scripts.get(step)?.fails.as_ref()?;
        (made < fails.times).then(|| fails.failure.clone())
    }

    /// What stands in for the step; none where it is to run.
    pub(crate) fn replaced(
        &self,
        step: &Name,
        attempt: &Attempt,
    ) -> Option<Result<Value, Failure>> {
        // Taken out while it runs, so that it may speak about steps itself.
        let mut replacement = self.0.borrow_mut().get_mut(step)?.replacement.take()?;
        let answer = replacement(attempt);
        if let Some(script) = self.0.borrow_mut().get_mut(step) {
            script.replacement.get_or_insert(replacement);
        }
        Some(answer)
    }
}

impl std::fmt::Debug for Scripts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.borrow().keys()).finish()
    }
}
