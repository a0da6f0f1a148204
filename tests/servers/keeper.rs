//! `scripts/private-server`, spoken to line by line.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// Holds one server: the server ends with it, or with this process.
#[derive(Debug, Clone)]
pub(crate) struct Keeper {
    script: Arc<Mutex<Script>>,
    port: u16,
    folder: PathBuf,
}

#[derive(Debug)]
struct Script {
    child: Child,
    /// Taken when it ends: the end of its input is what ends it.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Keeper {
    /// Starts a server of that kind and waits, on this thread, until it takes connections.
    pub(crate) fn start(kind: &str, options: &[String]) -> Self {
        Self::start_below(&std::env::temp_dir(), kind, options)
    }

    /// The same with its data elsewhere than among the system's temporary files.
    pub(crate) fn start_below(folder: &Path, kind: &str, options: &[String]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let mut child = Command::new(root.join("scripts/private-server"))
            .arg(kind)
            .args(options)
            .env("STEPWELL_SERVERS_CACHE", root.join("target/tmp"))
            .env("TMPDIR", folder)
            // Whatever kills the tests as a group leaves it the time to clear away.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut script = Script { child, commands, answers };
        let (port, folder) = script.hear_ready();
        Self { script: Arc::new(Mutex::new(script)), port, folder }
    }

    /// Where the server listens on 127.0.0.1, for as long as it is kept.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What goes with it.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Says `stop fast`, `stop immediate` or `kill`, and waits until the server has ended.
    pub(crate) async fn end(&self, command: &'static str) {
        let answer = self.tell(move |script| script.ask(command)).await;
        assert_eq!(answer, "stopped");
    }

    /// Starts it again, where it was and with what it had.
    pub(crate) async fn begin(&self) {
        let (port, _) = self
            .tell(|script| {
                script.say("start");
                script.hear_ready()
            })
            .await;
        assert_eq!(port, self.port);
    }

    /// The script is waited for on a thread that may wait.
    async fn tell<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Script) -> T + Send + 'static,
    ) -> T {
        let script = Arc::clone(&self.script);
        // A test that failed while it held the lock says nothing about the server.
        let told = move || what(&mut script.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(told).await.unwrap()
    }
}

impl Script {
    fn say(&mut self, command: &str) {
        writeln!(self.commands.as_mut().unwrap(), "{command}").unwrap();
    }

    fn ask(&mut self, command: &str) -> String {
        self.say(command);
        self.hear()
    }

    fn hear_ready(&mut self) -> (u16, PathBuf) {
        let line = self.hear();
        let mut words = line.splitn(3, ' ');
        assert_eq!(words.next(), Some("ready"), "{line}");
        (words.next().unwrap().parse().unwrap(), words.next().unwrap().into())
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let over = line.is_empty() || line == "failed\n";
        let mut reason = String::new();
        if over {
            self.answers.read_to_string(&mut reason).unwrap();
        }
        assert!(!over, "private-server has ended. {reason}");
        line.trim_end().to_owned()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.commands.take());
        let _reaped_already = self.child.wait();
    }
}
