//! Who may write, and what becomes of the work of those who may not.

use stepwell::journal::RunReason;
use stepwell::model::{ExecutionState, Manifest, ModuleDigest};
use stepwell::store::{
    Append, ClaimFilter, NewTask, Revival, RowChange, StoreError, Streak, Suspect, TaskEnd,
};

use crate::database::{Database, everything, execution_id, new_host, new_host_row, task_id};
use crate::words::{at, call, completed, execution, name, signal, start, task, task_ref, write};

fn is_fenced<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Fenced { .. }))
}

on_both_databases! {
    async fn the_dead_write_nothing(db: Database) {
        let id = db.called(1, task(1, 0, (2, 0))).await;
        db.die().await;
        let (store, dead) = (&db.store, db.host);
        let manifest = Manifest::read(r#"{"manifest":1,"steps":[{"name":"charge"}]}"#).unwrap();
        let revival = Revival { why: RunReason::Retry, redrive: None, of_run: None, module: None, at: db.now, dry_run: false };
        let append = write(Append { entries: vec![call(3, 1)], ..db.append(id) });

        assert!(is_fenced(&store.commit(dead, &[append]).await));
        assert!(is_fenced(&store.commit(dead, &[start(execution(2))]).await));
        assert!(is_fenced(&store.claim_executions(dead, &everything(), 1).await));
        assert!(is_fenced(&store.claim_tasks(dead, &everything(), 1).await));
        assert!(is_fenced(&store.end_task(dead, &task_ref(1, id, 1), completed(), Vec::new()).await));
        assert!(is_fenced(&store.promote(dead, db.now, 1).await));
        assert!(is_fenced(&store.free(dead, id).await));
        assert!(is_fenced(&store.deliver(dead, id, &signal("1")).await));
        assert!(is_fenced(&store.pause(dead, id, None).await));
        assert!(is_fenced(&store.revive(dead, id, &revival).await));
        assert!(is_fenced(&store.discard_dead_letters(dead, &[1]).await));
        assert!(is_fenced(&store.deploy(dead, &name("shop"), &manifest, b"wasm").await));
        assert!(is_fenced(&store.activate(dead, &name("shop"), ModuleDigest::of(b"wasm")).await));
        assert!(is_fenced(&store.renew(dead, Streak::Unbroken).await));
        assert!(is_fenced(&store.retire(dead).await));

        let page = store.journal(id, stepwell::model::Seq(0), 10).await.unwrap();
        assert_eq!(page.entries.len(), 2);
        assert!(store.execution(execution_id(2)).await.unwrap().is_none());
        assert!(store.modules(10).await.unwrap().is_empty());
    }

    async fn an_unknown_host_writes_nothing(db: Database) {
        assert!(is_fenced(&db.store.commit(new_host(), &[start(execution(1))]).await));
    }

    async fn work_of_the_dead_is_freed_and_counts_one_loss(db: Database) {
        let id = db.born(1).await;
        let mut append = db.append(id);
        append.entries.push(call(2, 0));
        append.tasks = vec![task(1, 0, (2, 0)), NewTask { owner: Some(db.host), ..task(2, 1, (2, 0)) }];
        db.commit(vec![write(append)]).await;

        let heir = db.die().await;

        let executions = db.store.claim_executions(heir, &everything(), 10).await.unwrap();
        assert_eq!((executions[0].execution.id, executions[0].execution.losses), (id, 1));
        let mut tasks = db.store.claim_tasks(heir, &everything(), 10).await.unwrap();
        tasks.sort_by_key(|task| task.id);
        let losses: Vec<_> = tasks.iter().map(|task| (task.id, task.losses, task.attempt)).collect();
        assert_eq!(losses, [(task_id(1), 0, 1), (task_id(2), 1, 1)]);
    }

    async fn losses_count_in_a_row_until_an_entry_is_added(db: Database) {
        let id = db.born(1).await;
        let losses = async |host| {
            let claimed = db.store.claim_executions(host, &everything(), 1).await.unwrap();
            claimed[0].execution.losses
        };
        let second = db.die().await;
        assert_eq!(losses(second).await, 1);
        let third = db.die().await;
        assert_eq!(losses(third).await, 2);
        let append = Append { entries: vec![call(2, 0)], ..Append::new(id, third, stepwell::model::Run(0)) };
        db.store.commit(third, &[write(append)]).await.unwrap();

        let fourth = db.die().await;

        assert_eq!(losses(fourth).await, 1);
    }

    async fn what_is_parked_or_has_ended_is_no_loss(db: Database) {
        let (parked, ended) = (db.born(1).await, db.born(2).await);
        db.park(parked, 0, None).await;
        db.end(ended, 2, ExecutionState::Completed).await;

        let heir = db.die().await;

        assert!(db.store.claim_executions(heir, &everything(), 10).await.unwrap().is_empty());
        assert_eq!(db.view(parked).await.row.losses, 0);
    }

    async fn a_host_that_retires_loses_nothing(db: Database) {
        let id = db.called(1, NewTask { owner: Some(db.host), ..task(1, 0, (2, 0)) }).await;
        db.store.retire(db.host).await.unwrap();

        let heir = db.die().await;

        let claimed = db.store.claim_executions(heir, &everything(), 1).await.unwrap();
        assert_eq!((claimed[0].execution.id, claimed[0].execution.losses), (id, 0));
        let tasks = db.store.claim_tasks(heir, &everything(), 1).await.unwrap();
        assert_eq!(tasks[0].losses, 0);
    }

    async fn hosts_are_listed_and_one_of_them_lives(db: Database) {
        let heir = db.die().await;

        let hosts = db.store.hosts(10).await.unwrap();

        let alive: Vec<_> = hosts.iter().filter(|host| host.alive).map(|host| host.id).collect();
        assert_eq!((hosts.len(), alive), (2, vec![heir]));
        assert_eq!(db.store.hosts(1).await.unwrap().len(), 1);
    }

    async fn a_host_that_lives_is_listed_before_any_number_of_the_dead(db: Database) {
        db.spoil(
            "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 101)
             insert into hosts (id, name, alive, version, started_at)
             select cast(cast(1000000000000000 + n as text) as blob), 'dead', 0, '1', 1000 + n from numbers",
        )
        .await;

        let hosts = db.store.hosts(100).await.unwrap();

        let times: Vec<_> = hosts.iter().map(|host| host.started_at).collect();
        assert_eq!((hosts.len(), hosts[0].id, hosts[0].alive), (100, db.host, true));
        assert_eq!(times[..3], [at(1), at(1_101), at(1_100)]);
    }

    async fn who_is_dead_for_long_is_removed_from_the_list(db: Database) {
        let heir = db.die().await;
        let now = db.store.now().await.unwrap();

        assert_eq!(db.store.prune_hosts(heir, at(1)).await.unwrap(), 0);
        assert_eq!(db.store.prune_hosts(heir, now).await.unwrap(), 1);

        let hosts = db.store.hosts(10).await.unwrap();
        assert_eq!(hosts.iter().map(|host| host.id).collect::<Vec<_>>(), [heir]);
        assert!(is_fenced(&db.store.promote(db.host, now, 1).await));
    }

    async fn a_renewal_tells_what_there_is_to_do(db: Database) {
        let idle = db.renew().await;
        assert!(idle.now >= db.now && !idle.work && !idle.arrivals);
        assert_eq!(idle.next_due, None);

        db.commit(vec![start(execution(1))]).await;
        assert!(db.renew().await.work);

        db.claim(1).await;
        let timer = idle.now + std::time::Duration::from_mins(1);
        db.park(execution_id(1), 0, Some(timer)).await;
        let parked = db.renew().await;
        assert_eq!((parked.work, parked.next_due), (false, Some(timer)));
    }

    async fn a_host_finds_what_the_rows_say_is_its_own(db: Database) {
        let id = db.born(1).await;
        db.commit(vec![start(execution(2))]).await;

        assert_eq!(db.store.owned(db.host).await.unwrap(), (vec![id], Vec::new()));
        let row = RowChange::Release;
        db.commit(vec![write(Append { row, ..db.append(id) })]).await;

        assert_eq!(db.store.owned(db.host).await.unwrap(), (Vec::new(), Vec::new()));
    }

    async fn one_incarnation_registers_once(db: Database) {
        assert!(db.store.register(&new_host_row(db.host)).await.is_err());

        assert!(db.store.renew(db.host, Streak::Unbroken).await.is_ok(), "the second one buries nobody");
    }

    async fn a_task_lost_by_the_living_is_ready_again(db: Database) {
        let id = db.called(1, NewTask { owner: Some(db.host), ..task(1, 0, (2, 0)) }).await;

        db.end_task(1, id, 1, TaskEnd::Lost).await.unwrap();

        assert!(db.renew().await.work);
    }

    async fn checkpoints_lose_nothing(db: Database) {
        let id = db.born(1).await;

        db.store.keep().await.unwrap();

        assert!(db.store.now().await.unwrap() >= db.now);
        assert_eq!(db.view(id).await.owner, Some(db.host));
    }

    async fn suspects_are_left_by_the_ordinary_claim_and_claimed_one_by_one(db: Database) {
        let filter = ClaimFilter { suspect_after: Some(2), ..everything() };
        let claim = async |host| db.store.claim_executions(host, &filter, 10).await.unwrap();
        let (first, second) = (db.born(1).await, db.born(2).await);
        let tasks = vec![NewTask { owner: Some(db.host), ..task(1, 0, (2, 0)) }];
        let entries = vec![call(2, 0)];
        db.commit(vec![write(Append { entries, tasks, ..db.append(second) })]).await;
        let mut host = db.die().await;
        assert_eq!((claim(host).await.len(), db.store.claim_suspect(host, &filter).await.unwrap().is_none()), (2, true));
        db.store.claim_tasks(host, &filter, 1).await.unwrap();

        host = db.die().await;
        db.store.commit(host, &[start(execution(3))]).await.unwrap();

        assert!(db.store.renew(host, Streak::Unbroken).await.unwrap().lost);
        assert_eq!(claim(host).await.iter().map(|one| one.execution.id).collect::<Vec<_>>(), [execution_id(3)]);
        assert!(db.store.claim_tasks(host, &filter, 10).await.unwrap().is_empty());
        let mut suspects = Vec::new();
        while let Some(suspect) = db.store.claim_suspect(host, &filter).await.unwrap() {
            suspects.push(match suspect {
                Suspect::Execution(snapshot) => (snapshot.execution.id, snapshot.execution.losses, 0),
                Suspect::Task(task) => (task.execution, task.losses, 1),
            });
        }
        assert_eq!(suspects, [(first, 2, 0), (second, 2, 0), (second, 2, 1)]);
        assert!(!db.store.renew(host, Streak::Unbroken).await.unwrap().lost);
    }

    async fn what_ends_an_activation_in_good_order_is_not_counted_on(db: Database) {
        let ids = [db.born(1).await, db.born(2).await, db.born(3).await];
        let heir = db.die().await;
        db.store.claim_executions(heir, &everything(), 10).await.unwrap();
        let change = async |id, row| {
            let run = stepwell::model::Run(0);
            db.store.commit(heir, &[write(Append { row, ..Append::new(id, heir, run) })]).await.unwrap();
            db.view(id).await.row.losses
        };
        assert_eq!(db.view(ids[0]).await.row.losses, 1);

        assert_eq!(change(ids[0], RowChange::Park { seen: 0, next_timer: None }).await, 0);
        assert_eq!(change(ids[1], RowChange::Release).await, 0);
        db.store.retire(heir).await.unwrap();
        assert_eq!(db.view(ids[2]).await.row.losses, 0);
    }
}
