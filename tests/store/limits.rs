//! Limits across the cluster, on one database: who may begin, and who goes on when there is room.

use std::time::Duration;

use stepwell::model::{
    CallLimits, ExecutionId, ExecutionState, Failure, Limit, Promise, ResultKey, ResultOf, TaskId,
};
use stepwell::store::{Append, ClaimedTask, Keep, NewTask, TaskEnd, TaskFilter, TaskRef};

use crate::database::{Database, everything};
use crate::words::{at, call_many, completed, json, name, task, write};

/// The limit of the step, and of this key of it.
pub(crate) fn limits(step: Option<u32>, key: Option<(&str, u32)>) -> CallLimits {
    let limit = |limit_name: String, slots| Limit {
        name: limit_name,
        step: name("charge"),
        key: None,
        slots: Some(slots),
        rate: None,
    };
    CallLimits {
        step: step.map(|slots| limit("s:shop/charge".to_owned(), slots)),
        key: key.map(|(key, slots)| limit(format!("k:shop/charge/{key}"), slots)),
    }
}

pub(crate) fn rated(rate: &str) -> CallLimits {
    let mut limits = limits(Some(1), None);
    if let Some(limit) = &mut limits.step {
        (limit.slots, limit.rate) = (None, Some(rate.parse().unwrap()));
    }
    limits
}

fn id(execution: u8, promise: u32) -> TaskId {
    let mut id = [execution; 16];
    id[..4].copy_from_slice(&promise.to_be_bytes());
    TaskId::from_bytes(id)
}

impl Database {
    /// An execution of this host that has called the step once for each of these.
    pub(crate) async fn called_with(&self, number: u8, all: &[CallLimits]) -> ExecutionId {
        self.called_so(number, all, |task| task).await
    }

    async fn called_so(
        &self,
        number: u8,
        all: &[CallLimits],
        change: impl Fn(NewTask) -> NewTask,
    ) -> ExecutionId {
        let execution = self.born(number).await;
        let inputs: Vec<&str> = all.iter().map(|_| "1").collect();
        let tasks = (0..).zip(all).map(|(promise, limits)| {
            let limits = limits.clone();
            let visible_at = at(1_000 + i64::from(promise));
            let task = task(0, promise, (2, promise));
            change(NewTask { id: id(number, promise), limits, visible_at, ..task })
        });
        let append = Append {
            entries: vec![call_many(2, 0, &inputs)],
            tasks: tasks.collect(),
            ..self.append(execution)
        };
        self.commit(vec![write(append)]).await;
        execution
    }

    async fn admitted(&self) -> Vec<ClaimedTask> {
        self.store.claim_tasks(self.host, &everything(), 100).await.unwrap()
    }

    async fn admitted_promises(&self) -> Vec<u32> {
        self.admitted().await.iter().map(|task| task.promise.0).collect()
    }

    pub(crate) async fn end_one(&self, task: &ClaimedTask, end: TaskEnd) {
        let ended = self.store.end_task(self.host, &task_ref(task), end, Vec::new()).await.unwrap();
        assert!(ended.is_some());
    }

    /// What waits is no longer where it was, as a host of an older version might have it.
    async fn let_all_pass(&self) {
        self.spoil("update tasks set ready = 1, blocked_on = null where owner is null").await;
    }
}

pub(crate) fn task_ref(task: &ClaimedTask) -> TaskRef {
    TaskRef {
        id: task.id,
        execution: task.execution,
        run: task.run,
        promise: task.promise,
        attempt: task.attempt,
    }
}

pub(crate) fn retry(after: Duration, db: &Database) -> TaskEnd {
    TaskEnd::Retry { at: db.now + after, failure: Failure::new("busy", ""), heartbeat: None }
}

