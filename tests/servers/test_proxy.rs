//! Faults on the line to a real server, as a client of it sees them.

use std::pin::pin;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::time::timeout;

use stepwell_test_servers::chance::Chance;
use stepwell_test_servers::postgres::{Mode, Postgres};
use stepwell_test_servers::proxy::losses::{Loss, Lost};
use stepwell_test_servers::proxy::{Cut, Proxy};
use stepwell_test_servers::redis::Redis;

/// Long enough for what is not on its way to be missed.
const SILENCE: Duration = Duration::from_millis(200);

async fn connect(url: &str) -> sqlx::Result<PgConnection> {
    let options: PgConnectOptions = url.parse()?;
    options.connect().await
}

/// A table behind a proxy, and the way around it.
struct Stage {
    database: String,
    proxy: Proxy,
}

impl Stage {
    async fn set() -> Self {
        let postgres = Postgres::shared().await;
        let database = postgres.fresh_database().await;
        let stage = Self { database, proxy: Proxy::before(postgres) };
        let mut around = stage.around().await;
        sqlx::raw_sql("create table kept (n bigint primary key)")
            .execute(&mut around)
            .await
            .unwrap();
        stage
    }

    async fn around(&self) -> PgConnection {
        connect(&Postgres::shared().await.url(&self.database)).await.unwrap()
    }

    async fn through(&self) -> PgConnection {
        connect(&self.proxy.url(&self.database)).await.unwrap()
    }

    async fn rows(&self) -> Vec<i64> {
        let rows = sqlx::query_scalar("select n from kept order by n");
        rows.fetch_all(&mut self.around().await).await.unwrap()
    }

    fn lose_next(&self, loss: Loss) {
        match loss {
            Loss::Request => self.proxy.lose_next_requests(1),
            Loss::Reply => self.proxy.lose_next_replies(1),
        }
    }
}

async fn insert(connection: &mut PgConnection, n: i64) -> sqlx::Result<()> {
    let insert = sqlx::query("-- Keeps a number.\ninsert into kept\nvalues ($1)").bind(n);
    insert.execute(connection).await.map(drop)
}

async fn insert_in_a_block(connection: &mut PgConnection, n: i64) -> sqlx::Result<()> {
    let mut block = connection.begin().await?;
    insert(&mut block, n).await.expect("only its commit can be lost");
    block.commit().await
}

async fn insert_unprepared(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::raw_sql("insert into kept values (1)").execute(connection).await.map(drop)
}

async fn is_over(mut connection: PgConnection) -> bool {
    connection.ping().await.is_err()
}

/// In each of the three ways to commit.
async fn inserts_in_every_way(loss: Loss, left: &[i64], lost: Lost) {
    for way in ["block", "alone", "unprepared"] {
        let stage = Stage::set().await;
        let mut connection = stage.through().await;
        stage.lose_next(loss);

        let told = match way {
            "block" => insert_in_a_block(&mut connection, 1).await,
            "alone" => insert(&mut connection, 1).await,
            _ => insert_unprepared(&mut connection).await,
        };

        assert!(told.is_err(), "{way} was answered");
        assert!(is_over(connection).await, "{way} kept its connection");
        assert_eq!(stage.rows().await, left, "{way}");
        assert_eq!(stage.proxy.lost(), lost, "{way}");
    }
}

#[tokio::test]
async fn a_commit_whose_reply_is_lost_has_happened() {
    inserts_in_every_way(Loss::Reply, &[1], Lost { requests: 0, replies: 1 }).await;
}

#[tokio::test]
async fn a_commit_whose_request_is_lost_has_not_happened() {
    inserts_in_every_way(Loss::Request, &[], Lost { requests: 1, replies: 0 }).await;
}

#[tokio::test]
async fn what_commits_nothing_is_never_lost() {
    let stage = Stage::set().await;
    let mut connection = stage.through().await;
    stage.proxy.lose_replies(1.0, 1);
    stage.proxy.lose_requests(1.0, 1);

    let mut block = connection.begin().await.unwrap();
    insert(&mut block, 1).await.unwrap();
    let locked = sqlx::query_scalar("select n from kept for update");
    let locked: i64 = locked.fetch_one(&mut *block).await.unwrap();
    block.rollback().await.unwrap();
    let none = sqlx::query("select n from kept").fetch_all(&mut connection).await.unwrap();

    assert_eq!((locked, none.len()), (1, 0));
    assert_eq!(stage.proxy.lost(), Lost::default());
}

