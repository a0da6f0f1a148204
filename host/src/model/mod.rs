//! The words this house uses, and nothing else.
//!
//! Here live the newtypes of every id and name, the states of an execution with the one table of their allowed changes, what
//! a module declares, failures and retry policies, time, and the named limits. All of it is pure: no I/O, no tasks, no
//! randomness but what is handed in.
//!
//! Not here: what happened to an execution (`journal`), how it is kept (`store`), how guests run (`sandbox`).
//!
//! Invariants: a value that exists is valid. A [`Name`] was checked when it was made, a [`Payload`] is JSON, a
//! [`Timestamp`] is in microseconds; nobody checks again.
//!
//! ```
//! use stepwell::model::{RetryPolicy, Failure};
//!
//! let policy = RetryPolicy::default();
//! assert!(policy.covers(&Failure::new("card-declined", "no funds")));
//! assert_eq!(policy.max_attempts, 3);
//! ```

mod capability;
mod clock;
mod door_limits;
mod duration;
mod egress_limits;
mod execution;
mod failure;
mod gauges;
mod history;
mod ids;
mod key;
mod lease;
mod limit;
mod limits;
mod manifest;
pub mod metric;
mod name;
mod note;
mod payload;
mod per_key;
mod place;
mod policy;
mod rate;
mod result_key;
mod retention;
mod retry;
mod schedule;
mod series;
mod task;
mod timestamp;
mod trace;
mod wake;

pub use capability::{
    BadCapability, DirWant, EnvName, Grant, HttpTarget, Mode, Reach, Scheme, Standing,
};
pub use clock::{Clock, Stopwatch, SystemClock, WoundClock};
pub use door_limits::DoorLimits;
pub use duration::{BadDuration, format_duration, parse_duration};
pub use egress_limits::EgressLimits;
pub use execution::{ExecutionState, Routing, UnknownState};
pub use failure::{Failure, Outcome, kind};
pub use gauges::{Gauged, show_gauges, watch_gauges};
pub use history::{History, Part};
pub use ids::{
    ExecutionId, HostId, Ids, InboxId, ModuleDigest, ParseIdError, Promise, RandomIds, Run, Seq,
    TaskId,
};
pub use key::{
    ChosenKey, Key, KeyHash, KeyId, KeyKind, KeyScope, NoKey, NoKeyId, Role, SESSION_FOR, Session,
    UnknownRole, WeakKey,
};
pub use lease::Lease;
pub use limit::{CallLimits, Limit};
pub use limits::Limits;
pub use manifest::{
    Capabilities, Manifest, ManifestError, RoutingOptions, StepOptions, StepSpec, WorkflowOptions,
    WorkflowSpec, WrittenCapabilities,
};
pub use name::{BadName, Name};
pub use note::{Level, Note, Said, printable};
pub use payload::{BadPayload, Payload};
pub use per_key::PerKey;
pub use policy::{Policy, PolicyError, PolicyForm, SecretPlace, SecretRule, SecretSource};
pub use rate::{BadRate, Meter, Rate};
pub use result_key::{ResultKey, ResultOf};
pub use retention::{Period, Retention, StatePeriod};
pub use retry::RetryPolicy;
pub use schedule::{
    BadCron, BadSchedule, Cron, Due, Failed, Firing, Missed, Overlap, Progress, ScheduleSpec,
    Timing, Turn, turn,
};
pub use series::Series;
pub use task::{CallOptions, ChildOptions, Ending, StepCall, StepReport, StepUsage};
pub use timestamp::Timestamp;
pub use trace::{
    AttemptSpan, BadTraceParent, Span, SpanId, Spanned, Trace, TraceParent, Tracer, Untraced,
};
pub use wake::Wake;
