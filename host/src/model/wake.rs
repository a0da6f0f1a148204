//! Hints that something may be worth a look. Losing all of them costs latency, never work.

use super::{ExecutionId, HostId, Name};

/// One hint. It goes out after the commit that it speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wake {
    /// A queue has work that is ready.
    Work {
        /// The queue.
        queue: Name,
    },
    /// Something lies in the inbox of an execution that this host owns, or its paused flag has changed.
    Arrival {
        /// The owner.
        owner: HostId,
        /// The execution.
        execution: ExecutionId,
    },
    /// An execution has changed its state or its journal, for those who watch it.
    Changed {
        /// The execution.
        execution: ExecutionId,
    },
}
