//! The committer: what is queued together is written together, and only the culprit pays.

use std::sync::Arc;

use stepwell::model::{ExecutionState, Run, Seq};
use stepwell::store::{
    Append, Committer, CommitterPlace, Effects, NewExecution, RowChange, Snapshot, StoreError,
    Write, Written,
};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::database::{Database, execution_id, limits};
use crate::words::{call, child_of, ended, execution, start, write};

fn committer(db: &Database) -> (Committer, mpsc::Receiver<Snapshot>) {
    Committer::start(
        Arc::clone(&db.store),
        db.host,
        &limits(),
        CommitterPlace {
            threads: &Handle::current(),
            tracker: &TaskTracker::new(),
            stop: CancellationToken::new(),
        },
    )
}

fn done() -> Written {
    Written::Done(Effects::default())
}

/// Hands in all at once and waits for all answers, in order.
async fn submit_all(committer: &Committer, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
    futures::future::join_all(writes.into_iter().map(|write| committer.submit(write))).await
}

/// Postgres alone says which transaction a row comes from.
#[tokio::test]
async fn what_is_handed_in_together_is_written_together() {
    let db = Database::postgres().await;
    let (committer, _births) = committer(&db);
    let more_than_a_batch = u8::try_from(limits().commit_batch_max).unwrap() * 2;

    let answers = committer
        .submit_all((0..more_than_a_batch).map(|number| start(execution(number))).collect())
        .await;

    assert!(answers.iter().all(|answer| matches!(answer, Ok(one) if *one == done())));
    assert_eq!(db.commits("executions").await, 1);
}

