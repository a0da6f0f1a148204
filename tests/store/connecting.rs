//! Connecting to a Postgres: schemas of other versions, roles that may not migrate, restarts, and TLS.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use stepwell::store::{
    Migrating, NEWEST, OpenError, Postgres, PostgresOptions, SqlStore, examine_postgres,
};
use stepwell_test_servers::postgres::{self, Mode};
use tokio::task::JoinSet;

use crate::database::{Database, everything, execution_id, limits, new_host};
use crate::words::{completed, execution, signal, start};

async fn empty() -> String {
    let server = postgres::Postgres::shared().await;
    server.url(&server.fresh_database().await)
}

async fn connect(url: &str, migrating: Migrating) -> Result<SqlStore<Postgres>, OpenError> {
    let options = PostgresOptions { migrating, ..PostgresOptions::default() };
    SqlStore::connect(url, &options, &limits()).await
}

async fn raw(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
}

async fn versions(url: &str) -> Vec<i64> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let query = sqlx::query_scalar("select version from stepwell_schema order by version");
    query.fetch_all(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hosts_that_start_at_once_migrate_once() {
    let url = empty().await;

    let mut starts = JoinSet::new();
    for _ in 0..5 {
        let url = url.clone();
        starts.spawn(async move { Database::at(&url).await });
    }
    let hosts = starts.join_all().await;

    assert_eq!(hosts.len(), 5);
    assert_eq!(versions(&url).await, (1..=NEWEST).collect::<Vec<_>>());
    hosts[4].commit(vec![start(execution(1))]).await;
    assert!(hosts[0].store.execution(execution(1).id).await.unwrap().is_some());
}

#[tokio::test]
async fn looking_at_a_database_says_what_is_pending_and_changes_nothing() {
    let url = empty().await;

    let before = examine_postgres(&url).await.unwrap();
    let again = examine_postgres(&url).await.unwrap();
    connect(&url, Migrating::Auto).await.unwrap().disconnect().await;
    let after = examine_postgres(&url).await.unwrap();

    assert!(before.server.starts_with("Postgres "), "{before:?}");
    assert!(before.steps.iter().all(|step| step.applied_at.is_none()), "{before:?}");
    assert_eq!(again.steps, before.steps);
    assert!(after.steps.iter().all(|step| step.applied_at.is_some()), "{after:?}");
    assert_eq!(after.steps.len(), before.steps.len());
    let (open, most) = after.connections.unwrap();
    assert!(0 < open && open <= most, "{after:?}");
}

#[tokio::test]
async fn who_may_not_migrate_says_what_to_run() {
    let url = empty().await;

    let never = connect(&url, Migrating::Never).await.unwrap_err();
    assert!(never.to_string().contains("stepwell migrate"), "{never}");

    let role = format!("worker_{}", new_host().to_string().replace('-', ""));
    raw(&url, &format!("create role {role} login; revoke create on schema public from public"))
        .await;
    let refused =
        connect(&url.replacen("postgres@", &format!("{role}@"), 1), Migrating::Auto).await;
    assert!(matches!(refused, Err(OpenError::Behind { found: 0, source: Some(_), .. })));
}

#[tokio::test]
async fn a_schema_one_ahead_is_served_and_one_further_is_refused() {
    let url = empty().await;
    drop(connect(&url, Migrating::Auto).await.unwrap());
    let newest = versions(&url).await.len();

    raw(&url, &format!("insert into stepwell_schema values ({}, 'next', 0)", newest + 1)).await;
    assert!(connect(&url, Migrating::Auto).await.is_ok());

    raw(&url, &format!("insert into stepwell_schema values ({}, 'later', 0)", newest + 2)).await;
    assert!(matches!(connect(&url, Migrating::Auto).await, Err(OpenError::Newer { .. })));
}

#[tokio::test]
async fn tables_of_another_program_are_left_alone() {
    let url = empty().await;
    raw(&url, "create table executions (mine text)").await;

    let refused = connect(&url, Migrating::Auto).await.unwrap_err();

    assert!(matches!(refused, OpenError::Foreign { .. }));
    assert!(!refused.to_string().contains('@'), "{refused}");
}

#[tokio::test]
async fn what_is_no_address_is_told_and_a_password_is_not() {
    let refused = connect("postgres://me:secret@127.0.0.1:1/none", Migrating::Auto).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("127.0.0.1:1") && !refused.contains("secret"), "{refused}");

    let unreadable = connect("mysql://me:secret@here/none", Migrating::Auto).await.unwrap_err();
    assert!(unreadable.to_string().contains("postgres://"), "{unreadable}");
}

