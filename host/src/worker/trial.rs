//! Suspects run alone: where a host was lost again and again under a piece of work, nothing new is begun beside it, so that
//! the next loss blames it and nobody else.

use tokio::sync::watch;

use crate::model::{ExecutionId, TaskId};

/// What is suspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspected {
    Execution(ExecutionId),
    Task(TaskId),
}

/// The one place for a suspect on this host.
#[derive(Debug, Default)]
pub(super) struct Trial(watch::Sender<Option<Suspected>>);

impl Trial {
    /// Only the claimer begins one, and only where none is on.
    pub(super) fn begin(&self, suspected: Suspected) {
        self.0.send_replace(Some(suspected));
    }

    /// It has made an entry, parked or ended: whatever kills hosts, this does not.
    pub(super) fn acquit(&self, suspected: Suspected) {
        self.0.send_if_modified(|tried| {
            let is_tried = *tried == Some(suspected);
            if is_tried {
                *tried = None;
            }
            is_tried
        });
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Returns when none is on. Only waits.
    pub(super) async fn over(&self) {
        let mut tried = self.0.subscribe();
        // The sender is ours, so it is there for as long as anybody waits.
        let _over = tried.wait_for(Option::is_none).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_trial_ends_with_the_one_it_is_about() {
        let trial = Trial::default();
        let (tried, other) = (ExecutionId::from_bytes([1; 16]), TaskId::from_bytes([1; 16]));

        trial.begin(Suspected::Execution(tried));
        trial.acquit(Suspected::Task(other));
        assert!(trial.is_on());
        trial.acquit(Suspected::Execution(tried));

        trial.over().await;
        assert!(!trial.is_on());
    }
}
