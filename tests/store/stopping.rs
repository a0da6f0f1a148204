//! Calls that are dropped while a host runs them: what they hold is held until their guests are gone.

use std::time::Duration;

use stepwell::model::{
    CallLimits, ExecutionId, ExecutionState, Promise, Run, StepUsage, TaskId, Wake,
};
use stepwell::store::{
    Append, ClaimedTask, Holders, StoppingTask, TaskEnd, TaskSettled, Write, Written,
};

use crate::database::{Database, everything};
use crate::limits::{limits, retry, task_ref};
use crate::words::{completed, json, write};

impl Database {
    /// An execution that runs one of its two calls, which share a slot.
    async fn one_of_two(&self, number: u8) -> (ExecutionId, ClaimedTask) {
        let id = self.called_with(number, &vec![limits(Some(1), None); 2]).await;
        let mut begun = self.store.claim_tasks(self.host, &everything(), 9).await.unwrap();
        assert_eq!(begun.len(), 1, "the other one waits");
        (id, begun.remove(0))
    }

    async fn drop_call(&self, id: ExecutionId, promise: u32) -> Vec<Wake> {
        let dropped_tasks = vec![(Run(0), Promise(promise))];
        let append = Append { dropped_tasks, ..self.append(id) };
        let written = self.commit(vec![write(append)]).await;
        assert!(matches!(&written[..], [Written::Done(_)]), "{written:?}");
        let wakes = written.into_iter().filter_map(|written| match written {
            Written::Done(effects) => Some(effects.wakes),
            Written::Exists { .. } | Written::NotOwner | Written::Ended(_) | Written::Led(_) => {
                None
            }
        });
        wakes.flatten().collect()
    }

    async fn begun_promises(&self) -> Vec<u32> {
        let begun = self.store.claim_tasks(self.host, &everything(), 9).await.unwrap();
        begun.iter().map(|task| task.promise.0).collect()
    }

    async fn stopped(&self, task: TaskId) {
        self.store.stopped(self.host, StoppingTask { task, attempt: 1 }).await.unwrap();
    }

    async fn stopping(&self) -> Vec<TaskId> {
        self.store.stopping(self.host).await.unwrap().into_iter().map(|one| one.task).collect()
    }
}

