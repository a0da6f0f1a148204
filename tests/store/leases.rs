//! Leases: who may be declared dead, by whom, and what becomes of a commit that meets its burial.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};
use stepwell::model::{ExecutionId, HostId, Lease};
use stepwell::store::{Append, NewExecution, StoreError, Streak};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::database::{Database, everything};
use crate::words::{call, cancel, execution, start, write};

/// A burial waits half a second for whom it buries, ends its sessions, and tries again.
const BURIED_WITHIN: Duration = Duration::from_secs(2);

/// A host, and another whose lease has ended.
async fn living_and_silent() -> (Database, Database) {
    let living = Database::postgres().await;
    let silent = living.peer().await;
    living.spoil("update hosts set steady_since = 1").await;
    silence(&silent).await;
    (living, silent)
}

async fn silence(silent: &Database) {
    let host = silent.host.to_string().replace('-', "");
    let sql = format!("update hosts set lease_ends = 1 where id = '\\x{host}'");
    raw(silent, &sql).await;
}

async fn raw(db: &Database, sql: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(&mut connect(db).await)
        .await
        .unwrap();
}

async fn connect(db: &Database) -> PgConnection {
    session(db, "a test").await
}

/// A connection that is called so.
async fn session(db: &Database, name: &str) -> PgConnection {
    let options: PgConnectOptions = db.url().unwrap().parse().unwrap();
    options.application_name(name).connect().await.unwrap()
}

async fn bury(db: &Database) -> Vec<HostId> {
    db.store.bury(db.host, Lease::default()).await.unwrap()
}

#[tokio::test]
async fn who_is_silent_for_a_lease_is_buried_and_its_work_is_free() {
    let (living, silent) = living_and_silent().await;
    let id = silent.born(1).await;

    assert_eq!(bury(&living).await, [silent.host]);

    let claimed = living.claim(10).await;
    assert_eq!((claimed[0].execution.id, claimed[0].execution.losses), (id, 1));
    let late = silent.store.commit(silent.host, &[write(silent.append(id))]).await;
    assert!(matches!(late, Err(StoreError::Fenced { .. })));
    assert!(bury(&living).await.is_empty(), "nobody dies twice");
}

#[tokio::test]
async fn who_renews_in_time_is_not_buried() {
    let living = Database::postgres().await;
    let busy = living.peer().await;
    living.spoil("update hosts set steady_since = 1").await;

    busy.renew().await;

    assert!(bury(&living).await.is_empty());
    let seen = living.renew().await;
    let end = seen.next_lease_end.unwrap();
    assert!(end > seen.now && end.since(seen.now) <= Lease::default().length());
    assert_eq!(seen.hosts, 2);
}

#[tokio::test]
async fn a_lease_that_has_ended_is_renewed_where_nobody_has_judged_it() {
    let (living, silent) = living_and_silent().await;

    silent.renew().await;

    assert!(bury(&living).await.is_empty());
}

#[tokio::test]
async fn nobody_is_buried_before_the_database_has_answered_for_a_whole_lease() {
    let living = Database::postgres().await;
    let silent = living.peer().await;
    silence(&silent).await;

    assert!(bury(&living).await.is_empty(), "this database answers since a moment ago");

    let broken = living.store.renew(living.host, Streak::Broken).await.unwrap();
    assert!(broken.now.since(broken.steady_since.unwrap()) < Duration::from_secs(1));
}

#[tokio::test]
async fn who_has_not_renewed_lately_buries_nobody() {
    let (living, silent) = living_and_silent().await;
    let fresh = Lease::default().fresh().as_micros();
    let sql = format!(
        "update hosts set lease_ends = lease_ends - {fresh} where lease_ends > 1 and id <> '\\x{}'",
        silent.host.to_string().replace('-', "")
    );
    raw(&living, &sql).await;

    assert!(bury(&living).await.is_empty());
    living.renew().await;

    assert_eq!(bury(&living).await, [silent.host]);
}

#[tokio::test]
async fn who_joins_hosts_that_renew_knows_what_they_know() {
    let first = Database::postgres().await;
    first.spoil("update hosts set steady_since = 7").await;

    let joined = first.peer().await;
    assert_eq!(
        joined.renew().await.steady_since.map(stepwell::model::Timestamp::as_micros),
        Some(7)
    );

    first.spoil("update hosts set lease_ends = lease_ends - 7000000").await;
    let late = first.peer().await;
    let seen = late.renew().await;
    assert!(seen.steady_since.unwrap().as_micros() > 7, "none has renewed a moment ago");
}

