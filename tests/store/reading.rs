//! Lists and pages.

use stepwell::model::{ExecutionId, ExecutionState, ModuleDigest, Routing, Seq};
use stepwell::store::{Append, ExecutionFilter, NewExecution, NewTask, NotedBy, RowChange};

use crate::database::{Database, execution_id};
use crate::words::{at, call, child_of, ended, execution, logged, name, start, task, write};

async fn listed(db: &Database, filter: ExecutionFilter) -> Vec<ExecutionId> {
    let filter = ExecutionFilter { limit: filter.limit.max(2), ..filter };
    let page = db.store.executions(&filter).await.unwrap();
    page.rows.into_iter().map(|row| row.id).collect()
}

on_both_databases! {
    async fn a_list_is_newest_first_and_goes_on_where_it_stopped(db: Database) {
        let at_times = [(1, 10), (2, 30), (3, 20), (4, 20)];
        let new = |(number, micros)| NewExecution { created_at: at(micros), ..execution(number) };
        db.commit(at_times.into_iter().map(|one| start(new(one))).collect()).await;

        let first = listed(&db, ExecutionFilter::default()).await;
        let after = Some((at(20), execution_id(4)));
        let second = listed(&db, ExecutionFilter { after, ..ExecutionFilter::default() }).await;

        assert_eq!(first, [execution_id(2), execution_id(4)]);
        assert_eq!(second, [execution_id(3), execution_id(1)]);
    }

    async fn a_list_is_filtered(db: Database) {
        let parent = db.born(1).await;
        let routing = Routing { queue: name("gpu"), ..Routing::default() };
        let gpu = NewExecution { routing, ..execution(2) };
        let other = NewExecution { workflow: name("other"), ..execution(3) };
        let child = NewExecution { parent: Some(child_of(parent, 0)), ..execution(4) };
        db.commit(vec![start(gpu), start(other), start(child)]).await;
        let all = ExecutionFilter::default;

        let running = ExecutionFilter { state: Some(ExecutionState::Running), ..all() };
        let gpu = ExecutionFilter { queue: Some(name("gpu")), ..all() };
        let others = ExecutionFilter { workflow: Some(name("other")), ..all() };
        let children = ExecutionFilter { parent: Some(parent), ..all() };
        let none = ExecutionFilter {
            state: Some(ExecutionState::Failed),
            parent: Some(parent),
            ..all()
        };

        assert_eq!(listed(&db, running).await, [parent]);
        assert_eq!(listed(&db, gpu).await, [execution_id(2)]);
        assert_eq!(listed(&db, others).await, [execution_id(3)]);
        assert_eq!(listed(&db, children).await, [execution_id(4)]);
        assert!(listed(&db, none).await.is_empty());
    }

    async fn a_list_is_filtered_by_tag_module_failure_and_time(db: Database) {
        let digest = |byte: u8| ModuleDigest::from_bytes([byte; 32]);
        let tagged = |tags: &[&str]| Routing {
            tags: tags.iter().map(|tag| name(tag)).collect(),
            ..Routing::default()
        };
        let first = NewExecution { routing: tagged(&["eu", "vip", "eu"]), created_at: at(10), ..execution(1) };
        let second = NewExecution { routing: tagged(&["eu"]), module: digest(9), created_at: at(20), ..execution(2) };
        let third = NewExecution { created_at: at(30), owner: Some(db.host), ..execution(3) };
        db.commit(vec![start(first), start(second), start(third)]).await;
        let failed = RowChange::End { state: ExecutionState::Failed, failure_kind: Some("card".to_owned()) };
        db.commit(vec![write(Append { row: failed, entries: vec![ended(2, ExecutionState::Failed)], ..db.append(execution_id(3)) })]).await;
        let all = || ExecutionFilter { limit: 10, ..ExecutionFilter::default() };

        let eu = ExecutionFilter { tag: Some(name("eu")), ..all() };
        let vip = ExecutionFilter { tag: Some(name("vip")), ..all() };
        let module = ExecutionFilter { module: Some(digest(9)), ..all() };
        let card = ExecutionFilter { failure_kind: Some("card".to_owned()), ..all() };
        let early = ExecutionFilter { until: Some(at(20)), ..all() };
        let late = ExecutionFilter { since: Some(at(20)), ..all() };
        let both = ExecutionFilter { tag: Some(name("eu")), since: Some(at(11)), until: Some(at(20)), ..all() };
        let behind = ExecutionFilter { tag: Some(name("eu")), after: Some((at(20), execution_id(2))), ..all() };

        let ids = |numbers: &[u8]| numbers.iter().map(|number| execution_id(*number)).collect::<Vec<_>>();
        assert_eq!(listed(&db, eu).await, ids(&[2, 1]));
        assert_eq!(listed(&db, vip).await, ids(&[1]));
        assert_eq!(listed(&db, module).await, ids(&[2]));
        assert_eq!(listed(&db, card).await, ids(&[3]));
        assert_eq!(listed(&db, early).await, ids(&[1]));
        assert_eq!(listed(&db, late).await, ids(&[3, 2]));
        assert_eq!(listed(&db, both).await, ids(&[]));
        assert_eq!(listed(&db, behind).await, ids(&[1]));
    }

    async fn what_comes_and_goes_is_told_in_its_order(db: Database) {
        let new = |number, micros| start(NewExecution { created_at: at(micros), owner: Some(db.host), ..execution(number) });
        db.commit(vec![new(1, 10), new(2, 20)]).await;
        db.end(execution_id(1), 2, ExecutionState::Completed).await;
        let changes = async |after, limit| {
            let changes = db.store.changes(after, limit).await.unwrap();
            changes.into_iter().map(|change| (change.execution, change.state)).collect::<Vec<_>>()
        };
        let (first, second) = (execution_id(1), execution_id(2));
        let ended = (first, ExecutionState::Completed);

        let all = changes((at(0), first), 10).await;
        let page = changes((at(0), first), 1).await;
        let rest = changes((at(10), first), 10).await;

        assert_eq!(all, [(first, ExecutionState::Pending), (second, ExecutionState::Pending), ended]);
        assert_eq!(page, [(first, ExecutionState::Pending)]);
        assert_eq!(rest, [(second, ExecutionState::Pending), ended]);
    }

    async fn a_journal_is_read_page_by_page(db: Database) {
        let id = db.born(1).await;
        let entries: Vec<_> = (2..=6).map(|seq| call(seq, u32::try_from(seq).unwrap())).collect();
        db.commit(vec![write(Append { entries: entries.clone(), ..db.append(id) })]).await;

        let first = db.store.journal(id, Seq(1), 3).await.unwrap();
        let second = db.store.journal(id, Seq(4), 3).await.unwrap();

        assert_eq!((&first.entries[..], first.more), (&entries[..3], true));
        assert_eq!((&second.entries[..], second.more), (&entries[3..], false));
    }

    async fn a_log_is_read_page_by_page(db: Database) {
        let id = db.born(1).await;
        let notes = (0..5).map(|line| logged(&line.to_string())).collect();
        db.commit(vec![write(Append { notes, ..db.append(id) })]).await;

        let first = db.store.logs(id, 0, 3).await.unwrap();
        let second = db.store.logs(id, first[2].id, 3).await.unwrap();

        let lines: Vec<_> = first.iter().chain(&second).map(|line| line.message.as_str()).collect();
        assert_eq!(lines, ["0", "1", "2", "3", "4"]);
    }

    async fn failed_attempts_are_read_apart_page_by_page(db: Database) {
        let (id, other) = (db.born(1).await, db.born(2).await);
        let line = |number: u32| NotedBy {
            attempt: number,
            attempt_began_at: (number % 2 == 1).then(|| at(i64::from(number))),
            ..logged(&number.to_string())
        };
        let of = |id, numbers: std::ops::Range<u32>| {
            write(Append { notes: numbers.map(line).collect(), ..db.append(id) })
        };
        db.commit(vec![of(id, 0..8), of(other, 0..8)]).await;

        let first = db.store.failed_attempts(id, 0, 3).await.unwrap();
        let second = db.store.failed_attempts(id, first[2].id, 3).await.unwrap();

        let read = first.iter().chain(&second);
        let read: Vec<_> = read.map(|line| (line.attempt, line.attempt_began_at)).collect();
        assert_eq!(read, [1, 3, 5, 7].map(|number| (number, Some(at(i64::from(number))))));
        let all = db.store.logs(id, 0, 10).await.unwrap();
        let known = all.iter().filter(|line| line.attempt_began_at.is_some());
        assert_eq!((all.len(), known.count()), (8, 4));
    }

    async fn counts_say_how_much_there_is_of_what(db: Database) {
        let id = db.born(1).await;
        let running = NewTask { owner: Some(db.host), ..task(2, 1, (2, 0)) };
        let (entries, tasks) = (vec![call(2, 0)], vec![task(1, 0, (2, 0)), running]);
        db.commit(vec![write(Append { entries, tasks, ..db.append(id) }), start(execution(3))]).await;

        let counts = db.store.counts().await.unwrap();

        let states = [(ExecutionState::Pending, 1), (ExecutionState::Running, 1)];
        assert_eq!((&*counts.executions, counts.parked), (&states[..], 0));
        assert_eq!(counts.tasks, [(name("default"), 1, 1)]);
        assert_eq!(db.view(id).await.tasks, 2);
    }

    async fn of_those_that_wait_it_is_known_who_is_parked(db: Database) {
        let [hot, parked] = [db.born(1).await, db.born(2).await];
        let waits = RowChange::Stay { state: ExecutionState::Waiting, expires_at: None, base: None };
        db.commit(vec![write(Append { row: waits, ..db.append(hot) })]).await;
        db.park(parked, 0, None).await;

        let counts = db.store.counts().await.unwrap();

        assert_eq!(counts.executions, [(ExecutionState::Waiting, 2)]);
        assert_eq!(counts.parked, 1);
    }

    async fn what_is_not_there_is_none(db: Database) {
        assert!(db.store.execution(execution_id(1)).await.unwrap().is_none());
        assert!(db.store.dead_letter(1).await.unwrap().is_none());
        assert!(db.store.journal(execution_id(1), Seq(0), 9).await.unwrap().entries.is_empty());
    }
}
