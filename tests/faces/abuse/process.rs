//! A host in a process of its own, whose memory can be looked at.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use stepwell::model::Stopwatch;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// How soon a host that is well answers, on a machine where tests run beside it.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// Where a host listens, if this line of its log says so, with the scheme.
fn listens_at(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("Stepwell listens on ")?;
    rest.split(' ').next().map(str::to_owned)
}

/// A host, which ends with this.
pub(crate) struct Process {
    child: Child,
    address: String,
    log: Option<JoinHandle<Vec<String>>>,
    #[expect(dead_code, reason = "it goes with the host")]
    folder: TempDir,
}

impl Process {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with more flags.
    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stepwell"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(flags);
        Self::run(command).await
    }

    /// The same where so many files may be open.
    pub(super) async fn start_with_files(files: u32) -> Self {
        let mut command = Command::new("sh");
        let line =
            format!("ulimit -n {files}; exec \"$0\" serve --listen 127.0.0.1:0 --data \"$2\"");
        command.args(["-c", &line, env!("CARGO_BIN_EXE_stepwell")]);
        Self::run(command).await
    }

    async fn run(mut command: Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = command
            .arg("--data")
            .arg(folder.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, told) = oneshot::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // It ends with the process, whose last line it reads.
        let log = std::thread::spawn(move || {
            let (mut tell, mut log) = (Some(tell), Vec::new());
            for line in lines.map_while(Result::ok) {
                let told = listens_at(&line).and_then(|at| Some((tell.take()?, at)));
                let _nobody = told.map(|(tell, at)| tell.send(at));
                log.push(line);
            }
            log
        });
        let address = told.await.expect("it listens");
        Self { child, address, log: Some(log), folder }
    }

    /// Where it answers, with its scheme.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What it holds of the machine's memory, in MiB.
    pub(super) fn resident_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
        kib / 1024
    }

    /// Holds it to answer at once, to somebody who was not there before.
    pub(super) async fn assert_ready(&self) -> Duration {
        let client = reqwest::Client::builder().no_proxy().timeout(READY_WITHIN).build().unwrap();
        let watch = Stopwatch::start();
        let answer = client.get(format!("{}/ready", self.address)).send().await;
        assert_eq!(answer.expect("it answers in time").status().as_u16(), 200);
        watch.elapsed()
    }

    /// A number of its metrics; 0 where there is none yet.
    pub(super) async fn metric(&self, series: &str) -> f64 {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("{}/metrics", self.address)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
        let value = lines.into_iter().find(|(name, _)| *name == series).map(|(_, value)| value);
        value.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Ends it, and returns what it logged.
    pub(crate) fn end(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}
