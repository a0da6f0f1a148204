//! How an execution ended.

use serde_json::Value;
use stepwell::model::{ExecutionState, Failure};

/// How an execution ended, or that it is blocked.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// `completed`, `failed`, `timed_out`, `cancelled`; or `blocked`, where a replay did something else than before.
    pub state: ExecutionState,
    /// What it returned, or why it failed.
    pub outcome: Result<Value, Failure>,
}

impl End {
    /// What it returned.
    ///
    /// # Panics
    /// Where it did not complete.
    #[track_caller]
    pub fn value(self) -> Value {
        match self.outcome {
            Ok(value) if self.state == ExecutionState::Completed => value,
            Ok(value) => panic!("the execution {}, with {value}", self.state.predicate()),
            Err(failure) => panic!("the execution {}: {failure}", self.state.predicate()),
        }
    }

    /// Why it failed, was cancelled, or timed out.
    ///
    /// # Panics
    /// Where it completed.
    #[track_caller]
    pub fn failure(self) -> Failure {
        match self.outcome {
            Ok(value) => panic!("the execution completed, with {value}"),
            Err(failure) => failure,
        }
    }
}
