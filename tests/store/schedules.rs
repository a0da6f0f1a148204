//! Schedules: what is put, what fires, and what of it happens once.

use std::time::Duration;

use stepwell::journal::Arrival;
use stepwell::model::{
    ExecutionId, ExecutionState, Failure, Overlap, Routing, ScheduleSpec, Timestamp, Wake,
};
use stepwell::store::{
    Fired, Planned, Put, ScheduleRow, StartPlan, StoreError, Trigger, Triggered,
};

use crate::database::{Database, execution_id, module};
use crate::words::name;

/// Fires every hour; a firing may be up to three hours late.
fn hourly(overlap: &str) -> ScheduleSpec {
    let json = format!(
        r#"{{"every":"1h","workflow":"report","input":{{"a":1.0}},"catch_up":"3h","overlap":"{overlap}"}}"#
    );
    serde_json::from_str(&json).unwrap()
}

fn plan() -> StartPlan {
    let max_duration = Some(Duration::from_mins(5));
    StartPlan { module: module(), routing: Routing::default(), max_duration }
}

fn planned(row: &ScheduleRow) -> Planned {
    Planned { name: row.name.clone(), version: row.version, plan: Ok(plan()), seed: [3; 32] }
}

fn trigger(row: &ScheduleRow, execution: ExecutionId) -> Trigger {
    let (name, version) = (row.name.clone(), row.version);
    Trigger { name, version, plan: plan(), execution, seed: [4; 32] }
}

/// Puts the last firings of each schedule before this moment.
const AN_HOUR_BACK: &str =
    "update schedules set next_at = next_at - 3600000000, due_at = next_at - 3600000000";
const THREE_HOURS_BACK: &str =
    "update schedules set next_at = next_at - 10800000000, due_at = next_at - 10800000000";
const TEN_HOURS_BACK: &str =
    "update schedules set next_at = next_at - 36000000000, due_at = next_at - 36000000000";

impl Database {
    async fn put(&self, spec: &ScheduleSpec) -> ScheduleRow {
        match self.store.put_schedule(self.host, &name("hourly"), spec).await.unwrap() {
            Put::Created(row) | Put::Changed(row) => *row,
            Put::Full => unreachable!("there are few"),
        }
    }

    async fn row(&self) -> ScheduleRow {
        self.store.schedule(&name("hourly")).await.unwrap().unwrap()
    }

    async fn fire(&self) -> Vec<Fired> {
        let row = self.row().await;
        self.store.fire(self.host, &[planned(&row)]).await.unwrap()
    }

    /// What a firing has started.
    async fn started(&self) -> Vec<ExecutionId> {
        let fired = self.fire().await;
        fired.iter().flat_map(|one| &one.started).map(|firing| firing.execution).collect()
    }

    async fn finish(&self, id: ExecutionId) {
        assert!(self.claim(10).await.iter().any(|snapshot| snapshot.execution.id == id));
        self.end(id, 2, ExecutionState::Completed).await;
    }
}