#[tokio::test]
async fn after_a_restart_every_verb_answers_at_once_again() {
    let server = postgres::Postgres::private().await;
    let db = Database::at(&server.url("postgres")).await;
    db.commit(vec![start(execution(1))]).await;

    for mode in [Mode::Fast, Mode::Immediate] {
        server.restart(mode).await;

        assert_eq!(db.view(execution(1).id).await.row.id, execution(1).id);
        assert_eq!(db.store.promote(db.host, db.now, 1).await.unwrap(), 0);
        // The committer's connection may have broken under the first one, of which nobody then knows.
        let _unknown = db.store.commit(db.host, &[start(execution(2))]).await;
        assert!(db.store.execution(execution(2).id).await.is_ok());
        db.store.renew(db.host, stepwell::store::Streak::Broken).await.ok();
        db.renew().await;
    }
}

#[tokio::test]
async fn a_connection_is_as_safe_as_its_sslmode_says() {
    let plain = postgres::Postgres::shared().await;
    let plain = plain.url(&plain.fresh_database().await);
    let server = postgres::Postgres::with_tls().await;
    let url = server.url("postgres");
    let certificate = server.certificate();
    let mode = async |url: &str, asked: &str| {
        connect(&format!("{url}?sslmode={asked}"), Migrating::Auto).await.is_ok()
    };

    assert!(!mode(&plain, "require").await, "that server has no TLS");
    assert!(mode(&url, "require").await);
    assert!(!mode(&url, "verify-full").await, "nobody has signed its certificate");
    assert!(mode(&url, &format!("verify-full&sslrootcert={}", certificate.display())).await);
}

/// Scans of whole tables, and look-ups by index, of tables that grow with the work.
const SCANS: &str = "select coalesce(sum(seq_scan), 0)::bigint, coalesce(sum(idx_scan), 0)::bigint from pg_stat_user_tables \
                     where relname in ('executions', 'journal', 'tasks', 'inbox', 'limits', 'dead_letters')";

#[tokio::test]
async fn on_a_database_that_nobody_has_analysed_no_table_that_grows_is_read_whole() {
    let db = Database::postgres().await;
    let url = db.url().unwrap().to_owned();
    let mut outside = PgConnection::connect(&url).await.unwrap();
    let mut scans =
        async || -> (i64, i64) { sqlx::query_as(SCANS).fetch_one(&mut outside).await.unwrap() };
    // Sessions that have ended have told what they did: the migration's, and at the end this host's.
    let before = scans().await;

    for number in 1..=20 {
        let id = db.called_with(number, &vec![crate::limits::limits(Some(2), None); 2]).await;
        for task in db.store.claim_tasks(db.host, &everything(), 9).await.unwrap() {
            db.end_one(&task, completed()).await;
        }
        db.store.deliver(db.host, id, &signal("1")).await.unwrap();
        db.park(id, 0, None).await;
        db.claim(9).await;
        db.store.execution(execution_id(number)).await.unwrap();
        db.end(id, 9, stepwell::model::ExecutionState::Completed).await;
    }
    drop(db);

    let told = async {
        let mut now = scans().await;
        while now.1 - before.1 <= 20 * 9 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            now = scans().await;
        }
        now
    };
    let after = tokio::time::timeout(std::time::Duration::from_secs(30), told).await;
    assert_eq!(after.expect("the sessions tell what they did").0 - before.0, 0);
}
