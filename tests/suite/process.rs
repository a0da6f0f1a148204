//! A host in a process of its own: the real binary, killed with -9.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use stepwell::model::Limits;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::api::{Api, listens_at};
use crate::ledger::{Faults, begun};
use crate::place::Place;
use crate::seed;
use crate::test_host::{TestHost, artefacts};

/// A folder and the process that works on it.
pub(crate) struct Process {
    folder: TempDir,
    child: Child,
    api: Api,
    /// Reads the log until the process has ended.
    log: Option<JoinHandle<()>>,
}

impl Process {
    /// A host with the modules of the examples.
    pub(crate) async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        seed::copy_to(folder.path()).await;
        let (child, api, log) = serve(folder.path()).await;
        Self { folder, child, api, log: Some(log) }
    }

    /// A client of it.
    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// Ends it by SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log.take().into_iter().for_each(|log| log.join().unwrap());
    }

    /// Starts another process on the same folder.
    pub(crate) async fn restart(&mut self) {
        let (child, api, log) = serve(self.folder.path()).await;
        (self.child, self.api, self.log) = (child, api, Some(log));
    }

    /// Its database.
    pub(crate) fn place(&self) -> Place {
        Place::in_folder(self.folder.path())
    }

    /// What it holds of the machine's memory, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
        kib * 1024
    }

    /// Kills it, and holds everything that it leaves to the ledger.
    pub(crate) async fn audit(mut self, accepted: &[String]) {
        self.kill();
        let (place, artefacts) = (self.place(), artefacts(self.folder.path()));
        place.audit(&artefacts, &Limits::for_cores(2), accepted, Faults::Kills).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

async fn serve(folder: &Path) -> (Child, Api, JoinHandle<()>) {
    let hot_for = if TestHost::is_never_hot() { "0s" } else { "1s" };
    let mut child = Command::new(env!("CARGO_BIN_EXE_stepwell"))
        .args(["serve", "--listen", "127.0.0.1:0", "--hot-for", hot_for, "--log-format", "json"])
        .arg("--data")
        .arg(folder)
        .env("NO_COLOR", "1")
        .env("STEPWELL_LOG", format!("warn,stepwell::app=info,{}", begun::LOG))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (tell, told) = oneshot::channel();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // It ends with the process, whose last line it reads.
    let log = std::thread::spawn(move || {
        let mut tell = Some(tell);
        for line in lines.map_while(Result::ok) {
            if let Some(address) = listens_at(&line)
                && let Some(tell) = tell.take()
            {
                let _nobody = tell.send(address);
            } else if !begun::hear(&line) {
                println!("{line}");
            }
        }
    });
    let address = told.await.expect("it listens");
    (child, Api::at(address), log)
}
