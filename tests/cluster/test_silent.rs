//! A host that falls silent in the middle of a transaction: what it holds must not keep others from burying it.

use std::time::Duration;

use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use stepwell_test_servers::postgres::Postgres;
use stepwell_test_witness::jobs::{Accepted, Job, Load};
use stepwell_test_witness::ledger::Faults;

use crate::cluster::{Cluster, longest};
use crate::rows::Incarnation;
use crate::storm::{PATIENCE, Storm, now, until};

const CLIENTS: usize = 8;

/// A connection of the test's own, called like those of a host.
async fn connect(url: &str, name: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().unwrap();
    options.application_name(name).disable_statement_logging().connect().await.unwrap()
}

/// Says something on a connection; whether it was done.
async fn say(connection: &mut PgConnection, sql: &str) -> bool {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.is_ok()
}

/// How many sessions of that life are in that state and hold a fence.
fn fenced(life: &Incarnation, state: &str) -> String {
    format!(
        "select count(*) from pg_stat_activity as session \
         where application_name = '{}' and state = '{state}' and exists ( \
           select from pg_locks where pg_locks.pid = session.pid and relation = 'hosts'::regclass \
             and mode = 'RowShareLock' and granted)",
        life.session
    )
}

/// Freezes the first host between its fence and its commit: it admits a signal, and stands before a row that the test holds
/// until then.
async fn freeze_in_transaction(cluster: &Cluster, url: &str, life: &Incarnation) {
    let host = &cluster.hosts[0];
    let id = host.api().run("signals", json!(1)).await;
    let is_its_own = format!(
        "select count(*) from executions where id = uuid_send('{id}') and owner = uuid_send('{}') \
         and exists (select from journal where execution_id = executions.id and kind = 14)",
        life.id
    );
    let look = || async { (cluster.rows.count(&is_its_own).await == 1).then_some(()) };
    until("it waits for a signal", PATIENCE, look).await;
    let mut holder = connect(url, "storm").await;
    cluster.hosts[1].api().signalled(&id, "message", json!("at last")).await;
    let hold = format!("begin; select from executions where id = uuid_send('{id}') for update");
    assert!(say(&mut holder, &hold).await);
    let stands = fenced(life, "active");
    let look = || async { (cluster.rows.count(&stands).await > 0).then_some(()) };
    until("it stands before the row", PATIENCE, look).await;
    host.freeze();
    holder.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_stopped_between_its_fence_and_its_commit_is_buried_in_time() {
    let storm = Storm::begin("silent").await;
    let rounds = storm.of(1, 8);
    let server = Postgres::shared().await;
    let url = server.url(&server.fresh_database().await);
    let mut cluster = Cluster::prepare(&url, storm.lease).await;
    cluster.flags().hot_for = "1m";
    cluster.grow(3).await;
    let mut freed = Vec::new();

    for _ in 0..rounds {
        let life = cluster.rows.life(cluster.hosts[0].name()).await;
        freeze_in_transaction(&cluster, &url, &life).await;
        let frozen = now();
        let idle = fenced(&life, "idle in transaction");
        let look = || async { (cluster.rows.count(&idle).await > 0).then_some(()) };
        until("its transaction is open", PATIENCE, look).await;
        freed.push(cluster.rows.freed(life.id.clone(), frozen).await);
        cluster.hosts[0].thaw();
        cluster.new_life(0, &life).await;
    }

    storm.tell(format!("{rounds} times silent, the work was free within {}", longest(&freed)));
    assert!(freed.iter().all(|time| *time <= storm.freed_within()), "{freed:?}");
    cluster.audit(&storm, &Accepted::default(), Faults::Any).await;
}

/// The server's own time-outs are out of play: whoever buries must end the session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_holds_on_to_the_fence_of_a_dead_host_is_ended() {
    let storm = Storm::begin("holding on").await;
    let rounds = storm.of(1, 8);
    let server = Postgres::shared().await;
    let url = server.url(&server.fresh_database().await);
    let mut cluster = Cluster::start(&url, &storm, 3).await;
    let load = Load::begin((0..20_000).map(Job::number), CLIENTS, &cluster.doors());
    let mut freed = Vec::new();

    for _ in 0..rounds {
        cluster.keep_busy(&load, 60, Duration::from_secs(1)).await;
        let life = cluster.rows.life(cluster.hosts[0].name()).await;
        let mut holder = connect(&url, &life.session).await;
        let hold = format!(
            "set idle_in_transaction_session_timeout = 0; begin; \
             select from hosts where id = uuid_send('{}') for key share",
            life.id
        );
        assert!(say(&mut holder, &hold).await);
        let (id, at) = cluster.kill(0).await;
        tokio::select! {
            time = cluster.rows.freed(id, at) => freed.push(time),
            () = cluster.keep_busy(&load, 60, PATIENCE) => {}
        }
        assert!(!say(&mut holder, "select 1").await, "its session goes on");
        cluster.grow(1).await;
    }
    let accepted = load.end().await;

    storm.tell(format!("{rounds} held on, the work was free within {}", longest(&freed)));
    assert_eq!(freed.len(), rounds);
    assert!(freed.iter().all(|time| *time <= storm.freed_within()), "{freed:?}");
    cluster.audit(&storm, &accepted, Faults::Kills).await;
}