on_both_databases! {
    async fn as_many_run_as_there_are_slots(db: Database) {
        db.called_with(1, &vec![limits(Some(3), None); 10]).await;

        let begun = db.admitted().await;

        assert_eq!(begun.iter().map(|task| task.promise.0).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(begun.iter().all(|task| task.is_limited));
        assert!(db.admitted().await.is_empty());
        db.end_one(&begun[1], completed()).await;
        assert_eq!(db.admitted_promises().await, [3]);
    }

    async fn a_task_without_a_limit_waits_for_none(db: Database) {
        db.called_with(1, &[limits(Some(1), None), limits(Some(1), None), CallLimits::default()]).await;

        let begun = db.admitted_promises().await;

        assert_eq!(begun, [0, 2]);
    }

    async fn what_has_gone_past_its_limit_without_room_is_put_back_by_the_claim(db: Database) {
        db.called_with(1, &vec![limits(Some(3), None); 10]).await;
        db.let_all_pass().await;

        let begun = db.admitted().await;

        assert_eq!(begun.len(), 3);
        assert!(db.admitted().await.is_empty());
        db.let_all_pass().await;
        assert!(db.admitted().await.is_empty(), "three run");
        for task in &begun {
            db.end_one(task, completed()).await;
        }
        assert_eq!(db.admitted().await.len(), 3);
    }

    async fn a_flood_of_one_key_does_not_stand_before_another(db: Database) {
        let mut all = vec![limits(Some(4), Some(("ada", 2))); 20];
        all.push(limits(Some(4), Some(("bob", 2))));
        db.called_with(1, &all).await;

        assert_eq!(db.admitted_promises().await, [0, 1, 20]);
    }

    async fn a_key_waits_for_its_step_as_well(db: Database) {
        let keys = ["ada", "bob", "eve"].map(|key| limits(Some(2), Some((key, 1))));
        db.called_with(1, &keys).await;

        let begun = db.admitted().await;

        assert_eq!(begun.len(), 2);
        db.end_one(&begun[0], completed()).await;
        assert_eq!(db.admitted_promises().await, [2]);
    }

    async fn what_stands_between_the_limits_of_its_key_and_its_step_counts_for_its_key(db: Database) {
        let ada = limits(Some(1), Some(("ada", 2)));
        db.called_with(1, &vec![ada.clone(); 2]).await;

        let third = db.called_with(2, std::slice::from_ref(&ada)).await;

        let of_third = TaskFilter { execution: Some(third), limit: 10, ..TaskFilter::default() };
        let waits_for = async || db.store.tasks(&of_third).await.unwrap()[0].blocked_on.clone();
        assert_eq!(waits_for().await, ada.key.map(|limit| limit.name));
        let first = db.admitted().await;
        db.end_one(&first[0], completed()).await;
        // It is due before the one that stood between, and goes past both limits.
        assert_eq!(waits_for().await, None);
    }

    async fn a_retry_frees_its_slot_and_waits_for_one_again(db: Database) {
        db.called_with(1, &[limits(Some(1), None), limits(Some(1), None)]).await;
        let first = db.admitted().await;
        let after = Duration::from_secs(60);

        db.end_one(&first[0], retry(after, &db)).await;

        let second = db.admitted().await;
        assert_eq!(second[0].promise, Promise(1));
        db.store.promote(db.host, db.now + after, 10).await.unwrap();
        assert!(db.admitted().await.is_empty(), "it is due, and the other one has the slot");
        db.end_one(&second[0], completed()).await;
        assert_eq!(db.admitted().await[0].attempt, 2);
    }

    async fn whatever_ends_an_attempt_frees_its_slot(db: Database) {
        db.called_with(1, &vec![limits(Some(1), None); 4]).await;
        for end in [TaskEnd::Lost, TaskEnd::GivenBack, retry(Duration::ZERO, &db), completed()] {
            let begun = db.admitted().await;
            assert_eq!(begun.len(), 1, "before {end:?}");
            db.end_one(&begun[0], end).await;
        }
        assert_eq!(db.admitted().await.len(), 1);
    }

    async fn a_freed_slot_leaves_work_that_a_look_finds(db: Database) {
        let after = Duration::from_secs(60);
        for (number, end) in (1..).zip([TaskEnd::Lost, retry(after, &db), completed()]) {
            let id = db.called_with(number, &vec![limits(Some(1), None); 2]).await;
            let begun = db.admitted().await;
            assert!(!db.renew().await.work, "the other one waits aside");

            db.end_one(&begun[0], end.clone()).await;

            assert!(db.renew().await.work, "after {end:?}");
            db.end(id, 3, ExecutionState::Completed).await;
            assert!(!db.renew().await.work);
        }
    }

    async fn a_host_that_dies_frees_its_slots(db: Database) {
        db.called_with(1, &vec![limits(Some(2), None); 3]).await;
        assert_eq!(db.admitted().await.len(), 2);

        let heir = db.die().await;

        let begun = db.store.claim_tasks(heir, &everything(), 10).await.unwrap();
        assert_eq!(begun.iter().map(|task| (task.promise.0, task.losses)).collect::<Vec<_>>(), [(0, 1), (1, 1)]);
    }

    async fn a_suspect_keeps_to_its_limit(db: Database) {
        db.called_with(1, &vec![limits(Some(1), None); 2]).await;
        assert_eq!(db.admitted().await.len(), 1);
        db.spoil("update tasks set ready = 1, blocked_on = null, losses = 3 where owner is null").await;
        let filter = stepwell::store::ClaimFilter { suspect_after: Some(2), ..everything() };

        assert!(db.store.claim_suspect(db.host, &filter).await.unwrap().is_none());
    }

    async fn what_cannot_be_claimed_holds_up_nobody(db: Database) {
        let paused = db.called_with(1, &[limits(Some(1), None), limits(Some(1), None)]).await;
        db.called_with(2, &[limits(Some(1), None)]).await;
        db.store.pause(db.host, paused, Some(at(5))).await.unwrap();

        let begun = db.admitted().await;

        assert_ne!(begun[0].execution, paused);
        db.end_one(&begun[0], completed()).await;
        assert!(db.admitted().await.is_empty());
        db.store.pause(db.host, paused, None).await.unwrap();
        assert_eq!(db.admitted().await.len(), 1);
    }

    async fn who_waits_too_long_for_a_limit_fails(db: Database) {
        let until = |task| NewTask { schedule_by: Some(at(5_000)), ..task };
        let id = db.called_so(1, &vec![limits(Some(1), None); 3], until).await;
        db.let_all_pass().await;
        assert_eq!(db.admitted().await.len(), 1);

        db.store.promote(db.host, at(5_000), 10).await.unwrap();

        assert_eq!(db.view(id).await.tasks, 1, "the one that has begun");
    }

    async fn the_last_declaration_counts(db: Database) {
        db.called_with(1, &vec![limits(Some(1), None); 4]).await;
        assert_eq!(db.admitted().await.len(), 1);

        db.called_with(2, &[limits(Some(3), None)]).await;

        assert_eq!(db.admitted().await.len(), 2);
    }

    async fn a_rate_is_kept_to_and_says_when_the_next_may_begin(db: Database) {
        db.called_with(1, &vec![rated("10/h"); 3]).await;

        assert_eq!(db.admitted().await.len(), 1);

        db.let_all_pass().await;
        assert!(db.admitted().await.is_empty());
        let due = db.renew().await.next_due.unwrap().since(db.now);
        assert!((Duration::from_secs(360)..Duration::from_secs(420)).contains(&due), "{due:?}");
    }

    async fn a_rate_lets_the_next_begin_when_it_is_due(db: Database) {
        db.called_with(1, &vec![rated("10/s"); 3]).await;
        assert_eq!(db.admitted().await.len(), 2, "200 ms' worth");

        while db.store.promote(db.host, db.now, 10).await.unwrap() == 0 {}

        assert_eq!(db.admitted().await.len(), 1);
    }

    async fn a_call_that_follows_another_waits_for_no_limit_until_it_leads(db: Database) {
        let (module, step) = (name("shop"), name("charge"));
        let of = ResultOf { module: &module, step: &step, version: "1" };
        let key = ResultKey::of_input(of, &json("1"));
        let kept = |task| {
            let keep = Some(Keep { key, version: "1".to_owned(), ttl: None });
            NewTask { keep, ..task }
        };
        let leader = db.called_so(1, &[limits(Some(1), None)], kept).await;
        let other = db.called_with(2, &[limits(Some(1), None)]).await;
        let follower = db.called_so(3, &[limits(Some(1), None)], kept).await;
        assert_eq!(db.admitted().await[0].execution, leader);

        db.end(leader, 3, ExecutionState::Completed).await;
        db.store.stopped(db.host, db.store.stopping(db.host).await.unwrap()[0]).await.unwrap();

        let second = db.admitted().await;
        assert_eq!(second[0].execution, other, "its place is free, and the follower does not lead yet");
        while db.store.answer_followers(db.host, 10).await.unwrap().count > 0 {}
        assert!(db.admitted().await.is_empty(), "it leads, and there is no room for it");
        db.end_one(&second[0], completed()).await;
        assert_eq!(db.admitted().await[0].execution, follower);
    }

    async fn limits_are_removed_when_nothing_refers_to_them(db: Database) {
        db.called_with(1, &[limits(Some(1), Some(("ada", 1)))]).await;
        assert_eq!(db.store.prune_limits(db.host).await.unwrap(), 0);
        let begun = db.admitted().await;
        assert_eq!(db.store.prune_limits(db.host).await.unwrap(), 0);

        db.end_one(&begun[0], completed()).await;

        assert_eq!(db.store.prune_limits(db.host).await.unwrap(), 2);
    }
}
