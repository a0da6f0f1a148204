//! What is claimed, by whom, and in which order.

use stepwell::model::{ExecutionState, Promise, Routing, Run};
use stepwell::store::{Append, ClaimFilter, NewExecution, RowChange};

use crate::database::{Database, everything, execution_id, module, task_id};
use crate::words::{
    at, call, call_many, execution, json, name, settled, signal, start, task, write,
};

fn routed(number: u8, queue: &str, tags: &[&str], priority: i32) -> NewExecution {
    let tags = tags.iter().map(|tag| name(tag)).collect();
    NewExecution { routing: Routing { queue: name(queue), tags, priority }, ..execution(number) }
}

fn only(queues: &[&str], tags: &[&str]) -> ClaimFilter {
    let names = |texts: &[&str]| texts.iter().map(|text| name(text)).collect();
    ClaimFilter { queues: names(queues), tags: names(tags), ..everything() }
}

fn ids(numbers: &[u8]) -> Vec<stepwell::model::ExecutionId> {
    numbers.iter().map(|number| execution_id(*number)).collect()
}

on_both_databases! {
    async fn a_claim_takes_as_many_as_asked_lowest_rank_first(db: Database) {
        let (a, b) = (routed(1, "a", &[], 0), routed(2, "b", &[], 5));
        let (c, d) = (routed(3, "a", &[], 9), routed(4, "c", &[], -5));
        db.commit(vec![start(a), start(b), start(c), start(d)]).await;

        let first: Vec<_> = db.claim(3).await.into_iter().map(|one| one.execution.id).collect();
        let second = db.claimed(&everything()).await;

        assert_eq!(first, ids(&[3, 2, 1]));
        assert_eq!(second, ids(&[4]));
    }

    async fn a_low_priority_is_not_starved_by_a_stream_of_a_high_one(db: Database) {
        let hour = 60 * 60 * 1_000_000;
        let due = |number: u8, priority, due: i64| {
            NewExecution { start_at: at(due), created_at: at(due), ..routed(number, "a", &[], priority) }
        };
        // As far apart as two can be: 200 steps of a minute each, which are three hours and twenty minutes.
        db.commit(vec![start(due(1, -100, hour))]).await;
        let mut claimed = Vec::new();
        for number in 2..=6 {
            db.commit(vec![start(due(number, 100, i64::from(number) * hour))]).await;
            claimed.extend(db.claim(1).await.iter().map(|one| one.execution.id));
        }

        assert_eq!(claimed, ids(&[2, 3, 4, 1, 5]), "it has waited four hours longer than the fifth");
    }

    async fn a_task_of_low_priority_is_not_starved_either(db: Database) {
        let hour = 60 * 60 * 1_000_000;
        let called = |number: u8, priority, due: i64| {
            let routing = Routing { priority, ..Routing::default() };
            stepwell::store::NewTask { routing, visible_at: at(due), ..task(number, 0, (2, 0)) }
        };
        let waits = db.called(1, called(1, -100, hour)).await;
        let later = db.called(2, called(2, 100, 3 * hour)).await;
        let last = db.called(3, called(3, 100, 5 * hour)).await;

        let claimed = db.store.claim_tasks(db.host, &everything(), 3).await.unwrap();

        let claimed: Vec<_> = claimed.iter().map(|task| task.execution).collect();
        assert_eq!(claimed, [later, waits, last]);
    }

    async fn what_is_claimed_is_owned_and_running(db: Database) {
        db.commit(vec![start(execution(1))]).await;

        let claimed = db.claim(10).await;

        assert_eq!(claimed[0].execution.state, ExecutionState::Running);
        assert!(claimed[0].execution.started_at.is_some());
        assert_eq!(claimed[0].entries, [execution(1).first_entry()]);
        assert_eq!(db.view(execution_id(1)).await.owner, Some(db.host));
        assert!(db.claim(10).await.is_empty());
    }

    async fn a_host_takes_only_from_its_queues(db: Database) {
        let all = [routed(1, "a", &[], 0), routed(2, "b", &[], 0), routed(3, "c", &[], 0)];
        db.commit(all.into_iter().map(start).collect()).await;

        assert_eq!(db.claimed(&only(&["a", "c", "z"], &[])).await, ids(&[1, 3]));
        assert_eq!(db.claimed(&only(&["z"], &[])).await, []);
        assert_eq!(db.claimed(&only(&[], &[])).await, ids(&[2]));
    }

    async fn a_host_with_tags_takes_what_shares_one_and_what_has_none(db: Database) {
        let all = [routed(1, "a", &["gpu", "big"], 0), routed(2, "a", &["arm"], 0), routed(3, "a", &[], 0)];
        db.commit(all.into_iter().map(start).collect()).await;

        assert_eq!(db.claimed(&only(&[], &["big"])).await, ids(&[1, 3]));
        assert_eq!(db.claimed(&only(&[], &["big"])).await, []);
        assert_eq!(db.claimed(&only(&[], &[])).await, ids(&[2]));
    }

    async fn a_host_gives_birth_to_exactly_what_it_would_claim(db: Database) {
        let routings = [("a", vec![]), ("a", vec!["gpu"]), ("b", vec!["gpu", "big"]), ("b", vec!["arm"]), ("c", vec![])];
        let filters = [
            only(&[], &[]), only(&["a"], &[]), only(&["b", "z"], &["big"]), only(&[], &["arm", "x"]), only(&["z"], &[]),
        ];
        for filter in filters {
            let all: Vec<_> = (1..).zip(&routings).map(|(n, (queue, tags))| routed(n, queue, tags, 0)).collect();
            let taken: Vec<_> = all.iter().filter(|new| filter.takes(&new.routing)).map(|new| new.id).collect();
            db.commit(all.into_iter().map(start).collect()).await;

            assert_eq!(db.claimed(&filter).await, taken, "{filter:?}");

            db.claimed(&everything()).await;
            for number in 1..=5 {
                db.store.free(db.host, execution_id(number)).await.unwrap();
            }
        }
    }

    async fn a_host_leaves_what_it_cannot_read(db: Database) {
        db.commit(vec![start(execution(1))]).await;

        assert!(db.claimed(&ClaimFilter { journal_version: 0, ..everything() }).await.is_empty());
        assert_eq!(db.claimed(&everything()).await, ids(&[1]));
    }

    async fn ties_do_not_make_a_claim_larger(db: Database) {
        db.commit((0..50).map(|number| start(execution(number))).collect()).await;

        assert_eq!(db.claim(7).await.len(), 7);
        assert_eq!(db.claim(100).await.len(), 43);
    }

    async fn what_is_due_is_promoted_and_nothing_else(db: Database) {
        let late = NewExecution { start_at: at(5_000), ..execution(1) };
        let later = NewExecution { start_at: at(9_000), ..execution(2) };
        db.commit(vec![start(late), start(later)]).await;
        let parked = db.born(3).await;
        db.park(parked, 0, Some(at(6_000))).await;
        assert!(db.claim(10).await.is_empty());

        assert_eq!(db.store.promote(db.host, at(4_999), 10).await.unwrap(), 0);
        assert_eq!(db.store.promote(db.host, at(6_000), 10).await.unwrap(), 2);

        assert_eq!(db.claimed(&everything()).await, ids(&[3, 1]));
        assert_eq!(db.renew().await.next_due, Some(at(9_000)));
    }

    async fn a_parked_execution_wakes_for_its_expiry(db: Database) {
        let owner = Some(db.host);
        let expires_at = Some(at(4_000));
        db.commit(vec![start(NewExecution { owner, expires_at, ..execution(1) })]).await;

        db.park(execution_id(1), 0, Some(at(6_000))).await;

        assert_eq!(db.view(execution_id(1)).await.visible_at, Some(at(4_000)));
        assert_eq!(db.store.promote(db.host, at(4_000), 10).await.unwrap(), 1);
    }

    async fn promotion_stops_at_its_limit(db: Database) {
        let delayed = |number| start(NewExecution { start_at: at(5_000), ..execution(number) });
        db.commit((0..5).map(delayed).collect()).await;

        assert_eq!(db.store.promote(db.host, at(5_000), 3).await.unwrap(), 3);
        assert_eq!(db.store.promote(db.host, at(5_000), 3).await.unwrap(), 2);
    }

    async fn a_snapshot_holds_what_replay_needs_and_no_inputs_of_commands(db: Database) {
        let id = db.called(1, task(1, 0, (2, 0))).await;
        db.commit(vec![write(Append { entries: vec![settled(3, 0, Ok("7"))], ..db.append(id) })]).await;
        db.store.deliver(db.host, id, &signal("1")).await.unwrap();

        let snapshot = db.snapshot(id).await;

        assert_eq!(snapshot.entries.len(), 3);
        let loaded = format!("{:?}", snapshot.entries[1]);
        assert!(loaded.contains("input: None"), "{loaded}");
        assert_eq!(snapshot.entries[2], settled(3, 0, Ok("7")));
        assert_eq!(snapshot.tasks, [(Run(0), Promise(0))]);
        assert_eq!(snapshot.inbox.arrivals.len(), 1);
    }

    async fn a_snapshot_begins_at_the_base(db: Database) {
        let id = db.born(1).await;
        let row = RowChange::Stay { state: ExecutionState::Running, expires_at: None, base: Some(stepwell::model::Seq(3)) };
        let entries = vec![call(2, 0), settled(3, 0, Ok("1")), call(4, 1)];
        db.commit(vec![write(Append { entries, row, ..db.append(id) })]).await;

        let seqs: Vec<u64> = db.snapshot(id).await.entries.iter().map(|entry| entry.seq.0).collect();

        assert_eq!(seqs, [3, 4]);
    }

    async fn a_claimed_task_brings_its_input(db: Database) {
        let id = db.born(1).await;
        let entries = vec![call(2, 0), call_many(3, 1, &["10", "[20]", "\"thirty\""])];
        let tasks = vec![task(1, 0, (2, 0)), task(2, 2, (3, 1)), task(3, 3, (3, 2))];
        db.commit(vec![write(Append { entries, tasks, ..db.append(id) })]).await;

        let claimed = db.store.claim_tasks(db.host, &everything(), 10).await.unwrap();

        let inputs: Vec<_> = claimed.iter().map(|task| task.input.clone()).collect();
        assert_eq!(inputs, [json("0"), json("[20]"), json("\"thirty\"")]);
        let first = &claimed[0];
        assert_eq!((first.id, first.execution, first.attempt), (task_id(1), id, 1));
        assert_eq!((&first.workflow, first.module), (&name("checkout"), module()));
        assert_eq!(first.timeout.as_secs(), 30);
        assert!(db.store.claim_tasks(db.host, &everything(), 10).await.unwrap().is_empty());
    }

    async fn tasks_are_claimed_by_rank_queue_and_tags(db: Database) {
        let id = db.born(1).await;
        let routed = |number: u8, queue: &str, tags: &[&str], priority| {
            let mut task = task(number, u32::from(number), (2, 0));
            let tags = tags.iter().map(|tag| name(tag)).collect();
            task.routing = Routing { queue: name(queue), tags, priority };
            task
        };
        let tasks = vec![
            routed(1, "a", &[], 0),
            routed(2, "a", &[], 9),
            routed(3, "b", &["gpu"], 0),
            routed(4, "b", &["arm"], 1),
        ];
        db.commit(vec![write(Append { entries: vec![call(2, 0)], tasks, ..db.append(id) })]).await;
        let claim = async |filter: ClaimFilter, limit| {
            let claimed = db.store.claim_tasks(db.host, &filter, limit).await.unwrap();
            claimed.into_iter().map(|task| task.id).collect::<Vec<_>>()
        };

        assert_eq!(claim(only(&["b"], &["gpu"]), 10).await, [task_id(3)]);
        assert_eq!(claim(everything(), 2).await, [task_id(2), task_id(4)]);
        assert_eq!(claim(everything(), 2).await, [task_id(1)]);
    }

    async fn what_is_released_is_ready_for_any_host(db: Database) {
        let (freed, released) = (db.born(1).await, db.born(2).await);

        db.store.free(db.host, freed).await.unwrap();
        db.store.free(db.host, freed).await.unwrap();
        db.commit(vec![write(Append { row: RowChange::Release, ..db.append(released) })]).await;

        assert_eq!(db.claimed(&everything()).await, ids(&[1, 2]));
        assert_eq!(db.view(freed).await.row.losses, 0);
    }
}
