//! Queues that stand still, what is in them, and what is around those that wait.

use stepwell::model::{CallLimits, ExecutionState, Routing};
use stepwell::store::{Holders, NewExecution, NewTask, QueueRow, Serving, TaskFilter, TaskState};

use crate::database::{Database, everything, execution_id, new_host, new_host_row};
use crate::limits::{limits, task_ref};
use crate::words::{at, completed, execution, name, start, task};

impl Database {
    async fn queue(&self, queue: &str) -> QueueRow {
        let all = self.store.queues(10).await.unwrap();
        all.into_iter().find(|row| row.name == name(queue)).unwrap()
    }

    async fn pause_queue(&self, queue: &str) {
        self.store.pause_queue(self.host, &name(queue), Some(at(7))).await.unwrap();
    }

    async fn resume_queue(&self, queue: &str) {
        self.store.pause_queue(self.host, &name(queue), None).await.unwrap();
    }
}

fn routed(queue: &str) -> Routing {
    Routing { queue: name(queue), ..Routing::default() }
}

on_both_databases! {
    async fn nothing_of_a_paused_queue_is_claimed(db: Database) {
        db.called(1, NewTask { routing: routed("slow"), ..task(1, 0, (2, 0)) }).await;
        db.commit(vec![start(NewExecution { routing: routed("slow"), ..execution(2) })]).await;

        db.pause_queue("slow").await;

        assert!(db.store.claim_tasks(db.host, &everything(), 10).await.unwrap().is_empty());
        assert!(db.claim(10).await.is_empty());
        db.resume_queue("slow").await;
        assert_eq!(db.store.claim_tasks(db.host, &everything(), 10).await.unwrap().len(), 1);
        assert_eq!(db.claim(10).await[0].execution.id, execution_id(2));
    }

    async fn a_queue_is_paused_once_and_resumed_once(db: Database) {
        assert_eq!(db.renew().await.queue_changes, 0);
        db.pause_queue("nobody-has-heard-of-it").await;
        let first = db.renew().await.queue_changes;
        db.store.pause_queue(db.host, &name("nobody-has-heard-of-it"), Some(at(9))).await.unwrap();

        let paused = db.store.paused_queues().await.unwrap();
        assert_eq!(paused, [(name("nobody-has-heard-of-it"), at(7))]);
        db.resume_queue("nobody-has-heard-of-it").await;
        db.resume_queue("nobody-has-heard-of-it").await;
        assert!(db.store.paused_queues().await.unwrap().is_empty());
        assert!(db.renew().await.queue_changes > first);
    }

    async fn a_queue_says_what_is_in_it(db: Database) {
        db.called_with(1, &vec![limits(Some(1), None); 3]).await;
        db.store.claim_tasks(db.host, &everything(), 10).await.unwrap();
        db.commit(vec![start(execution(2))]).await;

        let queue = db.queue("default").await;

        assert_eq!((queue.waiting, queue.running, queue.blocked, queue.executions), (2, 1, 2, 1));
        assert_eq!(queue.paused_at, None);
        assert!(queue.oldest_at.is_some());
    }

    async fn a_queue_says_since_when_an_execution_of_it_is_ready_whoever_is_first_in_line(db: Database) {
        let urgent = Routing { priority: 2, ..routed("slow") };
        let of = |number, routing, from| {
            start(NewExecution { routing, start_at: at(from), ..execution(number) })
        };
        db.commit(vec![of(2, urgent, 900), of(3, routed("slow"), 800)]).await;
        db.commit(vec![of(4, routed("slow"), 700)]).await;

        let waits = db.queue("slow").await;

        assert_eq!((waits.executions, waits.oldest_execution_at), (3, Some(at(700))));
        assert_eq!((waits.oldest_at, waits.waits_since()), (None, Some(at(700))));
        assert_eq!(db.claim(10).await.len(), 3);
        assert!(db.store.queues(10).await.unwrap().is_empty());
    }

    async fn a_paused_queue_holds_no_place_of_a_limit(db: Database) {
        let one = CallLimits { key: None, ..limits(Some(1), None) };
        let slow = NewTask { routing: routed("slow"), limits: one.clone(), ..task(1, 0, (2, 0)) };
        db.called(1, slow).await;
        let quick = db.called(2, NewTask { limits: one, ..task(2, 0, (2, 0)) }).await;

        db.pause_queue("slow").await;

        let claimed = db.store.claim_tasks(db.host, &everything(), 10).await.unwrap();
        assert_eq!(claimed.iter().map(|task| task.execution).collect::<Vec<_>>(), [quick]);
        db.store.end_task(db.host, &task_ref(&claimed[0]), completed(), Vec::new()).await.unwrap();
        db.resume_queue("slow").await;
        assert_eq!(db.store.claim_tasks(db.host, &everything(), 10).await.unwrap().len(), 1);
    }

    async fn tasks_are_listed_the_oldest_first_and_page_by_page(db: Database) {
        let id = db.called_with(1, &vec![limits(Some(1), None); 3]).await;
        db.store.claim_tasks(db.host, &everything(), 10).await.unwrap();
        let all = TaskFilter { limit: 2, ..TaskFilter::default() };

        let first = db.store.tasks(&all).await.unwrap();
        let after = Some((first[1].created_at, first[1].id));
        let rest = db.store.tasks(&TaskFilter { after, ..all.clone() }).await.unwrap();

        assert_eq!((first.len(), rest.len()), (2, 1));
        let of = async |filter: TaskFilter| db.store.tasks(&filter).await.unwrap().len();
        let all = TaskFilter { limit: 10, ..all };
        assert_eq!(of(TaskFilter { state: Some(TaskState::Running), ..all.clone() }).await, 1);
        assert_eq!(of(TaskFilter { state: Some(TaskState::Waiting), ..all.clone() }).await, 2);
        assert_eq!(of(TaskFilter { queue: Some(name("other")), ..all.clone() }).await, 0);
        assert_eq!(of(TaskFilter { step: Some(name("charge")), ..all.clone() }).await, 3);
        assert_eq!(of(TaskFilter { execution: Some(id), ..all.clone() }).await, 3);
        assert_eq!(of(TaskFilter { execution: Some(execution_id(9)), ..all }).await, 0);
        let row = db.store.task(first[0].id).await.unwrap().unwrap();
        assert_eq!((row.execution, row.workflow), (id, name("checkout")));
    }

    async fn what_is_around_a_task_names_who_holds_its_limit(db: Database) {
        let id = db.called_with(1, &vec![limits(Some(2), Some(("ada", 1))); 2]).await;
        db.store.claim_tasks(db.host, &everything(), 10).await.unwrap();
        let waiting = TaskFilter { state: Some(TaskState::Waiting), limit: 1, ..TaskFilter::default() };
        let row = &db.store.tasks(&waiting).await.unwrap()[0];
        let blocked_on = row.blocked_on.clone().unwrap();

        let names = [blocked_on.clone()];
        let around = db.store.surroundings(&names, Holders::Named).await.unwrap();
        let counted = db.store.surroundings(&names, Holders::Counted).await.unwrap();

        assert_eq!(blocked_on, "k:shop/charge/ada");
        let limit = &around.limits[0];
        assert_eq!((limit.slots, limit.running), (Some(1), 1));
        assert_eq!(limit.holders[0].execution, id);
        assert!(counted.limits[0].holders.is_empty());
        assert_eq!(around.hosts, [Serving::default()]);
    }

    async fn hosts_say_what_they_serve(db: Database) {
        let serving = Serving { queues: vec![name("slow")], tags: vec![name("gpu")] };
        let (queues, tags) = (serving.queues.clone(), serving.tags.clone());
        let row = stepwell::store::NewHost { queues, tags, ..new_host_row(new_host()) };
        db.store.register(&row).await.unwrap();

        let around = db.store.surroundings(&[], Holders::Counted).await.unwrap();

        assert!(around.hosts.contains(&serving), "{:?}", around.hosts);
    }

    async fn who_is_paused_does_not_lead_where_another_can(db: Database) {
        let ask = |number| crate::results::keeping(number, None);
        let leader = db.called(1, ask(1)).await;
        let (paused, other) = (db.called(2, ask(2)).await, db.called(3, ask(3)).await);
        db.store.pause(db.host, paused, Some(at(5))).await.unwrap();

        db.end(leader, 3, ExecutionState::Completed).await;
        db.store.answer_followers(db.host, 10).await.unwrap();

        let begun = db.store.claim_tasks(db.host, &everything(), 10).await.unwrap();
        assert_eq!(begun.iter().map(|task| task.execution).collect::<Vec<_>>(), [other]);
    }
}