#[tokio::test]
async fn a_host_that_hangs_between_its_fence_and_its_commit_is_buried_all_the_same() {
    let (living, silent) = living_and_silent().await;
    let id = silent.born(1).await;
    let mut hanging = session(&silent, &format!("stepwell {}", silent.host)).await;
    let host = silent.host.to_string().replace('-', "");
    let fence = format!("begin; select 1 from hosts where id = '\\x{host}' for key share");
    sqlx::raw_sql(sqlx::AssertSqlSafe(fence)).execute(&mut hanging).await.unwrap();

    let buried = timeout(BURIED_WITHIN, bury(&living)).await.expect("it is buried in time");

    assert_eq!(buried, [silent.host]);
    assert_eq!(living.claim(10).await[0].execution.id, id);
    assert!(sqlx::raw_sql("commit").execute(&mut hanging).await.is_err(), "its session has ended");
}

#[tokio::test]
async fn a_commit_is_wholly_before_the_burial_or_does_not_happen() {
    let (living, silent) = living_and_silent().await;
    let id = silent.born(1).await;
    let (entries, mut seq) = (|seq| vec![call(seq, 0)], 2);

    let writing = async {
        loop {
            let append = Append { entries: entries(seq), ..silent.append(id) };
            match silent.store.commit(silent.host, &[write(append)]).await {
                Ok(_) => seq += 1,
                Err(StoreError::Fenced { .. }) => return,
                Err(other) => unreachable!("{other:?}"),
            }
        }
    };
    let (buried, ()) = tokio::join!(bury(&living), writing);

    assert_eq!(buried, [silent.host]);
    let claimed = living.store.claim_executions(living.host, &everything(), 1).await.unwrap();
    assert_eq!(claimed[0].entries.len() as u64, seq - 1, "all that was acknowledged, and no more");
}

#[tokio::test]
async fn two_who_bury_at_once_bury_once() {
    let (living, silent) = living_and_silent().await;
    let other = living.peer().await;
    let id = silent.born(1).await;

    let (one, two) = tokio::join!(bury(&living), bury(&other));

    assert_eq!([one, two].concat(), [silent.host]);
    assert_eq!(living.view(id).await.row.losses, 1);
}

/// The commonest commit is one message, which may lie somewhere on its way when nobody waits for it any more.
#[tokio::test]
async fn what_arrives_after_its_end_was_awaited_is_not_written() {
    let db = Database::postgres().await;
    let id = db.born(1).await;
    let host = db.host.to_string().replace('-', "");
    let late = format!(
        "with part_0 as (insert into journal (execution_id, seq, run, kind, head, recorded_at) \
         values ('\\x{}', 2, 0, 4, '\\x00', 1)) \
         select 1 / count(*) from (select 1 from hosts where id = '\\x{host}' and alive = 1 and epoch = 0 for key share) as alive",
        id.to_string().replace('-', "")
    );

    db.store.await_end(db.host).await.unwrap();
    let written = sqlx::raw_sql(sqlx::AssertSqlSafe(late)).execute(&mut connect(&db).await).await;

    assert!(written.is_err(), "it finds another epoch");
    let append = Append { entries: vec![call(2, 0)], ..db.append(id) };
    assert_eq!(db.commit(vec![write(append)]).await.len(), 1, "the host goes on");
    assert_eq!(db.view(id).await.owner, Some(db.host));
}

async fn deliver_until(stop: CancellationToken, db: Arc<Database>, id: ExecutionId) {
    while !stop.is_cancelled() {
        db.store.deliver(db.host, id, &cancel()).await.unwrap();
    }
}

/// Whoever begins anew locks the same row in a way that passes by whoever waits for all of them to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_what_is_under_way_comes_however_much_begins_anew() {
    let db = Arc::new(Database::postgres().await);
    let id = db.born(1).await;
    let stop = CancellationToken::new();
    let mut busy = JoinSet::new();
    for _ in 0..16 {
        let (db, stop) = (Arc::clone(&db), stop.clone());
        busy.spawn(deliver_until(stop, db, id));
    }

    let ended = timeout(BURIED_WITHIN, db.store.await_end(db.host)).await;
    stop.cancel();
    busy.join_all().await;

    ended.expect("it comes").unwrap();
}

/// Gives birth until that is refused; says how often it was not.
async fn bear_all(db: &Database) -> u8 {
    let own = |number| NewExecution { owner: Some(db.host), ..execution(number) };
    let mut born = 0;
    while db.store.commit(db.host, &[start(own(born + 1))]).await.is_ok() {
        born += 1;
    }
    born
}

/// What is on its way when a host retires is freed with the rest, or never was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_born_to_a_host_that_has_retired() {
    for _ in 0..10 {
        let db = Database::postgres().await;
        let peer = db.peer().await;
        let (born, retired) = tokio::join!(bear_all(&db), async {
            tokio::task::yield_now().await;
            db.store.retire(db.host).await
        });
        retired.unwrap();

        assert_eq!(peer.claim(200).await.len(), usize::from(born));
    }
}
