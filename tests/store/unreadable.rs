//! Rows that cannot be read cost their own execution and nobody else's.

use stepwell::journal::Arrival;
use stepwell::model::{ExecutionState, Failure, kind};
use stepwell::store::Append;

use crate::database::{Database, everything, execution_id};
use crate::words::{call, execution, signal, start, task, write};

fn ids(numbers: &[u8]) -> Vec<stepwell::model::ExecutionId> {
    numbers.iter().map(|number| execution_id(*number)).collect()
}

impl Database {
    async fn why_blocked(&self, number: u8) -> (ExecutionState, Failure) {
        let row = self.view(execution_id(number)).await.row;
        (row.state, row.failure.unwrap())
    }
}

on_both_databases! {
    async fn an_execution_whose_journal_cannot_be_read_does_not_head_the_claim(db: Database) {
        db.commit((1..=5).map(|number| start(execution(number))).collect()).await;
        db.spoil("update journal set head = x'00' where execution_id in (x'01010101010101010101010101010101', \
                  x'03030303030303030303030303030303')").await;

        let first: Vec<_> = db.claim(2).await.into_iter().map(|one| one.execution.id).collect();

        assert_eq!(first, ids(&[2, 4]));
        assert_eq!(db.claimed(&everything()).await, ids(&[5]));
        let (state, why) = db.why_blocked(1).await;
        assert_eq!((state, why.kind.as_str()), (ExecutionState::Blocked, kind::CORRUPT));
        assert!(why.message.contains("journal.head") && why.message.contains("/1"), "{why}");
        assert_eq!(db.why_blocked(3).await.0, ExecutionState::Blocked);
    }

    async fn an_execution_whose_inbox_cannot_be_read_does_not_head_the_claim(db: Database) {
        db.commit((1..=2).map(|number| start(execution(number))).collect()).await;
        db.store.deliver(db.host, execution_id(1), &signal("1")).await.unwrap();
        db.spoil("update inbox set kind = 99").await;

        assert_eq!(db.claimed(&everything()).await, ids(&[2]));

        assert!(db.why_blocked(1).await.1.message.contains("inbox."));
    }

    async fn an_execution_whose_row_cannot_be_read_does_not_head_the_claim(db: Database) {
        db.commit((1..=2).map(|number| start(execution(number))).collect()).await;
        db.spoil("update executions set tags = '{' where id = x'01010101010101010101010101010101'").await;

        assert_eq!(db.claimed(&everything()).await, ids(&[2]));
        assert_eq!(db.claimed(&everything()).await, []);

        db.spoil("update executions set tags = null").await;
        assert_eq!(db.why_blocked(1).await.0, ExecutionState::Blocked);
    }

    async fn a_task_that_cannot_be_read_fails_its_call(db: Database) {
        let id = db.born(1).await;
        let tasks = vec![task(1, 0, (2, 0)), task(2, 1, (9, 0)), task(3, 2, (2, 0)), task(4, 3, (2, 0))];
        db.commit(vec![write(Append { entries: vec![call(2, 0)], tasks, ..db.append(id) })]).await;
        db.spoil("update tasks set retry = '{' where promise = 2").await;

        let claimed = db.store.claim_tasks(db.host, &everything(), 2).await.unwrap();

        let promises: Vec<_> = claimed.iter().map(|task| task.promise.0).collect();
        assert_eq!(promises, [0, 3]);
        let inbox = db.store.inbox(db.host, id).await.unwrap().unwrap();
        let settled: Vec<_> = inbox.arrivals.iter().map(|(_, arrival)| match arrival {
            Arrival::Settled { promise, outcome: Err(failure), .. } => (promise.0, failure.kind.as_str()),
            other => unreachable!("{other:?}"),
        }).collect();
        assert_eq!(settled, [(1, kind::CORRUPT), (2, kind::CORRUPT)]);
        assert_eq!(db.view(id).await.tasks, 2);
    }

    async fn a_task_of_which_nothing_can_be_read_stays_out_of_the_way(db: Database) {
        let id = db.born(1).await;
        let tasks = vec![task(1, 0, (2, 0)), task(2, 1, (2, 0))];
        db.commit(vec![write(Append { entries: vec![call(2, 0)], tasks, ..db.append(id) })]).await;
        db.spoil("update tasks set execution_id = x'00' where promise = 0").await;

        let claimed = db.store.claim_tasks(db.host, &everything(), 2).await.unwrap();

        assert_eq!(claimed.iter().map(|task| task.promise.0).collect::<Vec<_>>(), [1]);
        assert!(db.store.claim_tasks(db.host, &everything(), 2).await.unwrap().is_empty());
        assert!(!db.renew().await.work);
    }

    async fn an_owner_blocks_what_it_cannot_read(db: Database) {
        let id = db.born(1).await;
        db.spoil("update executions set priority = 9223372036854775807").await;
        let error = db.store.snapshot(db.host, id).await.unwrap_err();
        let why = error.as_corrupt().unwrap();

        db.store.block(crate::database::new_host(), id, &why).await.unwrap_err();
        db.store.block(db.host, id, &why).await.unwrap();

        db.spoil("update executions set priority = 0").await;
        let (state, why) = db.why_blocked(1).await;
        assert_eq!((state, why.kind.as_str()), (ExecutionState::Blocked, kind::CORRUPT));
        assert_eq!(db.view(id).await.owner, None);
    }
}
