//! Several hosts on one database: what one has taken is nobody else's.

use std::collections::HashSet;

use stepwell::model::{ExecutionId, HostId, Ids, Promise, RandomIds, Timestamp};
use stepwell::store::{Append, NewExecution, NewTask, RowChange, Written};
use tokio::task::JoinSet;

use crate::database::{Database, everything};
use crate::words::{at, call_many, execution, json, start, task, write};

const HOSTS: usize = 4;
const EXECUTIONS: usize = 200;

fn ready(start_at: i64) -> NewExecution {
    NewExecution { id: RandomIds.execution(), start_at: at(start_at), ..execution(0) }
}

async fn hosts() -> Vec<Database> {
    let mut hosts = vec![Database::postgres().await];
    while hosts.len() < HOSTS {
        hosts.push(hosts[0].peer().await);
    }
    hosts
}

/// Claims until nothing is left.
async fn claim_all(db: Database) -> (HostId, Vec<ExecutionId>) {
    let mut claimed = Vec::new();
    loop {
        let some = db.store.claim_executions(db.host, &everything(), 7).await.unwrap();
        if some.is_empty() {
            return (db.host, claimed);
        }
        claimed.extend(some.into_iter().map(|snapshot| snapshot.execution.id));
    }
}

async fn claim_all_tasks(db: Database) -> Vec<Promise> {
    let mut claimed = Vec::new();
    loop {
        let some = db.store.claim_tasks(db.host, &everything(), 7).await.unwrap();
        if some.is_empty() {
            return claimed;
        }
        claimed.extend(some.into_iter().map(|task| task.promise));
    }
}

async fn promote_and_claim(db: Database, due: Timestamp) -> Vec<ExecutionId> {
    let mut claimed = Vec::new();
    loop {
        let promoted = db.store.promote(db.host, due, 10).await.unwrap();
        let some = db.store.claim_executions(db.host, &everything(), 5).await.unwrap();
        if promoted == 0 && some.is_empty() {
            return claimed;
        }
        claimed.extend(some.into_iter().map(|snapshot| snapshot.execution.id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_execution_is_claimed_by_one_host() {
    let hosts = hosts().await;
    let reader = hosts[0].peer().await;
    hosts[0].commit((0..EXECUTIONS).map(|_| start(ready(1_000))).collect()).await;

    let mut claims: JoinSet<_> = hosts.into_iter().map(claim_all).collect();
    let mut owners = Vec::new();
    while let Some(claimed) = claims.join_next().await {
        let (host, ids) = claimed.unwrap();
        owners.extend(ids.into_iter().map(|id| (id, host)));
    }

    assert_eq!(owners.len(), EXECUTIONS);
    assert_eq!(owners.iter().map(|(id, _)| *id).collect::<HashSet<_>>().len(), EXECUTIONS);
    for (id, host) in owners {
        assert_eq!(reader.view(id).await.owner, Some(host));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_claimed_by_one_host() {
    let hosts = hosts().await;
    let id = hosts[0].born(1).await;
    let width: u32 = 100;
    let inputs: Vec<&str> = (0..width).map(|_| "1").collect();
    let tasks = (0..width)
        .map(|promise| NewTask { id: RandomIds.task(), ..task(0, promise, (2, promise)) });
    let append = Append {
        entries: vec![call_many(2, 0, &inputs)],
        tasks: tasks.collect(),
        ..hosts[0].append(id)
    };
    hosts[0].commit(vec![write(append)]).await;

    let mut claims: JoinSet<_> = hosts.into_iter().map(claim_all_tasks).collect();
    let mut promises = Vec::new();
    while let Some(claimed) = claims.join_next().await {
        promises.extend(claimed.unwrap());
    }

    promises.sort();
    assert_eq!(
        promises.iter().map(|promise| promise.0).collect::<Vec<_>>(),
        (0..width).collect::<Vec<_>>()
    );
}

/// Making ready and claiming meet on the same rows: what one host makes ready twice may have been claimed in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_ready_by_many_at_once_is_claimed_once() {
    let hosts = hosts().await;
    let due = hosts[0].now + std::time::Duration::from_secs(1);
    let delayed = |_| NewExecution { created_at: hosts[0].now, ..ready(due.as_micros()) };
    hosts[0].commit((0..EXECUTIONS).map(delayed).map(start).collect()).await;

    let mut rounds: JoinSet<_> = hosts.into_iter().map(|db| promote_and_claim(db, due)).collect();
    let mut claimed = Vec::new();
    while let Some(round) = rounds.join_next().await {
        claimed.extend(round.unwrap());
    }

    assert_eq!(claimed.len(), EXECUTIONS);
    assert_eq!(claimed.into_iter().collect::<HashSet<_>>().len(), EXECUTIONS);
}

/// Starts executions with the same keys in another order than all others; says how many it began.
async fn start_with_keys(db: Database, first: usize) -> (usize, usize) {
    let (mut begun, mut found) = (0, 0);
    for number in 0..EXECUTIONS {
        let key = ((first + number) % EXECUTIONS).to_string();
        let new = ready(1_000);
        let new = NewExecution { id: ExecutionId::of_key(&new.workflow, &key), ..new };
        let hash = new.input.hash();
        match db.commit(vec![start(new)]).await.remove(0) {
            Written::Done(_) => begun += 1,
            Written::Exists { input_hash } if input_hash == hash => found += 1,
            other => unreachable!("{other:?}"),
        }
    }
    (begun, found)
}

/// Whoever comes second, on whichever host, finds what the first has begun, and with which input.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_is_one_execution_on_however_many_hosts() {
    let hosts = hosts().await;
    let other = hosts[0].peer().await;

    let starting = hosts.into_iter().enumerate();
    let mut starts: JoinSet<_> =
        starting.map(|(place, db)| start_with_keys(db, place * EXECUTIONS / HOSTS)).collect();
    let (mut begun, mut found) = (0, 0);
    while let Some(started) = starts.join_next().await {
        let (first, again) = started.unwrap();
        (begun, found) = (begun + first, found + again);
    }

    assert_eq!((begun, found), (EXECUTIONS, EXECUTIONS * (HOSTS - 1)));
    let id = ExecutionId::of_key(&ready(1_000).workflow, "7");
    let another = NewExecution { id, input: json("2"), ..ready(1_000) };
    let answered = other.commit(vec![start(another)]).await;
    assert_eq!(answered, [Written::Exists { input_hash: ready(1_000).input.hash() }]);
}

#[tokio::test]
async fn an_append_of_whoever_owns_it_no_more_writes_nothing() {
    let first = Database::postgres().await;
    let second = first.peer().await;
    let id = first.born(1).await;
    first.commit(vec![write(Append { row: RowChange::Release, ..first.append(id) })]).await;
    assert_eq!(second.claim(1).await[0].execution.id, id);

    let row = RowChange::Park { seen: 0, next_timer: None };
    let written = first.commit(vec![write(Append { row, ..first.append(id) })]).await;

    assert_eq!(written, [Written::NotOwner]);
    assert_eq!(second.view(id).await.owner, Some(second.host));
}
