//! The command line where keys are asked for: the real binary, against a real host in a process of its own.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests, and what they say is shown where one fails"
)]

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use stepwell_test_servers::postgres::Postgres;
use stepwell_test_witness::api::listens_at;
use stepwell_test_witness::guests;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const CHECKOUT: &str = r#"{"order":"A-1","amount":100}"#;

/// The program, told nothing by the environment.
pub(crate) fn stepwell() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwell"));
    let told = ["STEPWELL_API_KEY", "STEPWELL_API_KEY_FILE", "STEPWELL_SERVER", "DATABASE_URL"];
    for name in told {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A host, all of whose log is kept.
pub(crate) struct Host {
    child: Child,
    server: String,
    log: JoinSet<String>,
}

impl Host {
    pub(crate) async fn start(data: &Path, more: &[&str]) -> Self {
        let mut command = stepwell();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(more);
        command.env("STEPWELL_LOG", "debug").env("NO_COLOR", "1");
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let mut address = None;
        while address.is_none() {
            let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
            assert!(line.is_some(), "it listens: {log}");
            log.extend(line);
            address = listens_at(&log).or_else(|| encrypted(&log));
        }
        // It ends with the process, whose last line it reads.
        let mut reading = JoinSet::new();
        reading.spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                log.push_str(&line);
            }
            log
        });
        let address = address.unwrap();
        let server = if address.contains("://") { address } else { format!("http://{address}") };
        Self { child, server, log: reading }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        self.server.split_once("://").unwrap().1
    }

    async fn log(mut self) -> String {
        self.child.kill().await.unwrap();
        self.log.join_next().await.unwrap().unwrap()
    }
}

/// Where a host listens by TLS, with the scheme.
fn encrypted(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("Stepwell listens on https://")?;
    Some(format!("https://{}", rest.split([' ', '"']).next()?))
}

/// Somebody types, with a key or without.
pub(crate) struct Hand {
    server: String,
    pub(crate) key: String,
    /// All that was said, but for a new key.
    said: String,
}

impl Hand {
    pub(crate) fn at(host: &Host) -> Self {
        Self { server: host.server.clone(), key: String::new(), said: String::new() }
    }

    pub(crate) async fn run(&mut self, words: &[&str]) -> Output {
        let mut command = stepwell();
        // One that is empty is one that is not set.
        command.args(["--server", &self.server]).args(words).env("STEPWELL_API_KEY", &self.key);
        timeout(PATIENCE, command.output()).await.expect("it ends").unwrap()
    }

    /// The code, and all that was said.
    pub(crate) async fn types(&mut self, words: &[&str]) -> (i32, String) {
        let output = self.run(words).await;
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        self.said.push_str(&said);
        (output.status.code().unwrap(), said)
    }

    pub(crate) async fn does(&mut self, words: &[&str]) -> String {
        let (code, said) = self.types(words).await;
        assert_eq!(code, 0, "{words:?}: {said}");
        said
    }

    pub(crate) async fn is_refused(&mut self, words: &[&str], because: &str) {
        let (code, said) = self.types(words).await;
        assert_eq!(code, 4, "{words:?}: {said}");
        assert!(said.contains(because), "{words:?}: {said}");
    }

