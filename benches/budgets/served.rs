//! A real `stepwell serve`: a process of its own, asked over HTTP.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::house::MODULE;
use crate::plot::Plot;
use crate::stopwatch::Stopwatch;

/// How long a host may take to answer.
const STARTING: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// How often a result is asked for again.
const ASKED_MAX: u32 = 10;
/// What a host logs so that its attempts can be counted: the store does not say who has made one.
const ATTEMPTS: &str = "info,stepwell::worker::attempt=debug";
/// What stands in the line of each.
const BEGINS: &str = " begins ";
/// What stands before its address.
const LISTENS: &str = "Stepwell listens on http://";
/// Lines of a log that are told where its host fails.
const LAST_LINES: usize = 10;

/// A running host. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Served {
    child: Child,
    client: Client,
    base: String,
    log: PathBuf,
    answered_after: Duration,
}

impl Served {
    /// Starts one that has the plot to itself, and waits until it is ready.
    pub(crate) async fn start(plot: &Plot) -> Result<Self> {
        Self::launch(Self::command(plot, plot.folder()), plot.folder()).await
    }

    /// Starts one of several on a plot, each of which has a name, and waits until it is ready. Its log tells of each attempt
    /// that it begins.
    pub(crate) async fn start_among(plot: &Plot, name: &str) -> Result<Self> {
        let folder = plot.folder().join(name);
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let mut command = Self::command(plot, &folder);
        command.args(["--name", name, "--log", ATTEMPTS]);
        Self::launch(command, &folder).await
    }

    fn command(plot: &Plot, folder: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stepwell"));
        command.arg("serve").arg("--data").arg(folder);
        // What whoever measures has set is not for the hosts that are measured.
        command.env_remove("DATABASE_URL").env_remove("REDIS_URL");
        if let Some(url) = plot.url() {
            command.args(["--database", &url]);
        }
        command
    }

    /// On a port that the host chooses: one that was free a moment ago may be another's by now.
    async fn launch(mut command: Command, folder: &Path) -> Result<Self> {
        let path = folder.join("host.log");
        let log = std::fs::File::options().create(true).append(true).open(&path);
        let log = log.with_context(|| path.display().to_string())?;
        let written = usize::try_from(log.metadata()?.len())?;
        let watch = Stopwatch::start();
        let child = command
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let client = Client::builder().no_proxy().build()?;
        let mut served =
            Self { child, client, base: String::new(), log: path, answered_after: Duration::ZERO };
        while !served.is_ready(written).await? {
            if let Some(status) = served.child.try_wait()? {
                bail!("the host has ended with {status}: {}", served.said()?);
            }
            ensure!(watch.elapsed() < STARTING, "the host does not become ready");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        served.answered_after = watch.elapsed();
        Ok(served)
    }

    /// Whether it takes work. Where it listens stands in its log, beyond what was written there before.
    async fn is_ready(&mut self, written: usize) -> Result<bool> {
        if self.base.is_empty() {
            let log = self.said()?;
            let line = log.get(written..).and_then(|new| new.split_once(LISTENS));
            let Some((address, _)) = line.and_then(|(_, rest)| rest.split_once([' ', '\n'])) else {
                return Ok(false);
            };
            self.base = format!("http://{address}");
        }
        let answer = self.client.get(format!("{}/ready", self.base)).send().await;
        Ok(answer.is_ok_and(|answer| answer.status().is_success()))
    }

    /// Its log so far.
    fn said(&self) -> Result<String> {
        std::fs::read_to_string(&self.log).with_context(|| self.log.display().to_string())
    }

    /// How many attempts of an execution it has begun, by its log.
    pub(crate) fn attempts_of(&self, execution: &str) -> Result<usize> {
        let log = self.said()?;
        let is_one = |line: &&str| line.contains(execution) && line.contains(BEGINS);
        Ok(log.lines().filter(is_one).count())
    }

    /// How long it took from its start until it was ready.
    pub(crate) fn answered_after(&self) -> Duration {
        self.answered_after
    }

    /// Its number among the processes.
    pub(crate) fn process(&self) -> Result<String> {
        Ok(self.child.id().context("the host has ended")?.to_string())
    }

    pub(crate) async fn deploy(&self, wasm: &[u8]) -> Result<()> {
        let path = format!("{}/v1/modules/{MODULE}", self.base);
        let request = self.client.put(path).body(wasm.to_vec());
        self.answer(request).await.map(|_module| ())
    }

    /// Reads what stands there, to its end.
    pub(crate) async fn get(&self, path: &str) -> Result<()> {
        let request = self.client.get(format!("{}{path}", self.base));
        let response = request.send().await.with_context(|| self.last_words())?;
        let status = response.status();
        let bytes = response.bytes().await?;
        ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&bytes));
        Ok(())
    }

    /// The id of a new execution.
    pub(crate) async fn start_execution(&self, workflow: &str, input: &str) -> Result<String> {
        let input: Value = serde_json::from_str(input)?;
        let order = json!({ "workflow": workflow, "input": input });
        let request = self.client.post(format!("{}/v1/executions", self.base));
        let request = request.header("content-type", "application/json").body(order.to_string());
        let started = self.answer(request).await?;
        Ok(started["id"].as_str().context("a start is answered without an id")?.to_owned())
    }

    /// Waits for what it returns; null where it fails or does not end.
    pub(crate) async fn result(&self, id: &str) -> Result<Value> {
        for _ in 0..ASKED_MAX {
            let path = format!("{}/v1/executions/{id}/result?wait=30s", self.base);
            let outcome = self.answer(self.client.get(path)).await?;
            if outcome["state"] == "completed" {
                return Ok(outcome["result"].clone());
            }
            if outcome["failure"].is_object() {
                break;
            }
        }
        Ok(Value::Null)
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Value> {
        let response = request.send().await.with_context(|| self.last_words())?;
        let status = response.status();
        let bytes = response.bytes().await?;
        ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&bytes));
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// The end of its log, but for its attempts.
    fn last_words(&self) -> String {
        let log = self.said().unwrap_or_default();
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains(BEGINS)).collect();
        let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
        format!("the host does not answer; it said last: {}", last.join("\n"))
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
