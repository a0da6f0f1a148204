//! The ends of attempts.

use stepwell::journal::Arrival;
use stepwell::model::{ExecutionState, Failure, Outcome, Promise, Run};
use stepwell::store::{Delivered, TaskEnd};

use crate::database::{Database, everything};
use crate::words::{
    at, completed, counted, dead_letter, json, letters_of, logged, name, task, task_ref,
};

on_both_databases! {
    async fn an_outcome_goes_from_the_row_into_the_inbox(db: Database) {
        let id = db.called(1, task(1, 0, (2, 0))).await;
        db.store.claim_tasks(db.host, &everything(), 1).await.unwrap();
        let notes = vec![counted("sold", 2), logged("hello")];

        let end = db.store.end_task(db.host, &task_ref(1, id, 1), completed(), notes).await.unwrap();

        assert_eq!(end, Some(Delivered::To { owner: Some(db.host) }));
        let inbox = db.store.inbox(db.host, id).await.unwrap().unwrap();
        let Arrival::Settled { run, promise, outcome, attempt, .. } = &inbox.arrivals[0].1 else {
            unreachable!()
        };
        assert_eq!((*run, *promise, *attempt), (Run(0), Promise(0), 1));
        assert_eq!(outcome, &Outcome::Ok(json("7")));
        let view = db.view(id).await;
        assert_eq!((view.tasks, view.counters), (0, vec![(name("sold"), 2)]));
        assert_eq!(db.store.logs(id, 0, 10).await.unwrap().len(), 1);
    }

    async fn an_outcome_wakes_a_parked_caller(db: Database) {
        let id = db.called(1, task(1, 0, (2, 0))).await;
        db.store.claim_tasks(db.host, &everything(), 1).await.unwrap();
        db.park(id, 0, None).await;

        db.end_task(1, id, 1, completed()).await;

        assert_eq!(db.claim(10).await[0].inbox.arrivals.len(), 1);
    }

    async fn an_attempt_that_is_not_the_rows_writes_nothing(db: Database) {
        let id = db.called(1, task(1, 0, (2, 0))).await;
        let end = async |attempt| {
            let task = task_ref(1, id, attempt);
            db.store.end_task(db.host, &task, completed(), vec![counted("sold", 1)]).await.unwrap()
        };

        assert_eq!(end(1).await, None, "nobody has claimed it");
        db.store.claim_tasks(db.host, &everything(), 1).await.unwrap();
        assert_eq!(end(2).await, None, "it is the first attempt");
        assert!(end(1).await.is_some());
        assert_eq!(end(1).await, None, "it has ended already");

        let view = db.view(id).await;
        assert_eq!(view.counters, [(name("sold"), 1)]);
        assert_eq!(db.store.inbox(db.host, id).await.unwrap().unwrap().arrivals.len(), 1);
    }

    async fn a_failed_attempt_waits_for_its_next(db: Database) {
        let id = db.called(1, task(1, 0, (2, 0))).await;
        db.store.claim_tasks(db.host, &everything(), 1).await.unwrap();
        let later = db.now + std::time::Duration::from_hours(1);
        let failure = Failure::new("busy", "later");
        let end = TaskEnd::Retry { at: later, failure, heartbeat: Some(json("[3]")) };

        let ended = db.end_task(1, id, 1, end).await;

        assert_eq!(ended, Some(Delivered::To { owner: None }));
        assert!(db.store.claim_tasks(db.host, &everything(), 1).await.unwrap().is_empty());
        assert_eq!(db.store.promote(db.host, later, 10).await.unwrap(), 1);
        let again = db.store.claim_tasks(db.host, &everything(), 1).await.unwrap();
        assert_eq!((again[0].attempt, again[0].heartbeat.clone()), (2, Some(json("[3]"))));
    }

    async fn an_attempt_that_sent_no_heartbeat_leaves_that_of_the_one_before(db: Database) {
        let id = db.called(1, task(1, 0, (2, 0))).await;
        for (attempt, heartbeat) in [(1, Some(json("[3]"))), (2, None)] {
            db.store.claim_tasks(db.host, &everything(), 1).await.unwrap();
            let end = TaskEnd::Retry { at: at(1), failure: Failure::new("busy", ""), heartbeat };
            db.end_task(1, id, attempt, end).await;
        }

        let third = db.store.claim_tasks(db.host, &everything(), 1).await.unwrap();

        assert_eq!((third[0].attempt, third[0].heartbeat.clone()), (3, Some(json("[3]"))));
    }

    async fn a_retry_that_is_due_is_ready_at_once(db: Database) {
        let id = db.called(1, task(1, 0, (2, 0))).await;
        db.store.claim_tasks(db.host, &everything(), 1).await.unwrap();
        let end = TaskEnd::Retry { at: at(1), failure: Failure::new("busy", ""), heartbeat: None };

        db.end_task(1, id, 1, end).await;

        assert_eq!(db.store.claim_tasks(db.host, &everything(), 1).await.unwrap()[0].attempt, 2);
    }

    async fn a_lost_attempt_does_not_count(db: Database) {
        let id = db.called(1, task(1, 0, (2, 0))).await;
        db.store.claim_tasks(db.host, &everything(), 1).await.unwrap();

        let end = db.end_task(1, id, 1, TaskEnd::Lost);

        assert!(end.await.is_some());
        let again = db.store.claim_tasks(db.host, &everything(), 1).await.unwrap();
        assert_eq!((again[0].attempt, again[0].losses), (1, 1));
    }

    async fn a_dead_letter_is_kept_with_the_outcome(db: Database) {
        let id = db.called(1, task(1, 0, (2, 0))).await;
        db.store.claim_tasks(db.host, &everything(), 1).await.unwrap();
        let letter = dead_letter(0);
        let end = TaskEnd::Settled {
            outcome: Err(letter.failure.clone()),
            usage: stepwell::model::StepUsage::default(),
            dead_letter: Some(letter.clone()),
        };

        db.end_task(1, id, 1, end).await;

        let kept = db.store.dead_letters(&letters_of(id), None, 10).await.unwrap();
        assert_eq!((kept[0].attempts, &kept[0].failure), (3, &letter.failure));
        assert_eq!(db.store.dead_letter(kept[0].id).await.unwrap().unwrap().execution, id);
    }

    async fn what_nobody_began_in_time_fails(db: Database) {
        let late = stepwell::store::NewTask { schedule_by: Some(at(5_000)), ..task(1, 0, (2, 0)) };
        let id = db.called(1, late).await;

        assert_eq!(db.store.promote(db.host, at(4_999), 10).await.unwrap(), 0);
        assert_eq!(db.store.promote(db.host, at(5_000), 10).await.unwrap(), 1);

        let inbox = db.store.inbox(db.host, id).await.unwrap().unwrap();
        let Arrival::Settled { outcome: Err(failure), .. } = &inbox.arrivals[0].1 else {
            unreachable!()
        };
        assert_eq!(failure.kind, stepwell::model::kind::TIMED_OUT);
        assert_eq!(db.view(id).await.tasks, 0);
    }

    async fn what_somebody_began_in_time_goes_on(db: Database) {
        let late = stepwell::store::NewTask { schedule_by: Some(at(5_000)), ..task(1, 0, (2, 0)) };
        let id = db.called(1, late).await;
        db.store.claim_tasks(db.host, &everything(), 1).await.unwrap();

        assert_eq!(db.store.promote(db.host, at(5_000), 10).await.unwrap(), 0);

        assert_eq!(db.view(id).await.tasks, 1);
    }

    async fn a_task_that_is_handed_over_running_is_not_claimed(db: Database) {
        let owner = Some(db.host);
        let id = db.called(1, stepwell::store::NewTask { owner, ..task(1, 0, (2, 0)) }).await;

        assert!(db.store.claim_tasks(db.host, &everything(), 1).await.unwrap().is_empty());
        assert_eq!(db.store.owned(db.host).await.unwrap(), (vec![id], vec![task_ref(1, id, 1)]));
        let end = db.end_task(1, id, 1, completed());
        assert!(end.await.is_some());
    }

    async fn an_outcome_for_what_has_ended_is_dropped(db: Database) {
        let id = db.called(1, task(1, 0, (2, 0))).await;
        db.store.claim_tasks(db.host, &everything(), 1).await.unwrap();
        db.end(id, 3, ExecutionState::Completed).await;

        let end = db.end_task(1, id, 1, completed());

        assert_eq!(end.await, None);
    }
}
