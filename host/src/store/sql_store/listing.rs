//! Pages of executions: each filter has an index that can lead a statement, and a page is led by the one that reads the least.

use std::collections::HashMap;

use super::SqlStore;
use super::rows;
use crate::model::{ExecutionId, ExecutionState, Timestamp};
use crate::store::Result;
use crate::store::dialect::Dialect;
use crate::store::row::Reading;
use crate::store::statements::{self, Statement};
use crate::store::value::{Value, values};
use crate::store::view::{ExecutionFilter, ExecutionPage};

/// A row's place in the list.
type Place = (Timestamp, ExecutionId);

/// Something that is looked for, whose index can lead.
#[derive(Debug, Clone, Copy)]
struct Lead {
    /// As `bound_executions` calls it.
    name: &'static str,
    statement: &'static Statement,
    /// How many of the filters its index answers; the others are looked at row by row.
    answers: usize,
}

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn list_executions(&self, filter: &ExecutionFilter) -> Result<ExecutionPage> {
        let (statement, floor) = match Asked::of(filter) {
            Asked::OfOneIndex(statement) => (statement, None),
            Asked::OfSeveral(leads) => self.shortest(filter, leads).await?,
        };
        let mut values = wanted(filter);
        let (since, since_id) =
            floor.unwrap_or((earliest(filter), ExecutionId::from_bytes([0; 16])));
        let (before, before_id) = latest(filter);
        values.extend(values![since, before, before_id, filter.limit, since_id]);
        let rows = self.read(statement, values).await?;
        let rows = rows.into_iter().map(|row| rows::execution(row).map(|full| full.row));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        let is_full = rows.len() >= filter.limit as usize;
        let last = rows.last().filter(|_| is_full).map(|row| (row.created_at, row.id));
        Ok(ExecutionPage { rows, next: last.or(floor) })
    }

    /// Of several that could lead, the one which comes to its end, or else furthest, within the rows that a page may read (and
    /// one more, which ends it); and how far that is. Only indexes are looked at for this.
    async fn shortest(
        &self,
        filter: &ExecutionFilter,
        leads: Vec<Lead>,
    ) -> Result<(&'static Statement, Option<Place>)> {
        let (before, before_id) = latest(filter);
        let mut values = wanted(filter);
        values.extend(values![earliest(filter), before, before_id, self.page_reads_max]);
        let mut floors = HashMap::new();
        for row in self.read(statements::BOUND_EXECUTIONS, values).await? {
            let mut row = Reading::of("executions", row);
            let lead = row.text("lead")?;
            floors.insert(lead, (row.time("created_at")?, row.execution("id")?));
        }
        let floor = |lead: &Lead| floors.get(lead.name).copied();
        let shortest = leads.into_iter().min_by_key(floor);
        let all = (statements::LIST_EXECUTIONS, None);
        Ok(shortest.map_or(all, |lead| (lead.statement, floor(&lead))))
    }
}

