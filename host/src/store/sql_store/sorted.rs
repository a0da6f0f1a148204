//! A batch, sorted by what its members are.

use crate::store::dialect::Fault;
use crate::store::error::StoreError;
use crate::store::write::{Append, NewExecution, RowChange, Spoken, TaskSettled, Write};

/// The members of a batch that are done, apart.
pub(super) struct Sorted<'a> {
    pub(super) starts: Vec<(usize, &'a NewExecution)>,
    pub(super) appends: Vec<(usize, &'a Append)>,
    pub(super) ends: Vec<(usize, &'a TaskSettled)>,
    pub(super) says: Vec<(usize, &'a Spoken)>,
}

impl<'a> Sorted<'a> {
    /// In the order of their ids, whatever order they came in. One execution has one write in a batch.
    pub(super) fn of(batch: &'a [Write]) -> Result<Self, Fault> {
        let (starts, appends, ends, says) = Default::default();
        let mut sorted = Self { starts, appends, ends, says };
        for (place, write) in batch.iter().enumerate() {
            match write {
                Write::Start(new) => sorted.starts.push((place, new)),
                Write::Append(append) => sorted.appends.push((place, append)),
                Write::End(end) => sorted.ends.push((place, end)),
                Write::Say(spoken) => sorted.says.push((place, spoken)),
            }
        }
        sorted.starts.sort_by_key(|(_, new)| new.id);
        sorted.appends.sort_by_key(|(_, append)| append.execution);
        let twice =
            sorted.appends.windows(2).find(|pair| pair[0].1.execution == pair[1].1.execution);
        if let Some(pair) = twice {
            let source = "one batch holds two appends of this execution".into();
            return Err(StoreError::Refused { execution: pair[0].1.execution, source }.into());
        }
        Ok(sorted)
    }
}

/// Whether the row says something that the write depends on. The commonest append touches the journal alone.
pub(super) fn depends_on_row(append: &Append) -> bool {
    !(matches!(append.row, RowChange::Keep)
        && append.admitted.is_empty()
        && append.tasks.is_empty()
        && append.dropped_tasks.is_empty()
        && append.children.is_empty()
        && append.messages.is_empty()
        && append.dead_letters.is_empty())
}
