//! Servers that live as long as they are held, with their data.

use std::collections::BTreeSet;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use stepwell_test_servers::postgres::{Mode, Postgres};

async fn connect(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().unwrap();
    options.connect().await.unwrap()
}

async fn number(connection: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn what_was_committed_outlives_every_way_to_stop() {
    let postgres = Postgres::private().await;
    let url = postgres.url("postgres");
    let mut connection = connect(&url).await;
    sqlx::raw_sql("create table kept (n bigint)").execute(&mut connection).await.unwrap();

    for (rows, mode) in [(1, Mode::Fast), (2, Mode::Immediate)] {
        sqlx::raw_sql("insert into kept values (1)").execute(&mut connection).await.unwrap();
        postgres.restart(mode).await;

        assert!(connection.ping().await.is_err(), "{mode:?} kept a connection");
        connection = connect(&url).await;
        assert_eq!(number(&mut connection, "select count(*) from kept").await, rows);
    }
}

#[tokio::test]
async fn a_stopped_server_refuses_until_it_is_started() {
    let postgres = Postgres::private().await;

    postgres.stop(Mode::Fast).await;

    let options: PgConnectOptions = postgres.url("postgres").parse().unwrap();
    assert!(matches!(options.connect().await, Err(sqlx::Error::Io(_))));
    postgres.start().await;
    options.connect().await.unwrap();
}

#[tokio::test]
async fn a_private_server_is_durable_and_the_shared_one_is_fast() {
    for (postgres, expected) in
        [(&Postgres::private().await, "on"), (Postgres::shared().await, "off")]
    {
        let mut connection = connect(&postgres.url("postgres")).await;

        let fsync: String =
            sqlx::query_scalar("show fsync").fetch_one(&mut connection).await.unwrap();

        assert_eq!(fsync, expected);
    }
}

#[tokio::test]
async fn a_server_keeps_its_data_where_it_is_told_to() {
    let place = tempfile::tempdir().unwrap();
    let open_to_all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(place.path(), open_to_all).unwrap();

    let postgres = Postgres::below(place.path()).await;

    assert!(postgres.folder().starts_with(place.path()));
    connect(&postgres.url("postgres")).await;
}

#[test]
fn runtimes_that_come_and_go_share_one_server_and_no_database() {
    let visit = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let postgres = Postgres::shared().await;
            let database = postgres.fresh_database().await;
            let mut connection = connect(&postgres.url(&database)).await;
            sqlx::raw_sql("create table mine (n int)").execute(&mut connection).await.unwrap();
            (postgres.port(), database)
        })
    };

    let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(visit)).collect();
    let visits: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();

    let ports: BTreeSet<_> = visits.iter().map(|(port, _)| port).collect();
    let databases: BTreeSet<_> = visits.iter().map(|(_, name)| name).collect();
    assert_eq!((ports.len(), databases.len()), (1, 8));
}

#[tokio::test]
async fn a_server_that_is_dropped_leaves_nothing() {
    let postgres = Postgres::private().await;
    let (folder, port) = (postgres.folder().to_owned(), postgres.port());
    assert!(folder.join("data").is_dir());

    drop(postgres);

    assert!(!folder.exists());
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}