/// What a list is asked for.
#[derive(Debug)]
enum Asked {
    /// What one index has in its order.
    OfOneIndex(&'static Statement),
    /// What no index has by itself, and what could lead to it, the likely rarest first.
    OfSeveral(Vec<Lead>),
}

impl Asked {
    fn of(filter: &ExecutionFilter) -> Self {
        let leads = leads(filter);
        let filters = leads.iter().filter(|lead| lead.answers == 1).count();
        match leads.iter().find(|lead| lead.answers == filters) {
            Some(lead) => Self::OfOneIndex(lead.statement),
            None if filters == 0 => Self::OfOneIndex(statements::LIST_EXECUTIONS),
            None => Self::OfSeveral(leads),
        }
    }
}

/// What could lead to what is looked for, the likely rarest first.
fn leads(filter: &ExecutionFilter) -> Vec<Lead> {
    let (state, workflow) = (filter.state.is_some(), filter.workflow.is_some());
    let (module, queue) = (filter.module.is_some(), filter.queue.is_some());
    // Of those that run there are never many, and those that have completed are left to the other indexes.
    let rests = filter
        .state
        .is_some_and(|state| !matches!(state, ExecutionState::Running | ExecutionState::Completed));
    let known = [
        (filter.parent.is_some(), "parent", statements::LIST_EXECUTIONS_OF_PARENT, 1),
        (filter.tag.is_some(), "tag", statements::LIST_EXECUTIONS_WITH_TAG, 1),
        (filter.failure_kind.is_some(), "failure", statements::LIST_EXECUTIONS_FAILED_WITH, 1),
        (workflow && rests, "workflow_state", statements::LIST_EXECUTIONS_OF_WORKFLOW_IN_STATE, 2),
        (module && rests, "module_state", statements::LIST_EXECUTIONS_OF_MODULE_IN_STATE, 2),
        (queue && rests, "queue_state", statements::LIST_EXECUTIONS_IN_QUEUE_IN_STATE, 2),
        (workflow, "workflow", statements::LIST_EXECUTIONS_OF_WORKFLOW, 1),
        (module, "module", statements::LIST_EXECUTIONS_OF_MODULE, 1),
        (queue, "queue", statements::LIST_EXECUTIONS_IN_QUEUE, 1),
        (state, "state", statements::LIST_EXECUTIONS_IN_STATE, 1),
    ];
    let asked = known.into_iter().filter(|(asked, ..)| *asked);
    asked.map(|(_, name, statement, answers)| Lead { name, statement, answers }).collect()
}

/// `$1` to `$7` of all these statements.
fn wanted(filter: &ExecutionFilter) -> Vec<Value> {
    Vec::from(values![
        filter.state.map(ExecutionState::as_str),
        filter.workflow.as_ref(),
        filter.queue.as_ref(),
        filter.parent,
        filter.module,
        filter.failure_kind.as_deref(),
        filter.tag.as_ref(),
    ])
}

fn earliest(filter: &ExecutionFilter) -> Timestamp {
    filter.since.unwrap_or(Timestamp::from_micros(i64::MIN))
}

/// The place that everything is behind.
fn latest(filter: &ExecutionFilter) -> Place {
    let cursor = filter.after.unwrap_or((Timestamp::from_micros(i64::MAX), ExecutionId::LAST));
    let until = filter.until.map(|until| (until, ExecutionId::from_bytes([0; 16])));
    until.map_or(cursor, |until| until.min(cursor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    fn led_by(filter: &ExecutionFilter) -> Vec<&'static str> {
        match Asked::of(filter) {
            Asked::OfOneIndex(statement) => vec![statement.name],
            Asked::OfSeveral(leads) => leads.iter().map(|lead| lead.name).collect(),
        }
    }

    #[test]
    fn one_index_answers_one_filter_or_two_of_which_one_is_a_state_to_rest_in() {
        let none = ExecutionFilter::default;
        let workflow = || Some(Name::new("pay").expect("a name"));
        let of_workflow = ExecutionFilter { workflow: workflow(), ..none() };
        let in_state = |state| ExecutionFilter { state: Some(state), ..none() };
        let both = |state| ExecutionFilter { workflow: workflow(), ..in_state(state) };
        let three = ExecutionFilter { tag: workflow(), ..both(ExecutionState::Waiting) };

        assert_eq!(led_by(&none()), ["list_executions"]);
        assert_eq!(led_by(&of_workflow), ["list_executions_of_workflow"]);
        assert_eq!(led_by(&in_state(ExecutionState::Running)), ["list_executions_in_state"]);
        assert_eq!(
            led_by(&both(ExecutionState::Waiting)),
            ["list_executions_of_workflow_in_state"]
        );
        assert_eq!(led_by(&both(ExecutionState::Completed)), ["workflow", "state"]);
        assert_eq!(led_by(&three), ["tag", "workflow_state", "workflow", "state"]);
    }
}