/// sqlx rolls a dropped block back with the next statement it sends, in one write.
#[tokio::test]
async fn a_commit_right_behind_a_rollback_is_known() {
    let stage = Stage::set().await;
    let mut connection = stage.through().await;
    insert(&mut connection, 1).await.unwrap();
    let mut block = connection.begin().await.unwrap();
    insert(&mut block, 2).await.unwrap();
    drop(block);
    stage.proxy.lose_next_replies(1);

    insert(&mut connection, 3).await.unwrap_err();

    assert_eq!(stage.rows().await, [1, 3]);
}

#[tokio::test]
async fn a_commit_that_is_refused_is_answered_and_the_next_is_lost_instead() {
    let stage = Stage::set().await;
    let mut connection = stage.through().await;
    insert(&mut connection, 1).await.unwrap();
    stage.proxy.lose_next_replies(1);

    let refused = insert(&mut connection, 1).await.unwrap_err();
    assert!(refused.into_database_error().unwrap().is_unique_violation());
    let mut block = connection.begin().await.unwrap();
    insert(&mut block, 1).await.unwrap_err();
    block.commit().await.unwrap(); // which Postgres answers with `ROLLBACK`
    assert_eq!(stage.proxy.lost(), Lost::default());

    insert(&mut connection, 2).await.unwrap_err();
    assert_eq!(stage.rows().await, [1, 2]);
    assert_eq!(stage.proxy.lost(), Lost { requests: 0, replies: 1 });
}

#[tokio::test]
async fn in_a_storm_every_commit_is_answered_or_counted() {
    const COMMITS: i64 = 200;
    let stage = Stage::set().await;
    let mut chance = Chance::from_environment();
    stage.proxy.lose_replies(0.2, chance.next(u64::MAX));
    stage.proxy.lose_requests(0.2, chance.next(u64::MAX));
    let mut connection = stage.through().await;
    let mut answered = Vec::new();

    for n in 0..COMMITS {
        match insert_in_a_block(&mut connection, n).await {
            Ok(()) => answered.push(n),
            Err(_) => connection = stage.through().await,
        }
    }
    stage.proxy.heal().await;
    insert(&mut connection, COMMITS).await.unwrap();
    answered.push(COMMITS);

    let (rows, lost) = (stage.rows().await, stage.proxy.lost());
    println!("{lost:?}");
    assert!(lost.replies > 0 && lost.requests > 0, "{lost:?}");
    assert!(answered.iter().all(|n| rows.contains(n)));
    assert_eq!(answered.len() as u64 + lost.replies, rows.len() as u64);
    assert_eq!(rows.len() as u64 + lost.requests, COMMITS as u64 + 1);
}

#[tokio::test]
async fn a_severed_line_ends_every_connection_and_refuses_new_ones() {
    let stage = Stage::set().await;
    let mut connection = stage.through().await;
    connection.ping().await.unwrap();

    stage.proxy.cut(Cut::Sever).await;

    assert!(is_over(connection).await);
    let url = stage.proxy.url(&stage.database);
    let refused = connect(&url).await.unwrap_err();
    assert!(
        matches!(&refused, sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused),
        "{refused}"
    );
    stage.proxy.heal().await;
    stage.through().await.ping().await.unwrap();
}

#[tokio::test]
async fn in_a_black_hole_nothing_arrives_until_the_line_is_healed() {
    let stage = Stage::set().await;
    let mut connection = stage.through().await;
    stage.proxy.cut(Cut::Blackhole).await;
    let url = stage.proxy.url(&stage.database);

    let mut sent = pin!(insert(&mut connection, 1));
    let mut called = pin!(connect(&url));
    assert!(timeout(SILENCE, &mut sent).await.is_err());
    assert!(timeout(SILENCE, &mut called).await.is_err());
    assert!(stage.rows().await.is_empty());

    stage.proxy.heal().await;
    sent.await.unwrap();
    called.await.unwrap().ping().await.unwrap();
    assert_eq!(stage.rows().await, [1]);
}

#[tokio::test]
async fn a_line_survives_the_server_behind_it() {
    let postgres = Postgres::private().await;
    let proxy = Proxy::before(&postgres);
    let connection = connect(&proxy.url("postgres")).await.unwrap();

    postgres.stop(Mode::Immediate).await;

    assert!(is_over(connection).await);
    connect(&proxy.url("postgres")).await.unwrap_err();
    postgres.start().await;
    connect(&proxy.url("postgres")).await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn a_line_to_redis_can_be_cut_too() {
    let redis = Redis::private().await;
    let proxy = Proxy::before_redis(&redis);
    let ping = || crate::test_redis::ask(&redis.url_through(&proxy), None, &["ping"]);
    assert_eq!(ping().unwrap(), "PONG");

    proxy.cut(Cut::Sever).await;
    let refused = ping().unwrap_err();
    proxy.heal().await;

    assert!(refused.contains("Connection refused"), "{refused}");
    assert_eq!(ping().unwrap(), "PONG");
}
