//! A secret, searched for in everything that is left after a guest had it and told everybody everything: the database, the
//! data on disk, the log of the host, and every answer over HTTP.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::json;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use stepwell_test_servers::postgres::Postgres;
use stepwell_test_servers::web::Web;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::api::{Api, listens_at};
use crate::guests;

const SECRET: &str = "sk_live_7hIs/must+never\"be seen";

const POLICY: &str = r#"
    grant = { http = ["http://public.test:*"], secret = ["API_KEY", "SEARCH_KEY"] }
    [secrets]
    API_KEY = { from_env = "THE_KEY", hosts = ["http://public.test:*"] }
    SEARCH_KEY = { from_env = "THE_KEY", hosts = ["http://public.test:*"] }
    [http]
    private = ["http://public.test:*"]
    resolve = { "public.test" = "127.0.0.1" }
"#;

/// A host in a process of its own, all of whose log is kept.
struct Host {
    child: Child,
    api: Api,
    log: Arc<Mutex<String>>,
}

impl Host {
    async fn start(folder: &Path, database: Option<&str>) -> Self {
        let policy = folder.join("policy.toml");
        std::fs::write(&policy, POLICY).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_stepwell"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--log", "trace"])
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--policy")
            .arg(policy)
            .env("THE_KEY", SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if let Some(database) = database {
            command.args(["--database", database]);
        }
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (tell, told) = oneshot::channel();
        let log = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&log);
        // It ends with the process, whose last line it reads.
        std::thread::spawn(move || {
            let mut tell = Some(tell);
            for line in lines.map_while(Result::ok) {
                let address = listens_at(&line).and_then(|address| Some((tell.take()?, address)));
                let _nobody = address.map(|(tell, address)| tell.send(address));
                writeln!(kept.lock().unwrap(), "{line}").unwrap();
            }
        });
        let address = told.await.expect("it listens");
        Self { child, api: Api::at(address), log }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// The forms in which it could stand somewhere, and what is sure to stand there if the search looks at the right place.
fn is_clean(place: &str, bytes: &[u8]) {
    let json = serde_json::to_string(SECRET).unwrap();
    let hex = hex(SECRET);
    for form in [SECRET, json.trim_matches('"'), "7hIs", "sk_live", &hex, "7hIs%2Fmust"] {
        let found = bytes.windows(form.len()).position(|window| window == form.as_bytes());
        assert_eq!(found, None, "{place} holds the secret as {form}");
    }
}

/// Runs the research agent, and what tells everything, and returns all that the host says of them.
async fn research(api: &Api) -> Vec<(String, String)> {
    let server = Web::start().await;
    api.deploy("research_agent", guests::wasm("research_agent")).await;
    let service = format!("http://public.test:{}/v1", server.port());
    let question = json!({ "question": "Which rivers cross countries?", "service": service });
    let agent = api.run("research", question).await;
    let report = api.ended(&agent).await.value().to_string();
    assert!(report.contains(&"*".repeat(SECRET.len())), "the server said it: {report}");
    let asked = server.requests();
    assert!(asked >= 3, "{asked}");
    api.deploy("reaching", guests::wasm("reaching")).await;
    let url = format!("http://public.test:{}/", server.port());
    let id = api.run("researched", json!(url)).await;
    let ended = api.ended(&id).await;
    let value = ended.value().to_string();
    assert!(value.contains("secret-api_key-") && value.contains("leaky"), "{value}");
    assert!(value.contains(&"*".repeat(SECRET.len())), "the server said it: {value}");
    assert!(server.requests() >= asked + 3, "{}", server.requests());

    let mut answers = Vec::new();
    let of_each = [&agent, &id].into_iter().flat_map(|id| {
        [
            format!("/v1/executions/{id}"),
            format!("/v1/executions/{id}/journal?limit=1000"),
            format!("/v1/executions/{id}/logs?limit=1000"),
            format!("/v1/executions/{id}/events"),
            format!("/v1/executions/{id}/result"),
        ]
    });
    let of_all = [
        "/v1/executions".to_owned(),
        "/v1/dead-letters".to_owned(),
        "/v1/modules".to_owned(),
        "/v1/modules/reaching".to_owned(),
        "/v1/modules/reaching/grants".to_owned(),
        "/v1/modules/research_agent/grants".to_owned(),
        "/v1/hosts".to_owned(),
        "/v1/stats".to_owned(),
    ];
    for path in of_each.chain(of_all) {
        let answer = api.text(&path).await;
        answers.push((path, answer));
    }
    answers
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

async fn search(folder: &Path, host: Host) {
    let answers = research(&host.api).await;
    let log = Arc::clone(&host.log);
    drop(host);

    for (path, answer) in answers {
        is_clean(&path, answer.as_bytes());
    }
    let log = log.lock().unwrap().clone();
    assert!(log.contains("A step sends a request"), "the log tells everything");
    is_clean("the log", log.as_bytes());
    for file in files(&folder.join("data")) {
        is_clean(&file.display().to_string(), &std::fs::read(&file).unwrap());
    }
}

#[tokio::test]
async fn no_secret_is_left_anywhere_on_sqlite() {
    let folder = TempDir::new().unwrap();
    let host = Host::start(folder.path(), None).await;

    search(folder.path(), host).await;

    let database = std::fs::read(folder.path().join("data/stepwell.db")).unwrap();
    let journal = std::fs::read(folder.path().join("data/stepwell.db-wal")).unwrap_or_default();
    let told = [database, journal].concat();
    assert!(told.windows(15).any(|window| window == b"secret-api_key-"), "what is told is kept");
}

#[tokio::test]
async fn no_secret_is_left_anywhere_on_postgres() {
    let postgres = Postgres::shared().await;
    let url = postgres.url(&postgres.fresh_database().await);
    let folder = TempDir::new().unwrap();
    let host = Host::start(folder.path(), Some(&url)).await;

    search(folder.path(), host).await;

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
    is_clean("the database", dump.as_bytes());
    let placeholder = hex("secret-api_key-");
    assert!(
        dump.contains("secret-api_key-") || dump.contains(&placeholder),
        "what is told is kept"
    );
}
