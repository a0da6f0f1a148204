//! No wake-up is lost, in whatever order things happen.

use stepwell::journal::Arrival;
use stepwell::model::{ExecutionState, Run};
use stepwell::store::{Append, Delivered, NewExecution, RowChange};

use crate::database::{Database, everything, execution_id};
use crate::words::{at, cancel, execution, force, outcome_of, signal, start, write};

on_both_databases! {
    async fn what_arrives_after_parking_wakes(db: Database) {
        let id = db.born(1).await;
        db.park(id, 0, None).await;
        assert!(db.claim(10).await.is_empty());

        let delivered = db.store.deliver(db.host, id, &signal("1")).await.unwrap();

        assert_eq!(delivered, Delivered::To { owner: None });
        let woken = db.claim(10).await;
        assert_eq!(woken[0].execution.state, ExecutionState::Running);
        assert_eq!(woken[0].inbox.arrivals[0].1, signal("1"));
        assert_eq!(woken[0].inbox.seq, 1);
    }

    async fn what_arrives_before_parking_and_was_not_seen_wakes(db: Database) {
        let id = db.born(1).await;
        db.store.deliver(db.host, id, &signal("1")).await.unwrap();

        db.park(id, 0, None).await;

        assert_eq!(db.claim(10).await[0].inbox.arrivals.len(), 1);
    }

    async fn what_was_seen_before_parking_does_not_wake_again(db: Database) {
        let id = db.born(1).await;
        db.store.deliver(db.host, id, &signal("1")).await.unwrap();
        let inbox = db.store.inbox(db.host, id).await.unwrap().unwrap();
        let admitted = inbox.arrivals.iter().map(|(id, _)| *id).collect();
        let row = RowChange::Park { seen: inbox.seq, next_timer: None };

        db.commit(vec![write(Append { admitted, row, ..db.append(id) })]).await;

        assert!(db.claim(10).await.is_empty());
        assert_eq!(db.view(id).await.row.state, ExecutionState::Waiting);
    }

    async fn a_second_arrival_between_reading_and_parking_wakes(db: Database) {
        let id = db.born(1).await;
        db.store.deliver(db.host, id, &signal("1")).await.unwrap();
        let inbox = db.store.inbox(db.host, id).await.unwrap().unwrap();
        db.store.deliver(db.host, id, &signal("2")).await.unwrap();
        let admitted = inbox.arrivals.iter().map(|(id, _)| *id).collect();
        let row = RowChange::Park { seen: inbox.seq, next_timer: None };

        db.commit(vec![write(Append { admitted, row, ..db.append(id) })]).await;

        assert_eq!(db.claim(10).await[0].inbox.arrivals[0].1, signal("2"));
    }

    async fn an_owner_is_named_to_whoever_delivers(db: Database) {
        let id = db.born(1).await;

        let delivered = db.store.deliver(db.host, id, &signal("1")).await.unwrap();

        assert_eq!(delivered, Delivered::To { owner: Some(db.host) });
        assert!(db.claim(10).await.is_empty());
        assert!(db.renew().await.arrivals);
    }

    async fn arrivals_are_read_in_their_order_and_as_they_were(db: Database) {
        let id = db.born(1).await;
        let arrivals = [signal("1"), outcome_of(3), cancel(), force(), signal("2")];
        for arrival in &arrivals {
            db.store.deliver(db.host, id, arrival).await.unwrap();
        }

        let inbox = db.store.inbox(db.host, id).await.unwrap().unwrap();

        let read: Vec<Arrival> = inbox.arrivals.into_iter().map(|(_, arrival)| arrival).collect();
        assert_eq!(read, arrivals);
    }

    async fn an_inbox_is_shown_to_the_owner_alone(db: Database) {
        let id = db.born(1).await;
        assert!(db.store.inbox(db.host, id).await.unwrap().is_some());

        db.park(id, 0, None).await;

        assert!(db.store.inbox(db.host, id).await.unwrap().is_none());
        assert!(db.store.snapshot(db.host, id).await.unwrap().is_none());
    }

    async fn what_has_ended_or_never_was_receives_nothing(db: Database) {
        let id = db.born(1).await;
        db.end(id, 2, ExecutionState::Completed).await;

        let late = db.store.deliver(db.host, id, &signal("1")).await.unwrap();
        let lost = db.store.deliver(db.host, execution_id(9), &signal("1")).await.unwrap();

        assert_eq!(late, Delivered::Ended(ExecutionState::Completed));
        assert_eq!(lost, Delivered::Missing);
    }

    async fn an_inbox_holds_so_many_signals_and_any_cancel(db: Database) {
        let id = db.born(1).await;
        for _ in 0..3 {
            db.store.deliver(db.host, id, &signal("1")).await.unwrap();
        }

        let fourth = db.store.deliver(db.host, id, &signal("1")).await.unwrap();
        let cancelled = db.store.deliver(db.host, id, &cancel()).await.unwrap();

        assert_eq!(fourth, Delivered::Full);
        assert_eq!(cancelled, Delivered::To { owner: Some(db.host) });
        assert_eq!(db.store.inbox(db.host, id).await.unwrap().unwrap().seq, 4);
    }

    async fn a_delayed_execution_is_woken_by_a_cancel_and_not_by_a_signal(db: Database) {
        let start_at = at(i64::MAX / 2);
        db.commit(vec![start(NewExecution { start_at, ..execution(1) })]).await;

        db.store.deliver(db.host, execution_id(1), &signal("1")).await.unwrap();
        assert!(db.claim(10).await.is_empty());
        db.store.deliver(db.host, execution_id(1), &cancel()).await.unwrap();

        assert_eq!(db.claim(10).await[0].inbox.arrivals.len(), 2);
    }

    async fn a_cancelling_execution_stays_so_while_it_is_parked(db: Database) {
        let id = db.born(1).await;
        let row = RowChange::Stay { state: ExecutionState::Cancelling, expires_at: None, base: None };
        db.commit(vec![write(Append { row, ..db.append(id) })]).await;

        db.park(id, 0, None).await;
        assert_eq!(db.view(id).await.row.state, ExecutionState::Cancelling);
        db.store.deliver(db.host, id, &signal("1")).await.unwrap();

        assert_eq!(db.claim(10).await[0].execution.state, ExecutionState::Cancelling);
    }

    async fn what_is_paused_is_not_claimed_until_it_is_resumed(db: Database) {
        db.commit(vec![start(execution(1))]).await;
        let id = execution_id(1);

        db.store.pause(db.host, id, Some(db.now)).await.unwrap();
        db.store.deliver(db.host, id, &cancel()).await.unwrap();
        assert!(db.claim(10).await.is_empty());
        assert_eq!(db.view(id).await.row.paused_at, Some(db.now));
        db.store.pause(db.host, id, None).await.unwrap();

        assert_eq!(db.claim(10).await.len(), 1);
    }

    async fn who_brings_force_takes_what_is_paused_and_has_no_owner(db: Database) {
        db.commit(vec![start(execution(1))]).await;
        db.store.pause(db.host, execution_id(1), Some(db.now)).await.unwrap();

        let delivered = db.store.deliver(db.host, execution_id(1), &force()).await.unwrap();

        assert_eq!(delivered, Delivered::To { owner: Some(db.host) });
        assert_eq!(db.snapshot(execution_id(1)).await.inbox.arrivals.len(), 1);
        assert!(db.claim(10).await.is_empty(), "it is taken");
    }

    async fn a_paused_one_is_looked_at_by_force_that_came_as_it_parked(db: Database) {
        let id = db.born(1).await;
        db.store.pause(db.host, id, Some(db.now)).await.unwrap();
        db.store.deliver(db.host, id, &force()).await.unwrap();

        db.park(id, 0, None).await;

        assert_eq!(db.claim(10).await[0].inbox.arrivals[0].1, force());
    }

    async fn force_outlives_the_host_that_took_what_is_paused(db: Database) {
        db.commit(vec![start(execution(1))]).await;
        db.store.pause(db.host, execution_id(1), Some(db.now)).await.unwrap();
        db.store.deliver(db.host, execution_id(1), &force()).await.unwrap();

        let heir = db.die().await;

        let claimed = db.store.claim_executions(heir, &everything(), 10).await.unwrap();
        assert_eq!(claimed[0].inbox.arrivals[0].1, force());
    }

    async fn force_outlives_a_drain(db: Database) {
        let id = db.born(1).await;
        db.store.pause(db.host, id, Some(db.now)).await.unwrap();
        db.store.deliver(db.host, id, &force()).await.unwrap();
        db.store.retire(db.host).await.unwrap();

        let heir = db.die().await;

        let claimed = db.store.claim_executions(heir, &everything(), 10).await.unwrap();
        assert_eq!(claimed[0].inbox.arrivals[0].1, force());
    }

    async fn what_parks_while_it_is_paused_waits_for_being_resumed(db: Database) {
        let id = db.born(1).await;
        let delivered = db.store.pause(db.host, id, Some(db.now)).await.unwrap();
        assert_eq!(delivered, Delivered::To { owner: Some(db.host) });
        db.store.deliver(db.host, id, &signal("1")).await.unwrap();

        db.park(id, 1, Some(at(1))).await;
        assert_eq!(db.store.promote(db.host, db.now, 10).await.unwrap(), 0);
        assert!(db.claim(10).await.is_empty());
        db.store.pause(db.host, id, None).await.unwrap();

        assert_eq!(db.claim(10).await.len(), 1);
    }

    async fn a_resumed_delay_goes_on(db: Database) {
        let start_at = at(i64::MAX / 2);
        db.commit(vec![start(NewExecution { start_at, ..execution(1) })]).await;
        db.store.pause(db.host, execution_id(1), Some(db.now)).await.unwrap();

        db.store.pause(db.host, execution_id(1), None).await.unwrap();

        assert!(db.claim(10).await.is_empty());
        assert_eq!(db.store.promote(db.host, start_at, 10).await.unwrap(), 1);
        assert_eq!(db.claim(10).await.len(), 1);
    }

    async fn only_what_goes_on_is_paused(db: Database) {
        let id = db.born(1).await;
        db.end(id, 2, ExecutionState::Completed).await;

        let ended = db.store.pause(db.host, id, Some(db.now)).await.unwrap();
        let missing = db.store.pause(db.host, execution_id(9), None).await.unwrap();

        assert_eq!(ended, Delivered::Ended(ExecutionState::Completed));
        assert_eq!(missing, Delivered::Missing);
        assert_eq!(db.view(id).await.row.run, Run(0));
    }
}
