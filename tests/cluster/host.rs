//! A host in a process of its own, that can be killed, stopped and asked to end.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use stepwell::model::{Lease, format_duration};
use stepwell_test_witness::api::{Api, listens_at};
use stepwell_test_witness::ledger::begun;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::seed;
use crate::storm::{PATIENCE, until};

/// Lines of a host's log that are kept for the message of a test that fails.
const LINES_MAX: usize = 60;

/// How a host is set up.
#[derive(Debug, Clone)]
pub(crate) struct Flags {
    /// Where it finds the database.
    pub(crate) database: String,
    pub(crate) lease: Lease,
    /// How long a waiting workflow stays in memory.
    pub(crate) hot_for: &'static str,
    /// Connections of its pool.
    pub(crate) connections: u32,
    /// Where it finds the Redis.
    pub(crate) redis: Option<String>,
    /// The one queue it serves; none means all.
    pub(crate) queue: Option<&'static str>,
}

impl Flags {
    pub(crate) fn at(database: &str, lease: Lease) -> Self {
        let database = database.to_owned();
        Self { database, lease, hot_for: "1s", connections: 10, redis: None, queue: None }
    }

    fn command(&self, name: &str, folder: &Path) -> Command {
        let mut command = Command::new(seed::PROGRAM);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--name", name])
            .args(["--hot-for", self.hot_for, "--database", &self.database])
            .args(["--lease", &format_duration(self.lease.length())])
            .args(["--database-connections", &self.connections.to_string()])
            .args(self.queue.iter().flat_map(|queue| ["--queue", queue]))
            .args(self.redis.iter().flat_map(|redis| ["--redis", redis]))
            .arg("--data")
            .arg(folder)
            .env("NO_COLOR", "1")
            .env("STEPWELL_LOG", format!("warn,stepwell::app=info,{}", begun::LOG))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }
}

/// What it has said, the last lines of it.
type Said = Arc<Mutex<VecDeque<String>>>;

/// A host.
#[derive(Debug)]
pub(crate) struct Host {
    name: String,
    child: Child,
    api: Api,
    said: Said,
    /// Reads the log until the process has ended.
    log: Option<JoinHandle<()>>,
    _folder: TempDir,
}

impl Host {
    /// Starts one and waits until it listens; what it has said, where it does not.
    pub(crate) async fn start(name: &str, flags: &Flags) -> Result<Self, String> {
        let folder = TempDir::new().unwrap();
        seed::copy_to(&folder.path().join("cache")).await;
        let mut child = flags.command(name, folder.path()).spawn().unwrap();
        let (tell, told) = oneshot::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = Said::default();
        let heard = Arc::clone(&said);
        // It ends with the process, whose last line it reads.
        let log = std::thread::spawn(move || {
            let mut tell = Some(tell);
            for line in lines.map_while(Result::ok) {
                listens_at(&line)
                    .and_then(|address| tell.take()?.send(address).ok())
                    .unwrap_or_else(|| keep(&heard, line));
            }
        });
        let Ok(address) = told.await else {
            child.wait().unwrap();
            log.join().unwrap();
            let said = said.lock().unwrap().iter().cloned().collect::<Vec<_>>();
            return Err(said.join("\n"));
        };
        let api = Api::at(address);
        Ok(Self { name: name.to_owned(), child, api, said, log: Some(log), _folder: folder })
    }

    /// What it is called; every process has another name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A client of it.
    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// The most memory it has had resident at once since it began, in MiB.
    pub(crate) fn memory_peak_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Ends it by SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log.take().into_iter().for_each(|log| log.join().unwrap());
    }

    /// SIGSTOP: it does nothing any more, and its connections stay.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGTERM: asks it to end.
    pub(crate) fn ask_to_end(&self) {
        self.signal(Signal::TERM);
    }

    /// Asks it to end, and waits until it takes no more work.
    pub(crate) async fn drains(&self) {
        self.ask_to_end();
        let look = || async {
            let answer = self.api.send("GET", "/ready", "").await.ok()?;
            (answer.status == 503).then_some(())
        };
        until("it takes no more work", PATIENCE, look).await;
    }

    /// Waits until the process has ended of its own.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let what = format!("{} ends", self.name);
        let child = Mutex::new(&mut self.child);
        let look = || async { child.lock().unwrap().try_wait().unwrap() };
        until(&what, PATIENCE, look).await
    }

    /// Whether the process runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it says that it takes work.
    pub(crate) async fn ready_within(&self, time: Duration) {
        let what = format!("{} is ready", self.name);
        let look = || async {
            let answer = self.api.send("GET", "/ready", "").await.ok()?;
            answer.is_ok().then_some(())
        };
        until(&what, time, look).await;
    }
}

fn keep(said: &Said, line: String) {
    if begun::hear(&line) {
        return;
    }
    let mut said = said.lock().unwrap();
    if said.len() == LINES_MAX {
        said.pop_front();
    }
    said.push_back(line);
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
        let _fell = self.log.take().map(JoinHandle::join);
        if std::thread::panicking() {
            for line in self.said.lock().unwrap().iter() {
                println!("{}: {line}", self.name);
            }
        }
    }
}
