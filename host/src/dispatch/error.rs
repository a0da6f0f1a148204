//! Why an order is refused.

use serde::Serialize;

use crate::model::{ExecutionId, ExecutionState, KeyId, Name, Reach, Standing, TaskId};
use crate::sandbox::{AdmitError, Refusal, SandboxError};
use crate::store::StoreError;

/// Why an order is refused. A variant is a different thing for the caller to do.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// Look for its id in the list.
    #[error("there is no execution {0}")]
    UnknownExecution(ExecutionId),
    /// Deploy the module that has it, or mend the name.
    #[error("no active module has a workflow {workflow:?}")]
    UnknownWorkflow {
        /// What was asked for.
        workflow: String,
    },
    /// Name another workflow, or another module.
    #[error("module {module} has no workflow {workflow:?}")]
    NotInModule {
        /// What was asked for.
        workflow: String,
        /// The module that was named.
        module: String,
    },
    /// Say which module is meant.
    #[error("workflow {workflow} is in several active modules ({}): name the one that is meant as `module`", .modules.join(", "))]
    Ambiguous {
        /// What was asked for.
        workflow: Name,
        /// Who has it.
        modules: Vec<String>,
    },
    /// Deploy it, or mend the name or digest.
    #[error("there is no module {0}")]
    UnknownModule(String),
    /// Look for its id in the list.
    #[error("there is no dead letter {0}")]
    UnknownDeadLetter(i64),
    /// It has ended, or look for its id in the list.
    #[error("there is no task {0}: it has ended, or there never was one")]
    UnknownTask(TaskId),
    /// Look for its name in the list.
    #[error("there is no schedule {0}")]
    UnknownSchedule(Name),
    /// Remove some that nobody needs.
    #[error("there are {max} schedules already (schedules_max)")]
    SchedulesFull {
        /// The limit.
        max: usize,
    },
    /// Try again when nobody changes it any more.
    #[error("schedule {0} is being changed by others")]
    ScheduleChanging(Name),
    /// Mend the input.
    #[error("the input does not fit the schema of workflow {workflow}")]
    InvalidInput {
        /// Whose schema.
        workflow: Name,
        /// What does not fit, each at its JSON pointer.
        breaches: Vec<SchemaBreach>,
    },
    /// Send less, or have the limit raised.
    #[error("{what} has {bytes} bytes, at most {max} are allowed ({limit})")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its length.
        bytes: u64,
        /// What is allowed.
        max: u64,
        /// The limit's name.
        limit: &'static str,
    },
    /// Look at the list of keys.
    #[error("there is no key {0}")]
    UnknownKey(KeyId),
    /// Mend that value.
    #[error("{what} is {value}, it must be {bounds}")]
    OutOfBounds {
        /// Which.
        what: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        bounds: String,
    },
    /// Mend the module: it is no component of our world, or declares what makes no sense.
    #[error("the module is refused: {reason}")]
    ModuleRefused {
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// Grant it, or deploy without `strict`.
    #[error("module {module} wants what it is not granted: {}", Reach::read_kept(&standing.missing))]
    NotGranted {
        /// Whose.
        module: Name,
        /// How it would stand.
        standing: Box<Standing>,
    },
    /// Use another key, or send the input of the first start.
    #[error("execution {0} was started with this idempotency key and another input")]
    IdempotencyConflict(ExecutionId),
    /// Too late: start another one.
    #[error("execution {execution} has ended: it {}", state.predicate())]
    Ended {
        /// Which.
        execution: ExecutionId,
        /// How.
        state: ExecutionState,
    },
    /// Wait until it is in another state.
    #[error("execution {execution} {}, and so cannot be tried again", state.predicate())]
    NotRevivable {
        /// Which.
        execution: ExecutionId,
        /// How it stands.
        state: ExecutionState,
    },
    /// Leave the module away, or start another execution with it.
    #[error(
        "execution {execution} {}: only a blocked execution can go on with another module",
        state.predicate()
    )]
    NotBlocked {
        /// Which.
        execution: ExecutionId,
        /// How it stands.
        state: ExecutionState,
    },
    /// Nothing to be done: discard the dead letter.
    #[error(
        "execution {execution} went on after this failure: going back would undo what it did since"
    )]
    WentOn {
        /// Which.
        execution: ExecutionId,
    },
    /// Retry the parent: it starts the child anew.
    #[error(
        "execution {execution} is a child of {parent}, which was told of its failure and would not hear of it again: retry the parent"
    )]
    ParentTold {
        /// The child.
        execution: ExecutionId,
        /// Its parent.
        parent: ExecutionId,
    },
    /// Wait until the workflow has received some, or stop sending.
    #[error(
        "execution {execution} has {max} signals that it has not received (unreceived_signals_max)"
    )]
    SignalsFull {
        /// Which.
        execution: ExecutionId,
        /// The limit.
        max: usize,
    },
    /// Come again later, or ask another host.
    #[error("{max} journals are followed on this host already (followers_max)")]
    FollowersFull {
        /// The limit.
        max: usize,
    },
    /// The start may have been accepted or not: send it again with the same idempotency key.
    #[error("nobody knows whether execution {execution} was accepted: the database broke off")]
    Uncertain {
        /// The id it has if it was.
        execution: ExecutionId,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The host cannot compile now: its own fault.
    #[error("this host could not examine the module")]
    Sandbox(#[source] SandboxError),
    /// What the store says.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DispatchError {
    /// Whether it is about what was ordered and nothing else: of many orders the others can still be carried out.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::UnknownExecution(_)
                | Self::UnknownDeadLetter(_)
                | Self::NotRevivable { .. }
                | Self::WentOn { .. }
                | Self::ParentTold { .. }
        )
    }
}

/// One place where an input does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SchemaBreach {
    /// The JSON pointer (RFC 6901); empty for the whole input.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl From<AdmitError> for DispatchError {
    fn from(error: AdmitError) -> Self {
        match error {
            AdmitError::Refused(Refusal::Large { bytes, max }) => {
                super::bounds::too_large("the module", bytes, max, "module_bytes_max")
            }
            AdmitError::Refused(refusal) => Self::ModuleRefused { reason: with_causes(&refusal) },
            AdmitError::Host(error) => Self::Sandbox(error),
        }
    }
}

/// What the caller has to mend may only be said by the innermost cause.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(deeper) = cause {
        texts.push(deeper.to_string());
        cause = deeper.source();
    }
    texts.join(": ")
}
