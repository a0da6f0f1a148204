//! Removing what has ended for long: what goes, with what, and what stays.

use stepwell::journal::{Body, Entry, RunEntry, RunReason};
use stepwell::model::{ExecutionId, ExecutionState, Run, Seq, Timestamp};
use stepwell::store::{
    Append, LetterFilter, NewExecution, Old, Parent, Removable, Removed, Revival, Revived,
    RowChange,
};
use tokio::task::JoinSet;

use crate::database::{Database, execution_id, module};
use crate::words::{
    call, child_of, counted, dead_letter, execution, logged, signal, start, state_set, write,
};

fn old(state: ExecutionState, before: Timestamp) -> Old {
    Old { state, before, after: None }
}

impl Database {
    /// Removes completed executions that ended before then; says how many.
    async fn remove(&self, before: Timestamp) -> u64 {
        let old = old(ExecutionState::Completed, before);
        self.store.remove_executions(self.host, &old, 100).await.unwrap().count
    }

    /// Removes so many completed executions at once until none is left; says how many went each time.
    async fn sweep(&self, limit: u32) -> Vec<u64> {
        let (mut counts, mut old) = (Vec::new(), old(ExecutionState::Completed, self.later()));
        loop {
            let removed = self.store.remove_executions(self.host, &old, limit).await.unwrap();
            counts.push(removed.count);
            match removed.next {
                Some(next) => old.after = Some(next),
                None => return counts,
            }
        }
    }

    /// Later than everything that a test writes.
    fn later(&self) -> Timestamp {
        self.now + std::time::Duration::from_hours(1)
    }

    /// A child of that execution.
    async fn child(&self, number: u8, parent: Parent) -> ExecutionId {
        let owner = Some(self.host);
        let new = NewExecution { parent: Some(parent), owner, ..execution(number) };
        self.commit(vec![start(new)]).await;
        execution_id(number)
    }

    async fn completed(&self, id: ExecutionId) {
        self.end(id, 2, ExecutionState::Completed).await;
    }

    async fn is_there(&self, id: ExecutionId) -> bool {
        self.store.execution(id).await.unwrap().is_some()
    }

    /// How many rows there are of anything.
    async fn rows(&self) -> [usize; 3] {
        let id = execution_id(1);
        let journal = self.store.journal(id, Seq(0), 100).await.unwrap().entries.len();
        let logs = self.store.logs(id, 0, 100).await.unwrap().len();
        let letters = self.store.dead_letters(&LetterFilter::default(), None, 100).await.unwrap();
        [journal, logs, letters.len()]
    }
}

