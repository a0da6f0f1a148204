//! Leases: who may be declared dead, by whom, and what becomes of a commit that meets its burial.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};
use stepwell::model::{HostId, Lease};
use stepwell::store::{Append, StoreError, Streak};
use tokio::time::timeout;

use crate::database::{Database, everything};
use crate::words::{call, write};

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
