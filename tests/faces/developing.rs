//! `stepwell dev`, the real binary over a real crate, as somebody uses it who writes one.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests, and what they say is shown where one fails"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long a build may take on a busy machine.
const BUILT_WITHIN: Duration = Duration::from_secs(300);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A copy of an example, as a crate of its own.
fn copy(folder: &Path) -> PathBuf {
    let (example, dir) = (root().join("examples/simple-flow"), folder.join("simple-flow"));
    fs::create_dir_all(dir.join("src")).unwrap();
    fs::copy(example.join("src/lib.rs"), dir.join("src/lib.rs")).unwrap();
    fs::copy(root().join("examples/Cargo.lock"), dir.join("Cargo.lock")).unwrap();
    let manifest = format!(
        "[package]\nname = \"simple-flow\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\
         [dependencies]\nschemars = \"1\"\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\
         stepwell = {{ package = \"stepwell-sdk\", path = \"{}\" }}\n\
         [workspace]\n\
         [profile.release]\nopt-level = \"s\"\nstrip = \"debuginfo\"\npanic = \"abort\"\n",
        root().join("guest-sdk").display(),
    );
    fs::write(dir.join("Cargo.toml"), manifest).unwrap();
    dir
}

/// What is said, line by line.
struct Session {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Session {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stepwell"))
            .args(["dev", "--listen", "127.0.0.1:0", "--release"])
            .arg(dir)
            // What others have built of the same crates is used again.
            .env("CARGO_TARGET_DIR", root().join("target/guests"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line that has this in it.
    async fn says(&mut self, text: &str) -> String {
        let mut said = Vec::new();
        let listening = async {
            while !said.last().is_some_and(|line: &String| line.contains(text)) {
                said.push(self.lines.next_line().await.unwrap().expect("it goes on"));
            }
        };
        let heard = timeout(BUILT_WITHIN, listening).await;
        assert!(heard.is_ok(), "{text:?} in {said:#?}");
        said.pop().unwrap()
    }
}

async fn modules(address: &str) -> Vec<Value> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(format!("{address}/v1/modules")).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["modules"].as_array().unwrap().clone()
}

fn active(modules: &[Value]) -> &str {
    let is_active = |module: &&Value| !module["activated_at"].is_null();
    modules.iter().find(is_active).expect("one is active")["digest"].as_str().unwrap()
}

#[tokio::test]
async fn a_source_that_changes_is_built_and_active_and_a_fault_in_it_changes_nothing() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let dir = copy(folder.path());
    let source = dir.join("src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    let mut session = Session::start(&dir);

    let address = session.says("a host answers at").await;
    let address = address.split(' ').find(|word| word.starts_with("http://")).unwrap();
    let address = address.trim_end_matches(',').to_owned();
    session.says("simple-flow").await;
    session.says("stepwell run welcome --wait --input '{\"").await;
    session.says("waiting for a change").await;
    let first = modules(&address).await;
    let first = active(&first).to_owned();

    fs::write(&source, text.replace("How do you like it?", "Is it any good?")).unwrap();
    session.says("simple-flow").await;
    session.says("waiting for a change").await;

    let second = modules(&address).await;
    let second = active(&second).to_owned();
    assert_ne!(second, first);
    fs::write(&source, "this is no Rust").unwrap();
    session.says("it does not build").await;
    session.says("waiting for a change").await;
    assert_eq!(active(&modules(&address).await), second);
    let pid = session.child.id().unwrap().cast_signed();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    session.says("the host ends").await;
    assert!(session.child.wait().await.unwrap().success());
}
