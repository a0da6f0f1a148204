//! The next run of what ended badly.

use stepwell::journal::{Arrival, Body, Entry, Event, Redrive, RunEntry, RunReason};
use stepwell::model::{ExecutionState, Failure, ModuleDigest, Promise, Run, Seq, StepUsage};
use stepwell::store::{Append, NewExecution, NewTask, Parent, Revival, Revived, RowChange};

use crate::database::{Database, everything, execution_id};
use crate::words::{
    at, call, child_of, completed, dead_letter, ended, execution, json, letters_of, name,
    outcome_of, received, settled, start, task, write,
};

fn retry() -> Revival {
    Revival {
        why: RunReason::Retry,
        redrive: None,
        of_run: None,
        module: None,
        at: at(9_000),
        dry_run: false,
    }
}

fn redrive(promise: u32) -> Revival {
    let redrive = Redrive { promise: Promise(promise), queue: None, attempts: 0 };
    Revival { why: RunReason::Redrive, redrive: Some(redrive), ..retry() }
}

fn numbered(entries: &[Entry]) -> Vec<(u64, u32)> {
    entries.iter().map(|entry| (entry.seq.0, entry.run.0)).collect()
}

impl Database {
    /// An execution whose second step failed it, beside one that completed and a signal that came late.
    async fn failed(&self) -> stepwell::model::ExecutionId {
        let id = self.born(1).await;
        let append = Append {
            entries: vec![
                call(2, 0),
                call(3, 1),
                settled(4, 1, Err("card-declined")),
                received(5, "approval"),
                settled(6, 0, Ok("1")),
                ended(7, ExecutionState::Failed),
            ],
            dead_letters: vec![dead_letter(1), dead_letter(2)],
            row: RowChange::End { state: ExecutionState::Failed, failure_kind: None },
            ..self.append(id)
        };
        self.commit(vec![write(append)]).await;
        id
    }

    async fn revive(&self, id: stepwell::model::ExecutionId, revival: &Revival) -> Revived {
        self.store.revive(self.host, id, revival).await.unwrap()
    }
}

