//! Dead letters: looking at them, replaying and discarding, one or many.

use super::{DeadLetter, Dispatch, DispatchError, LetterCount, LetterFilter, Result};
use crate::journal::{Redrive, RunReason};
use crate::model::{ExecutionId, Name, Payload, Run};
use crate::store::Revival;

/// Dead letters that one order replays at most: each is a transaction that reads a journal.
pub const REDRIVES_MAX: u32 = 100;

/// How a dead letter is replayed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redriving {
    /// To this queue; none leaves it where its workflow sends it.
    pub queue: Option<Name>,
    /// How its attempts count.
    pub attempts: Attempts,
}

/// How the attempts that a dead letter has had count when it is replayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Attempts {
    /// It has all of them again.
    #[default]
    Reset,
    /// They were made: it has one more.
    Keep,
}

/// An order for a page of dead letters, newest first.
#[derive(Debug, Clone)]
pub struct ManyLetters {
    /// Which are meant.
    pub filter: LetterFilter,
    /// Only those with ids below this one.
    pub before: Option<i64>,
    /// How many at most.
    pub limit: u32,
    /// Only say to which it would be done.
    pub dry_run: bool,
}

/// A dead letter whose execution goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redriven {
    /// Which it was.
    pub letter: i64,
    /// Whose step is called again.
    pub execution: ExecutionId,
    /// In which run.
    pub run: Run,
}

/// What came of replaying many.
#[derive(Debug)]
pub struct RedrivenMany {
    /// Those whose executions go on, or would.
    pub redriven: Vec<Redriven>,
    /// Those that were refused, and why.
    pub refused: Vec<(i64, DispatchError)>,
    /// Where to go on; none where this was all.
    pub next_before: Option<i64>,
}

/// What came of discarding many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discarded {
    /// Which are gone, or would be.
    pub ids: Vec<i64>,
    /// Where to go on; none where this was all.
    pub next_before: Option<i64>,
}

impl Dispatch {
    /// Takes the execution that failed by a dead letter back to that step. Refused where the workflow handled the failure and
    /// went on, and where its parent was told of the failure.
    pub async fn redrive(&self, id: i64, how: &Redriving) -> Result<Redriven> {
        let letter = self.dead_letter(id).await?;
        let revival = self.revival_by(&letter, how);
        self.redrive_letter(&letter, revival).await
    }

    fn revival_by(&self, letter: &DeadLetter, how: &Redriving) -> Revival {
        let attempts = match how.attempts {
            Attempts::Reset => 0,
            Attempts::Keep => letter.attempts,
        };
        let redrive = Redrive { promise: letter.promise, queue: how.queue.clone(), attempts };
        let revival = self.revival(RunReason::Redrive, Some(redrive), None);
        Revival { of_run: Some(letter.run), ..revival }
    }

    async fn redrive_letter(&self, letter: &DeadLetter, revival: Revival) -> Result<Redriven> {
        let run = self.go_back(letter.execution, revival).await?;
        Ok(Redriven { letter: letter.id, execution: letter.execution, run })
    }

    /// The same for a page of dead letters, each in a transaction of its own. A dry run judges each as it stands: of several
    /// that belong to one execution, the first that is replayed takes that from the others.
    pub async fn redrive_all(&self, many: &ManyLetters, how: &Redriving) -> Result<RedrivenMany> {
        let ManyLetters { filter, before, limit, dry_run } = many;
        let limit = self.page(*limit)?.min(REDRIVES_MAX);
        let letters = self.store().dead_letters(filter, *before, limit).await?;
        let next_before = behind(&letters, limit);
        let mut many = RedrivenMany { redriven: Vec::new(), refused: Vec::new(), next_before };
        for letter in letters {
            let revival = Revival { dry_run: *dry_run, ..self.revival_by(&letter, how) };
            match self.redrive_letter(&letter, revival).await {
                Ok(redriven) => many.redriven.push(redriven),
                Err(error) if error.is_refusal() => many.refused.push((letter.id, error)),
                Err(error) => return Err(error),
            }
        }
        Ok(many)
    }

    /// Removes a dead letter.
    pub async fn discard(&self, id: i64) -> Result<()> {
        let gone = self.store().discard_dead_letters(self.host(), &[id]).await?;
        if gone.is_empty() { Err(DispatchError::UnknownDeadLetter(id)) } else { Ok(()) }
    }

    /// Removes a page of dead letters.
    pub async fn discard_all(&self, many: &ManyLetters) -> Result<Discarded> {
        let limit = self.page(many.limit)?;
        let letters = self.store().dead_letters(&many.filter, many.before, limit).await?;
        let (found, next_before) = (letters.iter(), behind(&letters, limit));
        let mut ids: Vec<i64> = found.map(|letter| letter.id).collect();
        if !many.dry_run {
            ids = self.store().discard_dead_letters(self.host(), &ids).await?;
        }
        Ok(Discarded { ids, next_before })
    }

    /// One dead letter.
    pub async fn dead_letter(&self, id: i64) -> Result<DeadLetter> {
        self.store().dead_letter(id).await?.ok_or(DispatchError::UnknownDeadLetter(id))
    }

    /// What its step was called with.
    pub async fn argument_of(&self, letter: &DeadLetter) -> Result<Option<Payload>> {
        Ok(self.store().argument(letter.execution, letter.input_at).await?)
    }

    /// A page of dead letters with ids below `before`, newest first.
    pub async fn dead_letters(
        &self,
        filter: &LetterFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>> {
        let limit = self.page(limit)?;
        Ok(self.store().dead_letters(filter, before, limit).await?)
    }

    /// How many dead letters there are of each step, most first.
    pub async fn count_dead_letters(&self, filter: &LetterFilter) -> Result<Vec<LetterCount>> {
        Ok(self.store().letter_counts(filter, self.parts.limits.page_max).await?)
    }
}

/// Where a list goes on behind a page; none where the page is its last.
fn behind(letters: &[DeadLetter], limit: u32) -> Option<i64> {
    let is_full = u32::try_from(letters.len()).is_ok_and(|count| count >= limit);
    letters.last().filter(|_| is_full).map(|letter| letter.id)
}