    /// A new key: all that is on standard output.
    pub(crate) async fn creates(&mut self, words: &[&str]) -> String {
        let output = self.run(&[&["keys", "create"], words].concat()).await;
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && told.contains("never again"), "{told}");
        self.said.push_str(&told);
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

/// What makes a key one.
fn secret(key: &str) -> &str {
    let secret = key.rsplit('_').next().unwrap();
    assert_eq!((key.len(), secret.len()), (84, 64), "it is a key");
    secret
}

fn prefix(key: &str) -> &str {
    key.rsplit_once('_').unwrap().0
}

#[tokio::test]
async fn with_a_key_everything_goes_on_as_before_and_none_is_ever_printed_again() {
    let data = tempfile::tempdir().unwrap();
    let host = Host::start(data.path(), &[]).await;
    let mut hand = Hand::at(&host);
    let wasm = guests::path("checkout");
    hand.does(&["stats"]).await;

    let admin = hand.creates(&["ops", "--role", "admin"]).await;

    for words in [&["list"][..], &["run", "checkout"], &["keys", "list"], &["audit"], &["stats"]] {
        hand.is_refused(words, "asks for a key: set STEPWELL_API_KEY").await;
    }
    assert_eq!(hand.does(&["health", "--ready"]).await, "ready\n");
    hand.key = format!("{}_{}", prefix(&admin), "0".repeat(64));
    hand.is_refused(&["list"], "does not know this key").await;
    hand.key.clone_from(&admin);
    hand.does(&["deploy", wasm.to_str().unwrap()]).await;
    let id = hand.does(&["run", "checkout", "--input", CHECKOUT]).await.trim().to_owned();
    assert!(hand.does(&["result", &id, "--wait"]).await.contains(r#""total":120"#));
    let said = hand.does(&["logs", &id, "--follow"]).await;
    assert!(said.contains("charged A-1"), "{said}");
    for (wish, is_there) in [(["--step", "charge"], true), (["--step", "ship"], false)] {
        for follow in [&["--attempt", "1"][..], &["--follow"]] {
            let told = hand.does(&[&["logs", &id], &wish[..], follow].concat()).await;
            assert_eq!(told.contains("charged A-1"), is_there, "{wish:?} {follow:?}: {told}");
        }
    }
    assert!(hand.does(&["list"]).await.contains(&id));
    assert!(hand.does(&["show", &id]).await.contains("charge"));
    let listed = hand.does(&["keys", "list"]).await;
    assert!(listed.contains(prefix(&admin)) && listed.contains("admin"), "{listed}");
    let audit = hand.does(&["audit"]).await;
    for told in ["local", "key.create", "ops", "module.deploy", "execution.start", "127.0.0.1"] {
        assert!(audit.contains(told), "{told} in {audit}");
    }
    let newest = hand.does(&["audit", "--limit", "1"]).await;
    let before = newest.split_once("--before ").unwrap().1.trim_end_matches(")\n").to_owned();
    let next: Value = serde_json::from_str(
        &hand.does(&["audit", "--limit", "1", "--json", "--before", &before]).await,
    )
    .unwrap();
    assert_eq!(next["entries"][0]["action"], "module.deploy");

    let log = host.log().await;
    for said in [&hand.said, &log] {
        assert!(!said.contains(secret(&admin)), "{said}");
    }
    assert!(log.contains("A wrong key was shown"), "the log is kept: {log}");
}

#[tokio::test]
async fn a_key_does_what_its_roles_say_until_it_is_revoked() {
    let data = tempfile::tempdir().unwrap();
    let host = Host::start(data.path(), &[]).await;
    let mut hand = Hand::at(&host);
    let admin = hand.creates(&["ops", "--role", "admin"]).await;
    hand.key.clone_from(&admin);
    let reader = hand.creates(&["eyes", "--role", "read"]).await;
    let made = hand.creates(&["shop", "--role", "start", "--workflow", "checkout", "--json"]).await;
    let made: Value = serde_json::from_str(&made).unwrap();
    let starter = made["key"].as_str().unwrap().to_owned();
    assert_eq!(made["workflows"], serde_json::json!(["checkout"]));

    hand.key.clone_from(&reader);
    hand.does(&["list"]).await;
    hand.is_refused(&["run", "checkout"], "the role start or admin").await;
    hand.is_refused(&["keys", "list"], "stepwell keys create").await;
    hand.key.clone_from(&starter);
    hand.is_refused(&["run", "refund"], "only: checkout").await;
    hand.is_refused(&["list"], "the role read").await;
    // The whole key names itself too. What of it is secret is not sent.
    hand.key.clone_from(&admin);
    let revoked = hand.does(&["keys", "revoke", &reader]).await;
    assert_eq!(revoked, format!("key {} is revoked\n", prefix(&reader)));
    hand.does(&["keys", "revoke", prefix(&starter)]).await;
    for key in [&reader, &starter] {
        hand.key.clone_from(key);
        hand.is_refused(&["list"], "does not know this key, or it was revoked").await;
    }

    let log = host.log().await;
    for key in [&admin, &reader, &starter] {
        assert!(!hand.said.contains(secret(key)) && !log.contains(secret(key)));
    }
}

#[tokio::test]
async fn a_key_may_lie_in_a_file() {
    let data = tempfile::tempdir().unwrap();
    let host = Host::start(&data.path().join("data"), &[]).await;
    let mut hand = Hand::at(&host);
    let admin = hand.creates(&["ops", "--role", "admin"]).await;
    let file = data.path().join("key");
    std::fs::write(&file, format!("{admin}\n")).unwrap();

    hand.does(&["stats", "--api-key-file", file.to_str().unwrap()]).await;
    hand.does(&["stats", "--api-key", &admin]).await;
    let (code, said) = hand.types(&["stats", "--api-key", &format!("{admin} ")]).await;

    assert_eq!(code, 2, "{said}");
    assert!(said.contains("is no key") && !said.contains(secret(&admin)), "{said}");
}

/// A host that knows a key from its last request takes it for 5 s more.
#[tokio::test]
async fn a_key_that_was_revoked_on_another_host_ends_within_its_bound() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let postgres = Postgres::shared().await;
    let database = postgres.url(&postgres.fresh_database().await);
    let [here, there] = &folders;
    let here = Host::start(here.path(), &["--database", &database]).await;
    let there = Host::start(there.path(), &["--database", &database]).await;
    let mut hand = Hand::at(&here);
    hand.key = hand.creates(&["ops", "--role", "admin"]).await;
    let reader = hand.creates(&["eyes", "--role", "read"]).await;
    let mut eyes = Hand { key: reader.clone(), ..Hand::at(&there) };
    eyes.does(&["stats"]).await;

    hand.does(&["keys", "revoke", &reader]).await;

    let refused = async { while eyes.types(&["stats"]).await.0 != 4 {} };
    timeout(Duration::from_secs(7), refused).await.expect("it is over after 5 s");
    eyes.is_refused(&["stats"], "does not know this key").await;
}

#[tokio::test]
async fn what_is_wrong_is_told_once_and_in_the_words_of_whoever_typed() {
    let data = tempfile::tempdir().unwrap();
    let host = Host::start(&data.path().join("data"), &[]).await;
    let mut hand = Hand::at(&host);
    let file = data.path().join("wrong");
    std::fs::write(&file, "no policy").unwrap();
    let file = file.to_str().unwrap();
    let other = data.path().join("other");
    let other = other.to_str().unwrap();

    hand.is_refused(
        &["schedules", "put", "nightly", "--file", r#"{"nonsense": 1}"#],
        "what was sent: unknown field `nonsense`",
    )
    .await;
    let (code, said) = hand.types(&["dlq", "replay-all"]).await;
    assert!(code == 2 && said.contains("or --all"), "{code} {said}");
    assert_eq!(hand.does(&["dlq", "replay-all", "--all"]).await, "0 replayed, 0 refused\n");
    let (code, said) = hand.types(&["serve", "--data", other, "--policy", file]).await;
    assert_eq!((code, said.matches("TOML parse error").count()), (1, 1), "{said}");
}

/// Shells complete what they are told of.
#[tokio::test]
async fn completions_know_of_keys() {
    for shell in ["bash", "zsh", "fish"] {
        let output = stepwell().args(["completions", shell]).output().await.unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        for word in ["keys", "create", "revoke", "audit", "api-key-file", "operate"] {
            assert!(script.contains(word), "{word} for {shell}");
        }
    }
}
