//! Opening a file that is not ours, is too new, is held, or cannot be written: nothing in it is changed.

use std::fs;
use std::path::{Path, PathBuf};

use stepwell::store::{NEWEST, OpenError, SqlStore, Sqlite, SqliteOptions, Store, StoreError};
use tempfile::TempDir;

use crate::database::{limits, new_host, new_host_row};
use crate::words::{execution, json, start};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stepwell.db");
    (folder, path)
}

async fn open(path: &Path) -> Result<SqlStore<Sqlite>, OpenError> {
    SqlStore::open(path, &SqliteOptions::default(), &limits()).await
}

async fn run_sql(path: &Path, sql: &'static str) {
    use sqlx::ConnectOptions as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let (_folder, path) = folder();
    let store = open(&path).await.unwrap();
    let host = new_host();
    store.register(&new_host_row(host)).await.unwrap();
    store.commit(host, &[start(execution(1))]).await.unwrap();
    store.close().await;

    let store = open(&path).await.unwrap();

    assert!(store.execution(execution(1).id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_file_that_a_live_host_holds_is_left_alone_until_it_lets_go() {
    let (_folder, path) = folder();
    let first = open(&path).await.unwrap();

    assert!(matches!(open(&path).await, Err(OpenError::Held { .. })));
    first.close().await;

    assert!(open(&path).await.is_ok());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_as_it_is() {
    let (_folder, path) = folder();
    for text in ["my diary", "SQLite format 3\0 is how this begins, and then it is something else"]
    {
        fs::write(&path, text).unwrap();

        assert!(matches!(open(&path).await, Err(OpenError::Foreign { .. })), "{text}");

        assert_eq!(fs::read(&path).unwrap(), text.as_bytes());
    }
}

#[tokio::test]
async fn the_database_of_another_program_is_left_as_it_is() {
    let (_folder, path) = folder();
    run_sql(&path, "create table songs (title text)").await;
    let before = fs::read(&path).unwrap();

    assert!(matches!(open(&path).await, Err(OpenError::Foreign { .. })));

    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_newer_schema_is_left_as_it_is() {
    let (_folder, path) = folder();
    open(&path).await.unwrap().close().await;
    run_sql(&path, "insert into stepwell_schema values (99, '0099_later', 0)").await;
    let before = fs::read(&path).unwrap();

    let refused = open(&path).await;

    assert!(matches!(refused, Err(OpenError::Newer { found: 99, known: NEWEST })));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn an_empty_file_becomes_a_database() {
    let (_folder, path) = folder();
    fs::write(&path, "").unwrap();

    assert!(open(&path).await.is_ok());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_said_to_be_unavailable() {
    let (_folder, path) = folder();

    let refused = open(&path.join("below/stepwell.db")).await;

    assert!(matches!(refused, Err(OpenError::Unavailable { .. })));
}

#[tokio::test]
async fn a_full_disk_is_said_so_at_opening_and_leaves_nothing_half_made() {
    let (_folder, path) = folder();
    let full = SqliteOptions { pages_max: Some(8), ..SqliteOptions::default() };

    let refused = SqlStore::open(&path, &full, &limits()).await;
    assert!(matches!(refused, Err(OpenError::Unavailable { .. })));

    assert!(open(&path).await.is_ok(), "once there is room");
}

#[tokio::test]
async fn a_disk_that_fills_up_refuses_the_write_and_loses_nothing() {
    let (_folder, path) = folder();
    open(&path).await.unwrap().close().await;
    let pages = u32::try_from(fs::metadata(&path).unwrap().len() / 4_096).unwrap();
    let full = SqliteOptions { pages_max: Some(pages + 8), ..SqliteOptions::default() };
    let store = SqlStore::open(&path, &full, &limits()).await.unwrap();
    let host = new_host();
    store.register(&new_host_row(host)).await.unwrap();
    store.commit(host, &[start(execution(1))]).await.unwrap();
    let mut large = execution(2);
    large.input = json(&format!("\"{}\"", "x".repeat(100_000)));

    let refused = store.commit(host, &[start(large.clone())]).await;

    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(store.execution(large.id).await.unwrap().is_none());
    assert!(store.execution(execution(1).id).await.unwrap().is_some());
    store.commit(host, &[start(execution(3))]).await.unwrap();
}