on_both_databases! {
    async fn a_retry_goes_back_to_the_failure_and_carries_the_rest(db: Database) {
        let id = db.failed().await;

        assert_eq!(db.revive(id, &retry()).await, Revived::Ready(Run(1)));

        let claimed = db.claim(10).await;
        let row = &claimed[0].execution;
        assert_eq!((row.run, row.completed_at, &row.failure), (Run(1), None, &None));
        let entries = &claimed[0].entries;
        assert_eq!(numbered(entries), [(1, 0), (2, 0), (3, 0), (8, 1), (9, 1), (10, 1)]);
        assert!(matches!(&entries[3].body, Body::Run(run) if run.from == Seq(3)));
        assert!(matches!(&entries[4].body, Body::Event(Event::Received { id: Some(_), .. })));
        assert!(matches!(&entries[5].body, Body::Event(Event::Settled { promise: Promise(0), .. })));
        assert!(entries[3..].iter().all(|entry| entry.recorded_at == at(9_000)));
        assert_eq!(db.store.journal(id, Seq(0), 99).await.unwrap().entries.len(), 10);
    }

    async fn time_never_runs_backwards_in_a_journal(db: Database) {
        let id = db.failed().await;

        db.revive(id, &Revival { at: at(1), ..retry() }).await;

        let entries = db.store.journal(id, Seq(0), 99).await.unwrap().entries;
        assert!(entries.windows(2).all(|pair| pair[0].recorded_at <= pair[1].recorded_at));
    }

    async fn a_next_run_removes_the_dead_letters_that_it_supersedes_and_no_other(db: Database) {
        for (number, revival) in [(1, retry()), (2, redrive(1))] {
            let id = db.born(number).await;
            let append = Append {
                entries: vec![
                    call(2, 0),
                    settled(3, 0, Err("handled")),
                    call(4, 1),
                    call(5, 2),
                    settled(6, 1, Err("card-declined")),
                    settled(7, 2, Err("card-declined")),
                    ended(8, ExecutionState::Failed),
                ],
                // The last one's failure had not been taken in when it ended.
                dead_letters: (0..=3).map(dead_letter).collect(),
                row: RowChange::End { state: ExecutionState::Failed, failure_kind: None },
                ..db.append(id)
            };
            db.commit(vec![write(append)]).await;

            assert_eq!(db.revive(id, &revival).await, Revived::Ready(Run(1)));

            let left = db.store.dead_letters(&letters_of(id), None, 10).await.unwrap();
            let left: Vec<_> = left.iter().map(|letter| letter.promise.0).collect();
            // A retry goes back to the last failure alone.
            let expected = if revival.why == RunReason::Retry { vec![1, 0] } else { vec![0] };
            assert_eq!(left, expected);
        }
    }

    async fn what_was_blocked_keeps_its_dead_letters(db: Database) {
        let id = db.born(1).await;
        let row = RowChange::Block { why: Failure::new("diverged", "entry 2") };
        let (entries, dead_letters) = (vec![call(2, 0)], vec![dead_letter(0)]);
        db.commit(vec![write(Append { entries, dead_letters, row, ..db.append(id) })]).await;

        db.revive(id, &retry()).await;

        assert_eq!(db.store.dead_letters(&letters_of(id), None, 10).await.unwrap().len(), 1);
    }

    async fn a_redrive_is_refused_where_the_workflow_went_on(db: Database) {
        let id = db.failed().await;

        assert_eq!(db.revive(id, &redrive(0)).await, Revived::WentOn);

        assert_eq!(db.view(id).await.row.state, ExecutionState::Failed);
        assert_eq!(db.store.dead_letters(&letters_of(id), None, 10).await.unwrap().len(), 2);
    }

    async fn a_letter_of_before_the_execution_continued_as_new_is_neither_replayed_nor_lost(db: Database) {
        let id = db.born(1).await;
        let before = Append { entries: vec![call(2, 0), settled(3, 0, Err("handled"))], ..db.append(id) };
        db.commit(vec![write(Append { dead_letters: vec![dead_letter(0)], ..before })]).await;
        let run = RunEntry {
            from: Seq(0),
            why: RunReason::ContinueAsNew,
            module: crate::database::module(),
            signal_ids: Vec::new(),
            redrive: None,
        };
        let of_run = |entry: Entry| Entry { run: Run(1), ..entry };
        let next = |entries: Vec<Entry>, row| Append {
            run: Run(1),
            entries: entries.into_iter().map(of_run).collect(),
            row,
            ..db.append(id)
        };
        let (state, base) = (ExecutionState::Running, Some(Seq(4)));
        let row = RowChange::Stay { state, expires_at: None, base };
        db.commit(vec![write(next(vec![crate::words::entry(4, Body::Run(run))], row))]).await;
        let row = RowChange::End { state: ExecutionState::Failed, failure_kind: None };
        let entries =
            vec![call(5, 0), settled(6, 0, Err("card-declined")), ended(7, ExecutionState::Failed)];
        let failed = Append { dead_letters: vec![dead_letter(0)], ..next(entries, row) };
        db.commit(vec![write(failed)]).await;

        let earlier = Revival { of_run: Some(Run(0)), ..redrive(0) };
        assert_eq!(db.revive(id, &earlier).await, Revived::WentOn);
        let its_own = Revival { of_run: Some(Run(1)), ..redrive(0) };
        assert_eq!(db.revive(id, &its_own).await, Revived::Ready(Run(2)));

        let left = db.store.dead_letters(&letters_of(id), None, 10).await.unwrap();
        assert_eq!(left.iter().map(|letter| letter.run).collect::<Vec<_>>(), [Run(0)]);
    }

    async fn a_redrive_says_in_the_journal_which_call_is_made_again_and_how(db: Database) {
        let id = db.failed().await;
        let redrive = Redrive { promise: Promise(1), queue: Some(name("rescue")), attempts: 3 };
        let why = RunReason::Redrive;

        let revival = Revival { why, redrive: Some(redrive.clone()), ..retry() };
        assert_eq!(db.revive(id, &revival).await, Revived::Ready(Run(1)));

        let entries = db.claim(1).await.remove(0).entries;
        let runs = entries.into_iter().filter_map(|entry| match entry.body {
            Body::Run(run) => run.redrive,
            _ => None,
        });
        assert_eq!(runs.collect::<Vec<_>>(), [redrive]);
    }

    async fn a_child_whose_parent_was_told_is_not_redriven_and_a_detached_one_is(db: Database) {
        let parent = db.born(1).await;
        for (number, detached) in [(2, false), (3, true)] {
            let of = Parent { detached, ..child_of(parent, u32::from(number)) };
            let child = NewExecution { parent: Some(of), owner: Some(db.host), ..execution(number) };
            db.commit(vec![start(child)]).await;
            let append = Append {
                entries: vec![
                    call(2, 0),
                    settled(3, 0, Err("card-declined")),
                    ended(4, ExecutionState::Failed),
                ],
                row: RowChange::End { state: ExecutionState::Failed, failure_kind: None },
                ..db.append(execution_id(number))
            };
            db.commit(vec![write(append)]).await;
        }

        let answers = [
            db.revive(execution_id(2), &redrive(0)).await,
            db.revive(execution_id(3), &redrive(0)).await,
        ];

        assert_eq!(answers, [Revived::ParentTold(parent), Revived::Ready(Run(1))]);
    }

    async fn only_what_ended_badly_is_revived(db: Database) {
        let (running, completed) = (db.born(1).await, db.born(2).await);
        db.end(completed, 2, ExecutionState::Completed).await;

        let answers = [db.revive(running, &retry()).await, db.revive(completed, &retry()).await];

        let not_in = Revived::NotInState;
        assert_eq!(answers, [not_in(ExecutionState::Running), not_in(ExecutionState::Completed)]);
        assert_eq!(db.revive(execution_id(9), &retry()).await, Revived::Missing);
    }

    async fn a_second_failure_is_revived_from_the_second_run(db: Database) {
        let id = db.failed().await;
        db.revive(id, &retry()).await;
        db.claim(1).await;
        let mut end = db.append(id);
        end.run = Run(1);
        end.entries = vec![
            Entry { run: Run(1), ..settled(11, 1, Err("card-declined")) },
            Entry { run: Run(1), ..ended(12, ExecutionState::Failed) },
        ];
        end.row = RowChange::End { state: ExecutionState::Failed, failure_kind: None };
        db.commit(vec![write(end)]).await;

        assert_eq!(db.revive(id, &retry()).await, Revived::Ready(Run(2)));

        let claimed = db.claim(1).await;
        let seqs: Vec<u64> = claimed[0].entries.iter().map(|entry| entry.seq.0).collect();
        assert_eq!(seqs, [1, 2, 3, 8, 9, 10, 13]);
    }

    async fn what_was_blocked_goes_on_with_another_module_and_its_time_anew(db: Database) {
        let owner = Some(db.host);
        let new = NewExecution { owner, expires_at: Some(at(6_000)), ..execution(1) };
        db.commit(vec![start(new)]).await;
        let id = execution_id(1);
        let row = RowChange::Block { why: Failure::new("diverged", "entry 2") };
        db.commit(vec![write(Append { row, ..db.append(id) })]).await;
        let module = Some(ModuleDigest::of(b"mended"));

        db.revive(id, &Revival { module, ..retry() }).await;

        let claimed = db.claim(1).await;
        assert_eq!(Some(claimed[0].execution.module), module);
        assert_eq!(claimed[0].execution.expires_at, Some(at(14_000)));
    }

    async fn what_is_under_way_for_kept_promises_settles_them_in_the_next_run(db: Database) {
        let id = db.born(1).await;
        let child = NewExecution { parent: Some(child_of(id, 0)), ..execution(2) };
        let detached = Some(Parent { detached: true, ..child_of(id, 0) });
        let detached = NewExecution { parent: detached, ..execution(3) };
        let append = Append {
            entries: vec![call(2, 0), call(3, 1)],
            children: vec![child.clone(), detached.clone()],
            tasks: vec![NewTask { owner: Some(db.host), ..task(1, 1, (3, 0)) }],
            ..db.append(id)
        };
        db.commit(vec![write(append)]).await;
        db.store.deliver(db.host, id, &outcome_of(0)).await.unwrap();
        let row = RowChange::Block { why: Failure::new("diverged", "entry 2") };
        db.commit(vec![write(Append { row, ..db.append(id) })]).await;

        db.revive(id, &retry()).await;
        db.end_task(1, id, 1, completed()).await;

        let claimed = db.store.claim_executions(db.host, &everything(), 10).await.unwrap();
        let revived = claimed.iter().find(|snapshot| snapshot.execution.id == id).unwrap();
        let runs: Vec<Run> = revived.inbox.arrivals.iter().map(|(_, arrival)| match arrival {
            Arrival::Settled { run, .. } => *run,
            other => unreachable!("{other:?}"),
        }).collect();
        assert_eq!(runs, [Run(1), Run(1)]);
        // Their outcome is taken whichever run they report to; detached ones may have to outlive that run.
        assert_eq!(db.view(child.id).await.row.parent.unwrap().run, Run(0));
        assert_eq!(db.view(detached.id).await.row.parent.unwrap().run, Run(1));
    }

    async fn what_was_meant_for_an_earlier_run_is_not_taken_into_the_next(db: Database) {
        let id = db.born(1).await;
        let block = |run| {
            let row = RowChange::Block { why: Failure::new("diverged", "entry 2") };
            write(Append { row, run, entries: Vec::new(), ..db.append(id) })
        };
        let called = Append { entries: vec![call(2, 0), call(3, 1)], ..db.append(id) };
        db.commit(vec![write(called)]).await;
        db.commit(vec![block(Run(0))]).await;
        db.revive(id, &retry()).await;
        db.claim(1).await;
        db.store.deliver(db.host, id, &outcome_of(0)).await.unwrap();
        let of_this_run = Arrival::Settled {
            run: Run(1), promise: Promise(1), outcome: Ok(json("1")), usage: StepUsage::default(), attempt: 1,
        };
        db.store.deliver(db.host, id, &of_this_run).await.unwrap();
        db.commit(vec![block(Run(1))]).await;

        db.revive(id, &retry()).await;

        let arrivals = db.claim(1).await.remove(0).inbox.arrivals;
        let runs = arrivals.iter().map(|(_, arrival)| match arrival {
            Arrival::Settled { run, promise, .. } => (*run, *promise),
            other => unreachable!("{other:?}"),
        });
        assert_eq!(runs.collect::<Vec<_>>(), [(Run(0), Promise(0)), (Run(2), Promise(1))]);
    }
}
