//! A host in a process of its own with flags of the test's choice, all of whose log is kept.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;

use crate::api::{Api, PATIENCE, listens_at};

/// Ends when it is dropped, by SIGKILL.
pub(crate) struct Served {
    child: Child,
    pub(crate) api: Api,
}

/// A host that works on that folder. It listens where there is room, and logs as JSON.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwell"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
        .arg("--data")
        .arg(folder.join("data"))
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

impl Served {
    /// Returns when it listens; else what it has said, once it has ended.
    pub(crate) async fn start(mut command: Command) -> Result<Self, String> {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (tell, told) = oneshot::channel();
        let log = Arc::<Mutex<String>>::default();
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
        if let Ok(address) = told.await {
            return Ok(Self { child, api: Api::at(address) });
        }
        child.wait().unwrap();
        Err(log.lock().unwrap().clone())
    }

    /// Asks it to end by SIGTERM, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let ended = async {
            while self.child.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.expect("it ends");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}
