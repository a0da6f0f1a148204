//! The rows that a transaction adds and removes, gathered by table so that each table costs one statement.

use std::collections::{BTreeMap, HashMap};

use super::limits::{Touched, UNTIL_OPENED};
use super::results::{Judged, Part};
use super::rows;
use super::transaction::Transaction;
use crate::journal::{Arrival, Entry, encode, encode_arrival, encode_outcome};
use crate::model::{
    ExecutionId, InboxId, Name, Note, Outcome, Payload, ResultKey, Run, TaskId, Timestamp,
};
use crate::store::dialect::{Dialect, Fault, Script};
use crate::store::error::StoreError;
use crate::store::row::Reading;
use crate::store::statements;
use crate::store::value::{Rows, Value, values};
use crate::store::write::{Append, NewDeadLetter, NewExecution, NewTask, NotedBy, Spoken};

/// What is to be added and removed.
#[derive(Debug, Default)]
pub(super) struct Additions<'a> {
    /// The database's clock.
    pub(super) now: Timestamp,
    journal: Rows,
    admitted: Rows,
    ended_inboxes: Rows,
    ended_tasks: Rows,
    inbox: Rows,
    tasks: Rows,
    enrolled: Rows,
    pub(super) dropped_tasks: Rows,
    ended_results: Rows,
    dead_letters: Rows,
    logs: Rows,
    counters: BTreeMap<(ExecutionId, &'a Name), i64>,
    state: BTreeMap<(ExecutionId, &'a Name), &'a Payload>,
    /// Limits that tasks were added to or have gone from.
    pub(super) touched: Touched,
    /// What was found about the calls whose result is kept.
    pub(super) judged: Judged,
}

impl<'a> Additions<'a> {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now, ..Self::default() }
    }

    /// A new execution's first entry.
    pub(super) fn born(&mut self, new: &NewExecution) {
        self.entry(new.id, &new.first_entry());
    }

    /// An entry of a journal.
    pub(super) fn entry(&mut self, execution: ExecutionId, entry: &Entry) {
        let row = encode(entry);
        self.journal.push(values![
            execution,
            entry.seq,
            entry.run,
            row.kind,
            row.promise,
            row.name,
            Value::secret_bytes("journal.head", row.head),
            Value::secret_bytes("journal.data", row.data),
            entry.recorded_at,
        ]);
    }

    /// All that an append adds, but its children, its messages and what happens to its row.
    pub(super) fn append(&mut self, append: &'a Append) {
        let execution = append.execution;
        append.entries.iter().for_each(|entry| self.entry(execution, entry));
        append.admitted.iter().for_each(|id: &InboxId| self.admitted.push(values![*id]));
        for (run, promise) in &append.dropped_tasks {
            self.dropped_tasks.push(values![execution, *run, *promise]);
        }
        let written_at =
            append.entries.last().map_or(self.now, |last| last.recorded_at.max(self.now));
        append.tasks.iter().for_each(|task| self.task(append, task, written_at));
        for dead in &append.dead_letters {
            self.dead_letter((execution, append.run), dead, dead.queue.as_ref());
        }
        append.notes.iter().for_each(|noted| self.note(execution, append.run, noted));
    }

    fn task(&mut self, append: &Append, task: &NewTask, written_at: Timestamp) {
        let part = self.judged.of(task);
        match part {
            Part::Alone => {}
            Part::Answered => return,
            Part::Leads(key) => self.enrolled.push(values![task.id, key, None::<ResultKey>]),
            Part::Follows(key) => self.enrolled.push(values![task.id, None::<ResultKey>, key]),
        }
        let json = |failure| serde_json::to_string(failure).ok();
        let retry =
            serde_json::to_string(&task.retry).expect("a retry policy can be written as JSON");
        let is_due = task.owner.is_none() && task.visible_at <= written_at;
        // One that follows another waits for no limit until it leads.
        let is_gated = is_due && !matches!(part, Part::Follows(_));
        let waits_for = task.limits.first().filter(|_| is_gated).map(|first| first.name.as_str());
        task.limits.iter().for_each(|limit| self.touched.declare(limit));
        self.tasks.push(values![
            task.id,
            append.execution,
            append.run,
            task.promise,
            &task.step,
            task.input.0,
            task.input.1,
            &task.routing.queue,
            rows::tags(&task.routing.tags),
            task.routing.priority,
            task.routing.rank(task.visible_at),
            is_due && waits_for.is_none(),
            if waits_for.is_some() { UNTIL_OPENED } else { task.visible_at },
            task.attempt,
            0_u32,
            task.owner,
            u64::try_from(task.timeout.as_micros()).unwrap_or(u64::MAX),
            task.schedule_by,
            retry,
            Value::secret_text("tasks.last_failure", task.last_failure.as_ref().and_then(json)),
            heartbeat_left(task.heartbeat.as_ref()),
            self.now,
            task.owner.is_some().then_some(self.now),
            task.limits.step.as_ref().map(|limit| limit.name.as_str()),
            task.limits.key.as_ref().map(|limit| limit.name.as_str()),
            waits_for,
        ]);
    }

    /// A step whose attempts ran out.
    pub(super) fn dead_letter(
        &mut self,
        (execution, run): (ExecutionId, Run),
        dead: &NewDeadLetter,
        queue: Option<&Name>,
    ) {
        let failure =
            serde_json::to_string(&dead.failure).expect("a failure can be written as JSON");
        self.dead_letters.push(values![
            execution,
            run,
            dead.promise,
            &dead.step,
            dead.input.0,
            dead.input.1,
            dead.attempts,
            Value::secret_text("dead_letters.failure", failure),
            dead.at,
            queue,
            dead.failure.kind.as_str(),
        ]);
    }

    /// What the leader of a key has brought.
    pub(super) fn led(&mut self, key: ResultKey, task: TaskId, outcome: &Outcome) {
        let state = if outcome.is_ok() { "completed" } else { "failed" };
        let (head, data) = encode_outcome(outcome);
        let head = Value::secret_bytes("results.outcome_head", head);
        let data = Value::secret_bytes("results.outcome_data", data);
        self.ended_results.push(values![key, task, state, head, data, self.now]);
    }

    /// What an attempt says while it runs.
    pub(super) fn said(&mut self, spoken: &'a Spoken) {
        spoken.lines.iter().for_each(|noted| self.note(spoken.execution, spoken.run, noted));
    }

    /// Something that was said.
    pub(super) fn note(&mut self, execution: ExecutionId, run: Run, noted: &'a NotedBy) {
        let (level, message, fields) = match &noted.note {
            Note::Log { level, message, fields } => {
                (Some(level.as_str()), message, fields.as_str())
            }
            Note::Progress { text } => (None, text, "null"),
            Note::Counter { name, amount } => {
                let sum = self.counters.entry((execution, name)).or_default();
                *sum = sum.saturating_add(*amount);
                return;
            }
            Note::State { key, value } => {
                self.state.insert((execution, key), value);
                return;
            }
        };
        self.logs.push(values![
            execution,
            run,
            noted.step.as_ref(),
            noted.promise,
            noted.attempt,
            noted.at,
            level,
            Value::secret_text("logs.message", message.clone()),
            Value::secret_text("logs.fields", fields.to_owned()),
            noted.attempt_began_at,
        ]);
    }

    /// An arrival for an inbox, whose execution was told.
    pub(super) fn arrival(&mut self, receiver: ExecutionId, arrival: &Arrival) {
        let row = encode_arrival(arrival);
        self.inbox.push(values![
            receiver,
            rows::run_of(arrival),
            row.kind,
            row.promise,
            row.name,
            Value::secret_bytes("inbox.head", row.head),
            Value::secret_bytes("inbox.data", row.data),
            self.now,
        ]);
    }

    /// An execution has ended: nothing more comes of what waits for it.
    pub(super) fn ended(&mut self, execution: ExecutionId) {
        self.ended_inboxes.push(values![execution]);
        self.ended_tasks.push(values![execution]);
    }

    /// Writes it all.
    pub(super) async fn write<D: Dialect>(
        self,
        transaction: &mut Transaction<'_, D>,
    ) -> Result<(), Fault> {
        transaction.run(self.into_script()).await?;
        Ok(())
    }

    /// The statements that write it all. What is admitted is said by the first.
    pub(super) fn into_script(self) -> Script {
        let counters = self.counters.into_iter();
        let counters =
            counters.map(|((execution, name), sum)| values![execution, name, sum]).collect();
        let state = self.state.into_iter();
        let value = |value: &Payload| Value::secret_text("state.value", value.as_str().to_owned());
        let state = state.map(|((execution, key), set)| values![execution, key, value(set)]);
        vec![
            (statements::ADMIT, self.admitted),
            (statements::APPEND_JOURNAL, self.journal),
            (statements::INSERT_TASKS, self.tasks),
            (statements::ENROLL_TASKS, self.enrolled),
            (statements::CLEAR_TASKS, self.ended_tasks),
            (statements::END_RESULTS, self.ended_results),
            (statements::INSERT_INBOX, self.inbox),
            // Last, as what ends may have been told of the end of one of its tasks.
            (statements::CLEAR_INBOX, self.ended_inboxes),
            (statements::INSERT_DEAD_LETTERS, self.dead_letters),
            (statements::INSERT_LOGS, self.logs),
            (statements::ADD_COUNTERS, counters),
            (statements::SET_STATE, state.collect()),
        ]
    }
}

/// What an attempt left for the next one.
pub(super) fn heartbeat_left(left: Option<&Payload>) -> Value {
    Value::secret_text("tasks.heartbeat", left.map(|left| left.as_str().to_owned()))
}

/// How many rows of each inbox a statement has found.
pub(super) fn count_by_execution(
    rows: Vec<crate::store::row::Row>,
) -> Result<HashMap<ExecutionId, usize>, StoreError> {
    let mut counts = HashMap::new();
    for row in rows {
        let mut row = Reading::of("inbox", row);
        let _id = row.i64("id")?;
        *counts.entry(row.execution("execution_id")?).or_default() += 1;
    }
    Ok(counts)
}