on_both_databases! {
    async fn every_write_has_its_own_answer(db: Database) {
        let id = db.born(90).await;
        let (committer, _births) = committer(&db);
        let mut writes: Vec<Write> = (0..40).map(|number| start(execution(number))).collect();
        writes.push(start(execution(90)));
        writes.push(write(Append { entries: vec![call(2, 0)], ..db.append(id) }));

        let answers = submit_all(&committer, writes).await;

        assert!(answers[..40].iter().all(|answer| matches!(answer, Ok(one) if *one == done())));
        assert!(matches!(answers[40], Ok(Written::Exists { .. })));
        assert!(matches!(&answers[41], Ok(one) if *one == done()));
        assert_eq!(db.store.counts().await.unwrap().executions[0].1, 40);
    }

    async fn the_writes_of_one_execution_keep_their_order(db: Database) {
        let id = db.born(1).await;
        let (committer, _births) = committer(&db);
        let mut appends: Vec<Write> = (2..30)
            .map(|seq| write(Append { entries: vec![call(seq, 0)], ..db.append(id) }))
            .collect();
        let row = RowChange::End { state: ExecutionState::Completed, failure_kind: None };
        let entries = vec![ended(30, ExecutionState::Completed)];
        appends.push(write(Append { entries, row, ..db.append(id) }));

        let answers = submit_all(&committer, appends).await;

        assert!(answers.iter().all(|answer| matches!(answer, Ok(one) if *one == done())));
        let entries = db.store.journal(id, Seq(0), 99).await.unwrap().entries;
        assert_eq!(entries.len(), 30);
        assert!(entries.windows(2).all(|pair| pair[1].seq == pair[0].seq.next()));
    }

    async fn a_poisoned_write_costs_only_its_culprit(db: Database) {
        let ids = [db.born(1).await, db.born(2).await, db.born(3).await];
        let (committer, _births) = committer(&db);
        let append = |id, seq| write(Append { entries: vec![call(seq, 0)], ..db.append(id) });
        let writes = vec![append(ids[0], 2), append(ids[1], 1), append(ids[2], 2), start(execution(4))];

        let answers = submit_all(&committer, writes).await;

        assert!(matches!(answers[1], Err(StoreError::Refused { execution, .. }) if execution == ids[1]));
        for place in [0, 2, 3] {
            assert!(matches!(&answers[place], Ok(one) if *one == done()), "{place}");
        }
        assert_eq!(db.store.journal(ids[2], Seq(0), 9).await.unwrap().entries.len(), 2);
    }

    async fn what_is_born_here_comes_out_after_its_commit(db: Database) {
        let (committer, mut births) = committer(&db);
        let mine = NewExecution { owner: Some(db.host), ..execution(1) };

        committer.submit(start(mine.clone())).await.unwrap();
        committer.submit(start(mine)).await.unwrap();
        committer.submit(start(execution(2))).await.unwrap();

        let born = births.try_recv().unwrap();
        assert!(births.try_recv().is_err(), "once, and only what this host owns");
        let read = db.snapshot(execution_id(1)).await;
        assert_eq!(format!("{born:?}"), format!("{read:?}"), "as if it had been read");
        assert_eq!(born.execution.run, Run(0));
    }

    async fn children_are_born_here_too(db: Database) {
        let parent = db.born(1).await;
        let (committer, mut births) = committer(&db);
        let (owner, parent_of) = (Some(db.host), Some(child_of(parent, 0)));
        let child = NewExecution { owner, parent: parent_of, ..execution(2) };

        committer.submit(write(Append { children: vec![child], ..db.append(parent) })).await.unwrap();

        assert_eq!(births.try_recv().unwrap().execution.id, execution_id(2));
    }

    async fn a_row_that_cannot_be_read_costs_only_the_write_that_needs_it(db: Database) {
        let (bad, good) = (db.born(1).await, db.born(2).await);
        db.spoil("update executions set state = 'lost' where id = x'01010101010101010101010101010101'").await;
        let (committer, _births) = committer(&db);
        let release = |id| write(Append { row: RowChange::Release, ..db.append(id) });

        let answers = submit_all(&committer, vec![release(bad), release(good)]).await;

        assert!(matches!(answers[0], Err(StoreError::Corrupt { .. })));
        assert!(matches!(&answers[1], Ok(one) if *one == done()));
    }

    async fn births_without_room_are_released_for_any_host(db: Database) {
        let (committer, _births) = committer(&db);
        let mine = |number| start(NewExecution { owner: Some(db.host), ..execution(number) });

        submit_all(&committer, (0..6).map(mine).collect()).await;

        assert_eq!(db.claim(10).await.len(), 2, "activations_max is four");
    }

    async fn a_dead_host_is_told_so_by_every_write(db: Database) {
        let id = db.born(1).await;
        let (committer, _births) = committer(&db);
        db.die().await;
        let append = || write(Append { entries: vec![call(2, 0)], ..db.append(id) });

        let answers = submit_all(&committer, vec![append(), start(execution(2))]).await;
        let later = committer.submit(append()).await;

        assert!(answers.iter().all(|answer| matches!(answer, Err(StoreError::Fenced { .. }))));
        assert!(matches!(later, Err(StoreError::Fenced { .. })));
    }

    async fn starts_are_pushed_back_while_appends_still_wait(db: Database) {
        let id = db.born(200).await;
        let (committer, _births) = committer(&db);
        let starts = (0..100).map(|number| start(execution(number)));
        let append = write(Append { entries: vec![call(2, 0)], ..db.append(id) });

        let answers = submit_all(&committer, starts.chain([append]).collect()).await;

        let full = answers.iter().filter(|answer| matches!(answer, Err(StoreError::Full { .. })));
        assert_eq!(full.count(), 36, "committer_queue_max is sixty-four");
        assert!(matches!(&answers[100], Ok(one) if *one == done()));
    }

    async fn starts_in_one_order_are_pushed_back_together(db: Database) {
        let (committer, _births) = committer(&db);
        let starts = |numbers: std::ops::Range<u8>| numbers.map(|number| start(execution(number)));

        let (first, pushed_back) = tokio::join!(
            submit_all(&committer, starts(0..64).collect()),
            committer.submit_all(starts(64..66).collect()),
        );
        let later = committer.submit_all(starts(64..66).collect()).await;

        assert!(first.iter().chain(&later).all(|answer| matches!(answer, Ok(one) if *one == done())));
        let full = |answer: &_| matches!(answer, Err(StoreError::Full { waiting: 64 }));
        assert!(pushed_back.len() == 2 && pushed_back.iter().all(full), "{pushed_back:?}");
    }

    async fn it_ends_with_its_last_handle(db: Database) {
        let tracker = TaskTracker::new();
        let (committer, _births) =
            Committer::start(Arc::clone(&db.store), db.host, &limits(), CommitterPlace { threads: &Handle::current(), tracker: &tracker, stop: CancellationToken::new() });
        assert!(!committer.takes_births());
        let other = committer.clone();
        other.set_takes_births(true);
        assert!(committer.takes_births());

        drop((committer, other));
        tracker.close();

        tracker.wait().await;
    }
}
