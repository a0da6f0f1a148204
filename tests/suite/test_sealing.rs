//! A word that a guest says wherever it can, searched for in all that a host with keys keeps; and what becomes of it when keys
//! change, or are missing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use stepwell_test_servers::postgres::Postgres;
use tempfile::TempDir;

use crate::api::Api;
use crate::guests;
use crate::served::{self, Served};

const WORD: &str = "confidential-7hIs-must-be-sealed";
const OLD: &str = "old:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "new:Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";
/// Of the same id, and another.
const FALSE: &str = "old:Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

/// Where a host keeps its rows.
struct Kept {
    folder: TempDir,
    database: Option<String>,
}

impl Kept {
    async fn serve(&self, keys: Option<&str>) -> Result<Served, String> {
        let mut command = served::command(self.folder.path());
        // Whoever follows the one that was killed buries it soon.
        command.args(["--lease", "3s"]);
        if let Some(keys) = keys {
            command.env("STEPWELL_ENCRYPTION_KEYS", keys);
        }
        if let Some(database) = &self.database {
            command.args(["--database", database]);
        }
        Served::start(command).await
    }

    /// All bytes that are in the database, as they are or in hexadecimal digits.
    async fn dump(&self) -> String {
        match &self.database {
            Some(url) => rows(url).await,
            None => files(&self.folder.path().join("data"))
                .iter()
                .map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned())
                .collect(),
        }
    }
}

async fn rows(url: &str) -> String {
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    let tables =
        "select table_name::text from information_schema.tables where table_schema = 'public'";
    let mut dump = String::new();
    for table in sqlx::query(tables).fetch_all(&mut connection).await.unwrap() {
        let table: String = table.get(0);
        let rows = AssertSqlSafe(format!("select row_to_json(t)::text from \"{table}\" t"));
        for row in sqlx::query(rows).fetch_all(&mut connection).await.unwrap() {
            writeln!(dump, "{}", row.get::<String, _>(0)).unwrap();
        }
    }
    connection.close().await.unwrap();
    dump
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    folders.iter().flat_map(|folder| self::files(folder)).chain(files).collect()
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn says_the_word(dump: &str) -> bool {
    dump.contains(WORD) || dump.contains(&hex(WORD))
}

/// Executions that have confided what they can, and wait.
struct Confidants {
    hears: String,
    late: String,
}

async fn confide(api: &Api) -> Confidants {
    api.deploy("reaching", guests::wasm("reaching")).await;
    let spec = json!({ "workflow": "confiding", "input": WORD, "every": "365d" });
    let put = api.send("PUT", "/v1/schedules/yearly", spec.to_string()).await.unwrap();
    assert!(put.is_ok(), "{}", put.body);
    let delayed = json!({ "workflow": "confiding", "input": WORD, "delay": "1h" });
    let delayed = api.start(delayed).await;
    api.signalled(&delayed, "word", json!(WORD)).await;
    let late = api.run("confiding_late", json!(WORD)).await;
    let hears = api.run("confiding", json!(WORD)).await;
    api.until_recorded(&hears, "receive", 1).await;
    let retried = |tasks: &Value| tasks["tasks"][0]["last_failure"]["message"] == WORD;
    while !retried(&api.get(&format!("/v1/tasks?execution={late}")).await.body) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Confidants { hears, late }
}

/// Everything that people may read is as it was said.
async fn is_readable(api: &Api, of: &Confidants) {
    let id = &of.hears;
    for path in [
        format!("/v1/executions/{id}"),
        format!("/v1/executions/{id}/journal?limit=1000"),
        format!("/v1/executions/{id}/logs?limit=1000"),
        format!("/v1/tasks?execution={}", of.late),
        "/v1/dead-letters".to_owned(),
        "/v1/schedules/yearly".to_owned(),
    ] {
        let answer = api.text(&path).await;
        assert!(answer.contains(WORD), "{path}: {answer}");
    }
}

async fn is_sealed_and_goes_on(kept: Kept) {
    let host = kept.serve(Some(OLD)).await.unwrap();
    let confidants = confide(&host.api).await;
    is_readable(&host.api, &confidants).await;
    drop(host);
    assert!(!says_the_word(&kept.dump().await), "the word lies open");

    for keys in [None, Some(NEW), Some(FALSE)] {
        let told = kept.serve(keys).await.err().expect("without the key it does not start");
        assert!(told.contains("sealed under key old"), "{told}");
        assert!(told.contains("STEPWELL_ENCRYPTION_KEYS"), "{told}");
    }

    let told = kept.serve(Some(&OLD[4..])).await.err().expect("it is no key");
    assert!(told.contains("id:base64") && !told.contains(&OLD[8..20]), "{told}");

    let host = kept.serve(Some(&format!("{NEW},{OLD}"))).await.unwrap();
    is_readable(&host.api, &confidants).await;
    host.api.signalled(&confidants.hears, "word", json!("at last")).await;
    let ended = host.api.ended(&confidants.hears).await;
    assert_eq!((ended.kind(), ended.message()), ("confided", &*format!("{WORD} and at last")));
    drop(host);
    assert!(!says_the_word(&kept.dump().await), "the word lies open");
    let told = kept.serve(Some(OLD)).await.err().expect("without the key it does not start");
    assert!(told.contains("sealed under key new"), "{told}");
}

/// What was kept before there were keys is read as it is, and the search would find it.
async fn is_read_as_it_was(kept: Kept) {
    let host = kept.serve(None).await.unwrap();
    let confidants = confide(&host.api).await;
    drop(host);
    assert!(says_the_word(&kept.dump().await), "the search looks at the wrong place");

    let host = kept.serve(Some(OLD)).await.unwrap();
    is_readable(&host.api, &confidants).await;
    host.api.signalled(&confidants.hears, "word", json!("at last")).await;
    assert_eq!(host.api.ended(&confidants.hears).await.kind(), "confided");
}

fn in_a_file() -> Kept {
    Kept { folder: TempDir::new().unwrap(), database: None }
}

async fn on_a_server() -> Kept {
    let postgres = Postgres::shared().await;
    let url = postgres.url(&postgres.fresh_database().await);
    Kept { folder: TempDir::new().unwrap(), database: Some(url) }
}

#[tokio::test]
async fn with_a_key_no_payload_lies_open_on_sqlite_and_keys_may_change() {
    is_sealed_and_goes_on(in_a_file()).await;
}

#[tokio::test]
async fn with_a_key_no_payload_lies_open_on_postgres_and_keys_may_change() {
    is_sealed_and_goes_on(on_a_server().await).await;
}

#[tokio::test]
async fn what_was_kept_before_there_was_a_key_is_read_on_sqlite() {
    is_read_as_it_was(in_a_file()).await;
}

#[tokio::test]
async fn what_was_kept_before_there_was_a_key_is_read_on_postgres() {
    is_read_as_it_was(on_a_server().await).await;
}