on_both_databases! {
    async fn an_execution_goes_with_all_that_is_its(db: Database) {
        let id = db.born(1).await;
        db.store.deliver(db.host, id, &signal("1")).await.unwrap();
        let append = Append {
            entries: vec![call(2, 0)],
            notes: vec![counted("sold", 2), state_set("stage", "1"), logged("hello")],
            dead_letters: vec![dead_letter(0)],
            ..db.append(id)
        };
        db.commit(vec![write(append)]).await;
        db.end(id, 3, ExecutionState::Completed).await;
        assert_eq!(db.rows().await, [3, 1, 1]);

        assert_eq!(db.remove(db.later()).await, 1);

        assert!(!db.is_there(id).await);
        assert_eq!(db.rows().await, [0, 0, 0]);
        // Its id is as good as new.
        db.born(1).await;
        let view = db.view(id).await;
        assert!(view.counters.is_empty() && view.custom_state.is_empty());
        assert!(db.snapshot(id).await.inbox.arrivals.is_empty());
    }

    async fn only_what_ended_before_then_in_that_state_goes(db: Database) {
        let (completed, failed, running) = (db.born(1).await, db.born(2).await, db.born(3).await);
        let blocked = db.born(4).await;
        db.completed(completed).await;
        db.end(failed, 2, ExecutionState::Failed).await;
        let why = stepwell::model::Failure::new("diverged", "entry 2");
        db.commit(vec![write(Append { row: RowChange::Block { why }, ..db.append(blocked) })]).await;
        let ended_at = db.view(completed).await.row.completed_at.unwrap();

        assert_eq!(db.remove(ended_at).await, 0);
        assert_eq!(db.remove(db.later()).await, 1);

        assert!(!db.is_there(completed).await);
        for id in [failed, running, blocked] {
            assert!(db.is_there(id).await, "{id}");
        }
        let failed_ones = old(ExecutionState::Failed, db.later());
        let removed = db.store.remove_executions(db.host, &failed_ones, 100).await.unwrap();
        assert_eq!(removed, Removed { count: 1, next: None });
    }

    async fn a_child_stays_with_its_parent_and_a_parent_until_its_children_have_ended(db: Database) {
        let parent = db.born(1).await;
        let child = db.child(2, child_of(parent, 0)).await;
        let detached = db.child(3, Parent { detached: true, ..child_of(parent, 1) }).await;
        db.completed(child).await;
        assert_eq!(db.remove(db.later()).await, 0, "its parent may ask for it");
        db.completed(parent).await;
        assert_eq!(db.remove(db.later()).await, 0, "a child is under way");
        db.completed(detached).await;

        assert_eq!(db.remove(db.later()).await, 1);
        assert_eq!(db.remove(db.later()).await, 2);

        for id in [parent, child, detached] {
            assert!(!db.is_there(id).await, "{id}");
        }
    }

    async fn what_a_parent_started_before_it_continued_as_new_need_not_stay(db: Database) {
        let parent = db.born(1).await;
        let before = db.child(2, child_of(parent, 0)).await;
        let run = RunEntry {
            from: Seq(0),
            why: RunReason::ContinueAsNew,
            module: module(),
            signal_ids: Vec::new(),
            redrive: None,
        };
        let next = Append {
            run: Run(1),
            entries: vec![Entry { run: Run(1), ..crate::words::entry(2, Body::Run(run)) }],
            row: RowChange::Stay {
                state: ExecutionState::Running,
                expires_at: None,
                base: Some(Seq(2)),
            },
            ..db.append(parent)
        };
        db.commit(vec![write(next)]).await;
        let of_this_run = Parent { run: Run(1), ..child_of(parent, 0) };
        let since = db.child(3, of_this_run).await;
        db.completed(before).await;
        db.completed(since).await;

        assert_eq!(db.remove(db.later()).await, 1);

        assert!(!db.is_there(before).await);
        assert!(db.is_there(since).await && db.is_there(parent).await);
    }

    async fn many_go_in_batches_each_from_where_the_last_one_came_to(db: Database) {
        for number in 1..=7 {
            let id = db.born(number).await;
            db.completed(id).await;
        }

        assert_eq!(db.sweep(3).await, [3, 3, 1]);
    }

    async fn what_must_stay_keeps_nothing_behind_it_from_going(db: Database) {
        let parent = db.born(1).await;
        for number in 2..=6 {
            let child = db.child(number, child_of(parent, u32::from(number))).await;
            db.completed(child).await;
        }
        let behind = db.born(7).await;
        db.completed(behind).await;

        assert_eq!(db.sweep(2).await, [0, 0, 1, 0]);
        assert!(!db.is_there(behind).await);
    }

    async fn a_long_journal_goes_in_parts_and_meanwhile_nobody_revives_it(db: Database) {
        let id = db.born(1).await;
        let long = 10_100;
        let entries = (2..long).map(|seq| crate::words::entry(seq, Body::Noted)).collect();
        db.commit(vec![write(Append { entries, ..db.append(id) })]).await;
        db.end(id, long, ExecutionState::Failed).await;
        let failed = old(ExecutionState::Failed, db.later());

        let first = db.store.remove_executions(db.host, &failed, 100).await.unwrap();
        assert_eq!(first.count, 0);
        assert!(db.is_there(id).await);
        let revival = Revival {
            why: RunReason::Retry,
            redrive: None,
            of_run: None,
            module: None,
            at: db.now,
            dry_run: false,
        };
        assert_eq!(db.store.revive(db.host, id, &revival).await.unwrap(), Revived::Missing);
        let next = Old { after: Some(first.next.unwrap()), ..failed };
        let rest = db.store.remove_executions(db.host, &next, 100).await.unwrap();

        assert_eq!(rest.count, 1);
        assert_eq!(db.rows().await, [0, 0, 0]);
    }

    async fn letters_and_logs_go_by_their_own_age(db: Database) {
        let id = db.born(1).await;
        let append = Append {
            notes: vec![logged("hello"), logged("again")],
            dead_letters: vec![dead_letter(0), dead_letter(1)],
            ..db.append(id)
        };
        db.commit(vec![write(append)]).await;
        let letters = async |before| db.store.remove_dead_letters(db.host, before, 1).await.unwrap();
        let logs = async |before| db.store.remove_logs(db.host, before, 10).await.unwrap();

        assert_eq!((letters(crate::words::at(2_000)).await, logs(crate::words::at(1_500)).await), (0, 0));
        assert_eq!((letters(db.later()).await, logs(db.later()).await), (1, 2));
        assert_eq!((letters(db.later()).await, letters(db.later()).await), (1, 0));

        assert_eq!(db.rows().await, [1, 0, 0]);
        assert!(db.is_there(id).await);
    }

    async fn what_would_go_is_counted_and_stays(db: Database) {
        let (parent, running) = (db.born(1).await, db.born(2).await);
        let child = db.child(3, child_of(parent, 0)).await;
        let kept = db.child(4, child_of(running, 0)).await;
        for id in [child, kept, parent] {
            db.completed(id).await;
        }
        let append = Append {
            notes: vec![logged("hello")],
            dead_letters: vec![dead_letter(0)],
            ..db.append(running)
        };
        db.commit(vec![write(append)]).await;
        let states = [ExecutionState::Completed, ExecutionState::Failed];

        let counted = db.store.removable(&states, db.later(), db.now).await.unwrap();

        let executions = vec![(states[0], 2), (states[1], 0)];
        assert_eq!(counted, Removable { executions, dead_letters: 1, logs: 1, results: 0 });
        assert!(db.is_there(child).await && db.is_there(parent).await);
    }
}

/// Removes until a sweep finds nothing.
async fn remove_all(db: Database) -> u64 {
    let mut count = 0;
    loop {
        let removed = db.remove(db.later()).await;
        count += removed;
        if removed == 0 {
            return count;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_hosts_remove_each_execution_once() {
    let first = Database::postgres().await;
    for number in 1..=120 {
        let id = first.born(number).await;
        first.completed(id).await;
    }
    let second = first.peer().await;
    let reader = first.peer().await;

    let mut removing: JoinSet<_> = [first, second].into_iter().map(remove_all).collect();
    let mut count = 0;
    while let Some(removed) = removing.join_next().await {
        count += removed.unwrap();
    }

    assert_eq!(count, 120);
    assert!(!reader.is_there(execution_id(7)).await);
}
