//! A real `stepwell serve`: a process of its own, asked over HTTP.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::database::Database;
use crate::house::MODULE;
use crate::stopwatch::Stopwatch;

/// How long a host may take to answer.
const STARTING: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// How often a result is asked for again.
const ASKED_MAX: u32 = 10;

/// A running host. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Served {
    child: Child,
    client: Client,
    base: String,
    answered_after: Duration,
}

impl Served {
    /// Starts one on the database in `folder` and waits until it is ready.
    pub(crate) async fn start(database: Database, folder: &Path) -> Result<Self> {
        let Database::Sqlite = database;
        let port = free_port()?;
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("host.log"))
            .context("host.log")?;
        let watch = Stopwatch::start();
        let child = Command::new(env!("CARGO_BIN_EXE_stepwell"))
            .arg("serve")
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .arg("--data")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let base = format!("http://127.0.0.1:{port}");
        let client = Client::builder().no_proxy().build()?;
        let mut served = Self { child, client, base, answered_after: Duration::ZERO };
        while !served.is_ready().await {
            if let Some(status) = served.child.try_wait()? {
                bail!("the host has ended with {status}; see {}/host.log", folder.display());
            }
            ensure!(watch.elapsed() < STARTING, "the host does not become ready");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        served.answered_after = watch.elapsed();
        Ok(served)
    }

    /// How long it took from its start until it was ready.
    pub(crate) fn answered_after(&self) -> Duration {
        self.answered_after
    }

    async fn is_ready(&self) -> bool {
        let answer = self.client.get(format!("{}/ready", self.base)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Its number among the processes.
    pub(crate) fn process(&self) -> Result<String> {
        Ok(self.child.id().context("the host has ended")?.to_string())
    }

    pub(crate) async fn deploy(&self, wasm: &[u8]) -> Result<()> {
        let path = format!("{}/v1/modules/{MODULE}", self.base);
        let request = self.client.put(path).body(wasm.to_vec());
        answer(request).await.map(|_module| ())
    }

    /// The id of a new execution.
    pub(crate) async fn start_execution(&self, workflow: &str, input: &str) -> Result<String> {
        let input: Value = serde_json::from_str(input)?;
        let order = json!({ "workflow": workflow, "input": input });
        let request = self.client.post(format!("{}/v1/executions", self.base));
        let request = request.header("content-type", "application/json").body(order.to_string());
        let started = answer(request).await?;
        Ok(started["id"].as_str().context("a start is answered without an id")?.to_owned())
    }

    /// Waits for what it returns; null where it fails or does not end.
    pub(crate) async fn result(&self, id: &str) -> Result<Value> {
        for _ in 0..ASKED_MAX {
            let path = format!("{}/v1/executions/{id}/result?wait=30s", self.base);
            let outcome = answer(self.client.get(path)).await?;
            if outcome["state"] == "completed" {
                return Ok(outcome["result"].clone());
            }
            if outcome["failure"].is_object() {
                break;
            }
        }
        Ok(Value::Null)
    }

    pub(crate) async fn run_to_result(&self, workflow: &str, input: &str) -> Result<Value> {
        let id = self.start_execution(workflow, input).await?;
        self.result(&id).await
    }

    /// As `kill -9` does.
    pub(crate) async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    pub(crate) async fn stop(self) -> Result<()> {
        self.kill().await
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Value> {
    let response = request.send().await?;
    let status = response.status();
    let bytes = response.bytes().await?;
    ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&bytes));
    Ok(serde_json::from_slice(&bytes)?)
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
