//! Dead letters: replaying and discarding.

use super::{DeadLetter, Dispatch, DispatchError, Result};
use crate::journal::RunReason;
use crate::model::{ExecutionId, Run};

/// A dead letter whose execution goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redriven {
    /// Whose step is called again.
    pub execution: ExecutionId,
    /// In which run.
    pub run: Run,
}

impl Dispatch {
    /// Takes the execution that failed by a dead letter back to that step, with its attempts counted anew. Refused where the
    /// workflow handled the failure and went on.
    pub async fn redrive(&self, id: i64) -> Result<Redriven> {
        let letter = self.dead_letter(id).await?;
        let revival = self.revival(RunReason::Redrive, Some(letter.promise), None);
        let run = self.go_back(letter.execution, revival).await?;
        Ok(Redriven { execution: letter.execution, run })
    }

    /// Removes a dead letter.
    pub async fn discard(&self, id: i64) -> Result<()> {
        match self.store().discard_dead_letters(self.host(), &[id]).await? {
            0 => Err(DispatchError::UnknownDeadLetter(id)),
            _removed => Ok(()),
        }
    }

    /// One dead letter.
    pub async fn dead_letter(&self, id: i64) -> Result<DeadLetter> {
        self.store().dead_letter(id).await?.ok_or(DispatchError::UnknownDeadLetter(id))
    }

    /// A page of dead letters with ids below `before`, newest first, of one execution or of all.
    pub async fn dead_letters(
        &self,
        execution: Option<ExecutionId>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>> {
        let limit = self.page(limit)?;
        Ok(self.store().dead_letters(execution, before, limit).await?)
    }
}
