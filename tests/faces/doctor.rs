//! `stepwell doctor` and `stepwell migrate --status`, beside what they are to judge.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use stepwell_test_servers::postgres::Postgres;
use tokio::time::timeout;

use crate::tls::Files;
use crate::typing::{Hand, Host, stepwell};

const PATIENCE: Duration = Duration::from_secs(60);

/// The code, and what was said.
async fn run(words: &[&str]) -> (i32, String) {
    let output = timeout(PATIENCE, stepwell().args(words).output()).await.unwrap().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// What a doctor found.
struct Report {
    code: i32,
    findings: Value,
}

impl Report {
    async fn of(words: &[&str]) -> Self {
        let (code, said) = run(&[&["doctor", "--json"], words].concat()).await;
        let document: Value = serde_json::from_str(&said).expect(&said);
        Self { code, findings: document["findings"].clone() }
    }

    /// How a thing stands, and what was seen and said of it.
    fn judged(&self, what: &str) -> (&str, String) {
        let mut findings = self.findings.as_array().unwrap().iter();
        let found = findings.find(|finding| finding["what"] == what).unwrap();
        let told = format!("{} -> {}", found["seen"], found["advice"]);
        (found["judgement"].as_str().unwrap(), told)
    }

    #[track_caller]
    fn assert(&self, what: &str, judgement: &str, says: &str) {
        let (judged, told) = self.judged(what);
        assert_eq!(judged, judgement, "{told}");
        assert!(told.contains(says), "{told}");
        assert!(judgement != "fail" || self.code == 6, "{}: {told}", self.code);
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_host_is_known_over_tls_also_to_whoever_has_none_of_its_files() {
    let files = Files::new();
    let [cert, key, other] = ["cert.pem", "key.pem", "other"].map(|name| text(&files.path(name)));
    let tls = ["--tls-cert", &cert, "--tls-key", &key];
    let host = Host::start(&files.path("data"), &tls).await;
    let beside = ["--data", &other, "--listen", host.address()];

    let without = Report::of(&beside).await;
    let with = Report::of(&[&beside[..], &tls].concat()).await;

    without.assert("address", "ok", "a stepwell host answers there");
    with.assert("address", "ok", "a stepwell host answers there");
}

#[tokio::test]
async fn a_host_that_asks_for_certificates_is_known_by_its_own() {
    let (files, others) = (Files::new(), Files::new());
    std::fs::write(files.path("ca.pem"), files.authority()).unwrap();
    let [cert, key, ca] = ["cert.pem", "key.pem", "ca.pem"].map(|name| text(&files.path(name)));
    let [wrong_cert, wrong_key] = ["cert.pem", "key.pem"].map(|name| text(&others.path(name)));
    let tls = ["--tls-cert", &cert, "--tls-key", &key, "--tls-client-ca", &ca];
    let host = Host::start(&files.path("data"), &tls).await;
    let other = text(&files.path("other"));
    let beside = ["--data", &other, "--listen", host.address()];

    let with = Report::of(&[&beside[..], &tls].concat()).await;
    let wrong = ["--tls-cert", &wrong_cert, "--tls-key", &wrong_key];
    let wrong = Report::of(&[&beside[..], &wrong].concat()).await;

    with.assert("address", "ok", "a host with the certificate of --tls-cert answers there");
    wrong.assert("address", "fail", "does not say who it is");
}

#[tokio::test]
async fn another_program_on_the_address_is_none_of_ours() {
    let data = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();

    let report = Report::of(&["--data", &text(data.path()), "--listen", &address]).await;

    report.assert("address", "fail", "is taken by another program");
}

#[tokio::test]
async fn a_key_in_the_database_is_enough_for_a_host_that_others_reach() {
    let data = tempfile::tempdir().unwrap();
    let folder = text(data.path());
    let host = Host::start(data.path(), &[]).await;
    let flags = ["--data", &folder, "--listen", "0.0.0.0:0"];

    let before = Report::of(&flags).await;
    Hand::at(&host).creates(&["ops", "--role", "admin"]).await;
    let after = Report::of(&flags).await;

    before.assert("access", "fail", "there is no key: the host does not start");
    after.assert("access", "ok", "others, with keys");
}

#[tokio::test]
async fn a_key_in_a_postgres_is_seen_too() {
    let data = tempfile::tempdir().unwrap();
    let postgres = Postgres::shared().await;
    let database = postgres.url(&postgres.fresh_database().await);
    let host = Host::start(data.path(), &["--database", &database]).await;
    let other = text(&data.path().join("other"));
    let flags = ["--data", &other, "--database", &database, "--listen", "0.0.0.0:0"];

    let before = Report::of(&flags).await;
    Hand::at(&host).creates(&["ops", "--role", "admin"]).await;
    let after = Report::of(&flags).await;

    before.assert("access", "fail", "there is no key");
    after.assert("access", "ok", "others, with keys");
    after.assert("database", "ok", "Postgres");
}

#[tokio::test]
async fn migrations_that_are_pending_are_told_with_their_codes() {
    let data = tempfile::tempdir().unwrap();
    let postgres = Postgres::shared().await;
    let database = postgres.url(&postgres.fresh_database().await);
    let folder = text(data.path());
    let flags = ["--data", &folder, "--database", &database];
    let status = ["migrate", "--status", "--database", &database];

    let (code, said) = run(&status).await;
    assert_eq!(code, 5, "{said}");
    assert!(said.starts_with("pending  0001_the_store") && !said.contains("applied"), "{said}");
    let may_not = Report::of(&[&flags[..], &["--migrate", "never"]].concat()).await;
    may_not.assert("schema", "fail", "run `stepwell migrate`");
    let may = Report::of(&flags).await;
    may.assert("schema", "warn", "migrations are pending");
    assert_eq!(may.code, 5);
    let (code, said) = run(&["migrate", "--database", &database]).await;
    assert_eq!(code, 0, "{said}");

    let (code, said) = run(&status).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("applied  0001_the_store") && !said.contains("pending"), "{said}");
    Report::of(&flags).await.assert("schema", "ok", "all migrations are applied");
}

#[tokio::test]
async fn a_folder_without_a_database_has_every_migration_before_it() {
    let data = tempfile::tempdir().unwrap();

    let (code, said) = run(&["migrate", "--status", "--json", "--data", &text(data.path())]).await;

    assert_eq!(code, 5, "{said}");
    let document: Value = serde_json::from_str(&said).unwrap();
    let steps = document["migrations"].as_array().unwrap();
    assert!(steps.len() >= 7 && steps.iter().all(|step| step["applied_at"].is_null()), "{said}");
}