on_both_databases! {
    async fn a_dropped_call_keeps_its_slot_until_its_attempt_has_ended(db: Database) {
        let ends = [completed(), retry(Duration::ZERO, &db), TaskEnd::Lost, TaskEnd::GivenBack];
        for (number, end) in (1..).zip(ends) {
            let (id, task) = db.one_of_two(number).await;

            db.drop_call(id, 0).await;
            assert_eq!(db.begun_promises().await, [0; 0], "it still runs");
            let ended = db.store.end_task(db.host, &task_ref(&task), end.clone(), Vec::new()).await;

            assert_eq!(ended.unwrap(), None, "nobody hears of it");
            assert_eq!(db.begun_promises().await, [1], "after {end:?}");
            db.end(id, 3, ExecutionState::Completed).await;
            db.stopped(db.stopping().await[0]).await;
        }
    }

    async fn what_ends_beside_it_in_one_commit_ends_as_ever(db: Database) {
        let id = db.called_with(1, &[limits(Some(2), None), limits(Some(2), None), limits(Some(2), None)]).await;
        let both = db.store.claim_tasks(db.host, &everything(), 9).await.unwrap();
        db.drop_call(id, 0).await;
        let end = |task: &ClaimedTask| {
            let (task, outcome) = (task_ref(task), Ok(json("1")));
            let usage = StepUsage::default();
            Write::End(Box::new(TaskSettled { task, outcome, usage, dead_letter: None, notes: Vec::new() }))
        };

        let written = db.commit(both.iter().map(end).collect()).await;

        assert!(matches!(&written[..], [Written::Ended(None), Written::Ended(Some(_))]), "{written:?}");
        assert_eq!(db.begun_promises().await, [2]);
        assert!(db.stopping().await.is_empty());
    }

    async fn what_goes_with_its_execution_keeps_its_slot_as_well(db: Database) {
        let (id, task) = db.one_of_two(1).await;
        db.called_with(2, &[limits(Some(1), None)]).await;

        db.end(id, 3, ExecutionState::Cancelled).await;

        assert_eq!(db.begun_promises().await, [0; 0]);
        db.stopped(task.id).await;
        assert_eq!(db.begun_promises().await, [0], "of the other execution: what waited went at once");
        assert!(db.stopping().await.is_empty());
    }

    async fn a_call_that_nobody_has_begun_leaves_its_place_at_once(db: Database) {
        let id = db.called_with(1, &vec![limits(Some(1), None); 2]).await;

        let wakes = db.drop_call(id, 0).await;

        assert_eq!((wakes, db.stopping().await), (Vec::new(), Vec::new()));
        assert_eq!(db.begun_promises().await, [1]);
    }

    async fn its_host_is_told_and_finds_what_to_stop(db: Database) {
        let (id, task) = db.one_of_two(1).await;
        assert!(!db.renew().await.stopping);

        let wakes = db.drop_call(id, 0).await;

        assert_eq!(wakes, [Wake::Arrival { owner: db.host, execution: id }]);
        assert!(db.renew().await.stopping && db.store.look_for_work(db.host).await.unwrap().stopping);
        assert_eq!(db.stopping().await, [task.id]);
        db.stopped(task.id).await;
        db.stopped(task.id).await;
        assert!(!db.renew().await.stopping);
        assert_eq!(db.begun_promises().await, [1]);
    }

    async fn a_call_without_limits_is_stopped_too(db: Database) {
        let id = db.called_with(1, &[CallLimits::default()]).await;
        let task = db.store.claim_tasks(db.host, &everything(), 9).await.unwrap().remove(0);

        let wakes = db.drop_call(id, 0).await;

        assert_eq!(wakes.len(), 1);
        assert_eq!(db.stopping().await, [task.id]);
        assert_eq!(db.store.end_task(db.host, &task_ref(&task), completed(), Vec::new()).await.unwrap(), None);
        assert!(db.stopping().await.is_empty());
    }

    async fn whoever_holds_a_slot_is_named_until_it_is_free(db: Database) {
        let (id, task) = db.one_of_two(1).await;
        let names = ["s:shop/charge".to_owned()];
        let held = || async {
            let limit = db.store.surroundings(&names, Holders::Named).await.unwrap().limits.remove(0);
            (limit.running, limit.holders.iter().map(|holder| holder.task).collect::<Vec<_>>())
        };

        db.drop_call(id, 0).await;

        assert_eq!(held().await, (1, vec![task.id]));
        db.stopped(task.id).await;
        assert_eq!(held().await, (0, Vec::new()));
    }

    async fn a_host_that_dies_runs_nothing_any_more(db: Database) {
        let (id, _) = db.one_of_two(1).await;
        db.drop_call(id, 0).await;

        let heir = db.die().await;

        let begun = db.store.claim_tasks(heir, &everything(), 9).await.unwrap();
        assert_eq!(begun[0].promise, Promise(1));
        assert!(db.stopping().await.is_empty());
    }

    async fn the_end_of_an_earlier_attempt_frees_nothing(db: Database) {
        let (id, first) = db.one_of_two(1).await;
        db.store.end_task(db.host, &task_ref(&first), retry(Duration::ZERO, &db), Vec::new()).await.unwrap();
        let second = db.store.claim_tasks(db.host, &everything(), 9).await.unwrap().remove(0);
        assert_eq!((second.id, second.attempt), (first.id, 2));
        db.drop_call(id, 0).await;

        // Said once more, as its reply was lost.
        db.store.end_task(db.host, &task_ref(&first), completed(), Vec::new()).await.unwrap();
        db.store.end_task(db.host, &task_ref(&first), TaskEnd::Lost, Vec::new()).await.unwrap();

        assert_eq!(db.begun_promises().await, [0; 0], "the second attempt runs");
        db.store.end_task(db.host, &task_ref(&second), completed(), Vec::new()).await.unwrap();
        assert_eq!(db.begun_promises().await, [1]);
    }

    async fn a_limit_stays_while_calls_wait_for_their_keys_limit(db: Database) {
        let mut both = limits(Some(9), Some(("ada", 1)));
        if let Some(key) = &mut both.key {
            (key.slots, key.rate) = (None, Some("1/m".parse().unwrap()));
        }
        db.called_with(1, &[both.clone(), both]).await;
        let begun = db.store.claim_tasks(db.host, &everything(), 9).await.unwrap();
        assert_eq!(begun.len(), 1, "the key has no token for the other one");
        db.store.end_task(db.host, &task_ref(&begun[0]), completed(), Vec::new()).await.unwrap();
        db.store.promote(db.host, db.now + Duration::from_secs(20), 9).await.unwrap();

        assert_eq!(db.store.prune_limits(db.host).await.unwrap(), 0);
    }

    async fn of_very_many_limits_that_fall_due_at_once_none_is_forgotten(db: Database) {
        let apart = db.called_with(1, &[limits(None, Some(("z", 1)))]).await;
        let task = db.store.claim_tasks(db.host, &everything(), 9).await.unwrap().remove(0);
        let later = Duration::from_secs(60);
        db.store.end_task(db.host, &task_ref(&task), retry(later, &db), Vec::new()).await.unwrap();
        let keys: Vec<String> = (0..1_200).map(|key| format!("{}", key % 1_100)).collect();
        let each: Vec<_> = keys.iter().map(|key| limits(None, Some((key, 1)))).collect();
        db.called_with(2, &each).await;
        db.spoil("update limits set next_at = 1 where step = 'charge' and name not like '%/z'").await;

        db.store.promote(db.host, db.now + 2 * later, 10_000).await.unwrap();

        let begun = db.store.claim_tasks(db.host, &everything(), 10_000).await.unwrap();
        assert!(begun.iter().any(|task| task.execution == apart), "it goes on");
    }

    async fn what_waits_for_a_limit_that_is_gone_does_not_wait_for_ever(db: Database) {
        let (_, task) = db.one_of_two(1).await;
        db.spoil("delete from limits").await;

        db.store.end_task(db.host, &task_ref(&task), completed(), Vec::new()).await.unwrap();

        assert_eq!(db.begun_promises().await, [1]);
    }
}