on_both_databases! {
    async fn a_firing_starts_one_execution_and_moves_the_schedule_on(db: Database) {
        let put = db.put(&hourly("skip")).await;
        db.spoil(AN_HOUR_BACK).await;

        let fired = db.fire().await;

        let [one] = fired.as_slice() else { unreachable!("{fired:?}") };
        let firing = one.started[0];
        let due = put.next_at.unwrap() - Duration::from_hours(1);
        assert_eq!((one.started.len(), firing.at), (1, due));
        assert_eq!(firing.execution, ExecutionId::of_firing(&name("hourly"), due));
        assert_eq!(one.wakes, [Wake::Work { queue: name("default") }]);
        let row = db.row().await;
        assert_eq!((row.next_at, row.due_at), (put.next_at, put.next_at));
        assert_eq!((row.progress.fired, row.progress.last[0]), (1, firing));
        let claimed = db.claim(10).await;
        assert_eq!(claimed[0].execution.id, firing.execution);
        assert_eq!(claimed[0].execution.workflow, name("report"));
        let expires_at = claimed[0].execution.expires_at;
        assert_eq!(expires_at, Some(claimed[0].execution.created_at + Duration::from_mins(5)));
        assert!(db.fire().await.is_empty());
    }

    async fn nothing_fires_early(db: Database) {
        db.put(&hourly("skip")).await;

        assert!(db.fire().await.is_empty());
        assert!(db.claim(10).await.is_empty());
    }

    async fn two_who_fire_at_once_start_it_once(db: Database) {
        for _ in 0..5 {
            db.put(&hourly("allow")).await;
            db.spoil(AN_HOUR_BACK).await;
            let row = db.row().await;
            let plans = [planned(&row)];

            let fires = || db.store.fire(db.host, &plans);
            let (one, two, three) = tokio::join!(fires(), fires(), fires());

            let fired = [one.unwrap(), two.unwrap(), three.unwrap()].concat();
            assert_eq!(fired.len(), 1, "{fired:?}");
            assert_eq!(db.claim(10).await.len(), 1);
            assert!(db.store.remove_schedule(db.host, &name("hourly")).await.unwrap());
            db.spoil("delete from executions").await;
            db.spoil("delete from journal").await;
        }
    }

    async fn late_firings_within_the_window_fire_oldest_first(db: Database) {
        db.put(&hourly("allow")).await;
        db.spoil(THREE_HOURS_BACK).await;

        let fired = db.fire().await;

        let times: Vec<_> = fired[0].started.iter().map(|firing| firing.at).collect();
        assert_eq!(times.len(), 3);
        assert!(times.is_sorted() && !fired[0].missed);
        assert_eq!(db.claim(10).await.len(), 3);
    }

    async fn firings_that_are_too_late_are_left_out_and_told(db: Database) {
        db.put(&hourly("allow")).await;
        db.spoil(TEN_HOURS_BACK).await;

        let fired = db.fire().await;

        assert_eq!(fired[0].started.len(), 3);
        assert!(fired[0].missed && db.row().await.progress.last_missed.is_some());
        assert!(db.row().await.next_at > Some(db.now));
    }

    async fn a_firing_is_skipped_until_the_one_before_has_ended(db: Database) {
        let put = db.put(&hourly("skip")).await;
        db.store.trigger(db.host, &trigger(&put, execution_id(1))).await.unwrap();
        db.spoil(THREE_HOURS_BACK).await;

        let skipped = db.fire().await;
        assert_eq!((skipped[0].started.len(), skipped[0].skipped), (0, 3));
        db.finish(execution_id(1)).await;
        db.spoil(AN_HOUR_BACK).await;
        let started = db.started().await;

        assert_eq!(started.len(), 1);
        assert_eq!(db.row().await.progress.running, started);
    }

    async fn a_time_that_has_been_is_known_by_its_execution(db: Database) {
        db.put(&hourly("allow")).await;
        db.spoil(AN_HOUR_BACK).await;
        let first = db.started().await;
        db.spoil(AN_HOUR_BACK).await;

        assert_eq!(db.started().await, first);

        assert_eq!(db.claim(10).await.len(), 1);
    }

    async fn a_queued_firing_begins_when_the_one_before_has_ended(db: Database) {
        db.put(&hourly("queue")).await;
        db.spoil(THREE_HOURS_BACK).await;
        let first = db.started().await;
        assert_eq!((first.len(), db.row().await.progress.queued.len()), (1, 2));
        assert!(db.row().await.due_at < db.row().await.next_at, "it is looked at before");

        db.spoil("update schedules set due_at = 1").await;
        assert_eq!(db.started().await, []);
        db.finish(first[0]).await;
        db.spoil("update schedules set due_at = 1").await;
        let second = db.started().await;

        assert_eq!((second.len(), db.row().await.progress.queued.len()), (1, 1));
        assert_ne!(first, second);
    }

    async fn the_one_before_is_cancelled(db: Database) {
        let put = db.put(&hourly("cancel_previous")).await;
        db.store.trigger(db.host, &trigger(&put, execution_id(1))).await.unwrap();
        db.claim(10).await;
        db.spoil(THREE_HOURS_BACK).await;

        let fired = db.fire().await;

        assert_eq!((fired[0].started.len(), fired[0].skipped), (1, 2), "only the last one begins");
        let told = Wake::Arrival { owner: db.host, execution: execution_id(1) };
        assert!(fired[0].wakes.contains(&told), "{fired:?}");
        let inbox = db.store.inbox(db.host, execution_id(1)).await.unwrap().unwrap();
        assert!(matches!(inbox.arrivals[0].1, Arrival::Cancel { force: false, .. }));
        assert_eq!(db.row().await.progress.running, [fired[0].started[0].execution]);
    }

    async fn what_cannot_start_is_told_and_does_not_stall_the_schedule(db: Database) {
        let put = db.put(&hourly("skip")).await;
        db.spoil(AN_HOUR_BACK).await;
        let failure = Failure::new("unknown-workflow", "no active module has a workflow");
        let plan = Planned { plan: Err(failure.clone()), ..planned(&db.row().await) };

        let fired = db.store.fire(db.host, &[plan]).await.unwrap();

        assert_eq!(fired[0].failure.as_ref(), Some(&failure));
        let row = db.row().await;
        assert_eq!(row.next_at, put.next_at);
        assert_eq!((row.progress.failed, row.progress.fired), (1, 0));
        assert_eq!(row.progress.last_failure.unwrap().failure, failure);
        assert!(db.claim(10).await.is_empty());
    }

    async fn a_plan_for_another_spec_starts_nothing(db: Database) {
        let before = db.put(&hourly("skip")).await;
        db.put(&hourly("allow")).await;
        db.spoil(AN_HOUR_BACK).await;

        assert!(db.store.fire(db.host, &[planned(&before)]).await.unwrap().is_empty());
        assert_eq!(db.started().await.len(), 1);
    }

    async fn a_paused_schedule_fires_nothing_and_makes_nothing_up(db: Database) {
        let put = db.put(&hourly("allow")).await;
        db.spoil(THREE_HOURS_BACK).await;
        let pause = |at: Option<Timestamp>| {
            let store = std::sync::Arc::clone(&db.store);
            async move { store.pause_schedule(db.host, &name("hourly"), at).await.unwrap() }
        };

        pause(Some(db.now)).await.unwrap();
        assert!(db.fire().await.is_empty());
        assert!(db.store.due_schedules(db.now, 10).await.unwrap().is_empty());
        assert_eq!(db.renew().await.next_firing, None);
        let resumed = pause(None).await.unwrap();

        assert_eq!((resumed.paused_at, resumed.next_at), (None, put.next_at));
        assert!(db.fire().await.is_empty());
        assert!(db.store.pause_schedule(db.host, &name("other"), None).await.unwrap().is_none());
    }

    async fn a_schedule_that_is_put_again_stays_late(db: Database) {
        db.put(&hourly("skip")).await;
        db.spoil(AN_HOUR_BACK).await;

        db.put(&hourly("skip")).await;
        let row = db.put(&ScheduleSpec { overlap: Overlap::Allow, ..hourly("skip") }).await;

        assert!(row.due_at.unwrap() <= db.now);
        let every_minute = serde_json::from_str(r#"{"every":"1m","workflow":"report"}"#).unwrap();
        let other = db.put(&every_minute).await;
        assert!(other.next_at.unwrap() > db.now && other.version > row.version);
    }

    async fn a_start_by_hand_happens_once_for_its_key_and_moves_nothing(db: Database) {
        let put = db.put(&hourly("skip")).await;
        let start = async |row: &ScheduleRow, id| {
            db.store.trigger(db.host, &trigger(row, id)).await.unwrap()
        };

        let input_hash = put.spec.input.hash();
        assert_eq!(start(&put, execution_id(1)).await, Triggered::Started);
        assert_eq!(start(&put, execution_id(1)).await, Triggered::Exists { input_hash });

        let row = db.row().await;
        assert_eq!((row.next_at, row.progress.fired), (put.next_at, 1));
        assert_eq!(db.claim(10).await.len(), 1);
        db.spoil(AN_HOUR_BACK).await;
        assert_eq!(db.started().await, [], "what was started by hand runs");
        db.put(&hourly("allow")).await;
        assert_eq!(start(&put, execution_id(2)).await, Triggered::Changed);
        db.store.remove_schedule(db.host, &name("hourly")).await.unwrap();
        assert_eq!(start(&put, execution_id(2)).await, Triggered::Missing);
    }

    async fn renewals_and_looks_say_when_a_schedule_is_due(db: Database) {
        assert_eq!(db.renew().await.next_firing, None);

        let put = db.put(&hourly("skip")).await;

        assert_eq!(db.renew().await.next_firing, put.next_at);
        let looked = db.store.look_for_work(db.host).await.unwrap();
        assert_eq!((looked.next_firing, looked.work), (put.next_at, false));
    }

    async fn there_are_no_more_schedules_than_the_limit(db: Database) {
        let put = async |text: &str| {
            db.store.put_schedule(db.host, &name(text), &hourly("skip")).await.unwrap()
        };
        for text in ["b", "a", "c"] {
            assert!(matches!(put(text).await, Put::Created(_)));
        }

        assert_eq!(put("d").await, Put::Full);
        assert!(matches!(put("a").await, Put::Changed(_)));
        let list = async |after: Option<&str>| {
            let after = after.map(name);
            let rows = db.store.schedules(after.as_ref(), 2).await.unwrap();
            rows.into_iter().map(|row| row.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(list(None).await, ["a", "b"]);
        assert_eq!(list(Some("b")).await, ["c"]);
        assert!(db.store.remove_schedule(db.host, &name("a")).await.unwrap());
        assert!(!db.store.remove_schedule(db.host, &name("a")).await.unwrap());
        assert!(db.store.schedule(&name("a")).await.unwrap().is_none());
    }

    async fn many_schedules_fire_in_one_transaction(db: Database) {
        let mut plans = Vec::new();
        for text in ["a", "b", "c"] {
            let put = db.store.put_schedule(db.host, &name(text), &hourly("skip")).await.unwrap();
            let Put::Created(row) = put else { unreachable!() };
            plans.push(planned(&row));
        }
        db.spoil(AN_HOUR_BACK).await;
        db.spoil("update schedules set spec = '{}' where name = 'b'").await;

        let due = db.store.due_schedules(db.now, 10).await.unwrap();
        assert_eq!(due.len(), 2, "one cannot be read, and is in nobody's way");
        plans.retain(|plan| plan.name != name("b"));
        let fired = db.store.fire(db.host, &plans).await.unwrap();

        assert_eq!(fired.len(), 2);
        assert_eq!(db.claim(10).await.len(), 2);
    }

    async fn the_dead_neither_fire_nor_put_nor_start_anything(db: Database) {
        let row = db.put(&hourly("skip")).await;
        db.spoil(AN_HOUR_BACK).await;
        db.die().await;
        let (store, dead, hourly_name) = (&db.store, db.host, name("hourly"));
        let is_fenced = |error: StoreError| matches!(error, StoreError::Fenced { .. });

        assert!(is_fenced(store.fire(dead, &[planned(&row)]).await.unwrap_err()));
        assert!(is_fenced(store.put_schedule(dead, &hourly_name, &row.spec).await.unwrap_err()));
        assert!(is_fenced(store.trigger(dead, &trigger(&row, execution_id(1))).await.unwrap_err()));
        assert!(is_fenced(store.remove_schedule(dead, &hourly_name).await.unwrap_err()));
        assert!(is_fenced(store.pause_schedule(dead, &hourly_name, None).await.unwrap_err()));
    }
}

#[tokio::test]
async fn of_two_hosts_that_fire_at_once_one_does() {
    let db = Database::postgres().await;
    let peer = db.peer().await;
    for hour in 0..10 {
        db.put(&hourly("allow")).await;
        db.spoil(AN_HOUR_BACK).await;
        let plans = [planned(&db.row().await)];

        let (one, two) =
            tokio::join!(db.store.fire(db.host, &plans), peer.store.fire(peer.host, &plans));

        assert_eq!(one.unwrap().len() + two.unwrap().len(), 1, "round {hour}");
        // The same time again: whoever fires it, nothing is born twice.
        assert_eq!(db.claim(10).await.len(), usize::from(hour == 0));
    }
}
