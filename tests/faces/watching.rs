//! `stepwell watch`, the real binary in a real pseudo-terminal, as somebody sees it who sits before one.

use std::io::{Read, Write};
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use serde_json::json;
use stepwell::dispatch::KeyOrder;
use stepwell::model::Role;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::front::Front;
use crate::house;

/// How long anything may take to be seen.
const SEEN_WITHIN: Duration = Duration::from_secs(30);

/// Somebody sits before a terminal.
struct Sitting {
    screen: vt100::Parser,
    written: mpsc::UnboundedReceiver<Vec<u8>>,
    keys: Box<dyn Write + Send>,
    terminal: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Sitting {
    fn before(server: &str, arguments: &[&str]) -> Self {
        let pair = native_pty_system().openpty(size(80, 24)).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_stepwell"));
        command.args(["--server", server, "watch", "--interval", "100ms"]);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).expect("it starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("what is written");
        let (tell, written) = mpsc::unbounded_channel();
        // It ends with the terminal.
        std::thread::spawn(move || {
            let mut chunk = [0; 4_096];
            while let Ok(count @ 1..) = reader.read(&mut chunk)
                && tell.send(chunk[..count].to_vec()).is_ok()
            {}
        });
        let keys = pair.master.take_writer().expect("a keyboard");
        let screen = vt100::Parser::new(24, 80, 0);
        Self { screen, written, keys, terminal: pair.master, child }
    }

    /// Looks until all of these are on the screen.
    async fn sees(&mut self, texts: &[&str]) {
        let looking = async {
            let shows = |screen: &vt100::Screen| {
                let shown = screen.contents();
                texts.iter().all(|text| shown.contains(text))
            };
            while !shows(self.screen.screen()) {
                let chunk = self.written.recv().await.expect("it goes on");
                self.screen.process(&chunk);
            }
        };
        let seen = timeout(SEEN_WITHIN, looking).await.is_ok();
        assert!(seen, "{texts:?} in\n{}", self.screen.screen().contents());
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("keys are typed");
    }

    fn resizes(&mut self, cols: u16, rows: u16) {
        self.screen.screen_mut().set_size(rows, cols);
        self.terminal.resize(size(cols, rows)).expect("another size");
    }

    /// Waits for the end, and looks at what is left of the terminal.
    async fn ends(mut self) -> ExitStatus {
        let reading = async {
            while let Some(chunk) = self.written.recv().await {
                self.screen.process(&chunk);
            }
        };
        timeout(SEEN_WITHIN, reading).await.expect("it ends");
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "what was there before is shown again");
        assert!(!screen.hide_cursor(), "the cursor is shown again");
        self.child.wait().expect("it has ended")
    }
}

#[tokio::test]
async fn watch_shows_what_there_is_and_opens_an_execution_of_the_list() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true)), ("refund", json!(true))]).await;
    let id = front.start(json!({ "workflow": "checkout" })).await;
    front.start(json!({ "workflow": "refund" })).await;
    let mut sitting = Sitting::before(front.address(), &[]);

    sitting.sees(&["1 host", "pending 2", "checkout", "refund", "nothing has failed"]).await;
    sitting.types("j\r");
    sitting.sees(&[&format!("checkout {id}  pending"), "Timeline", "Esc back"]).await;
    sitting.resizes(120, 40);
    sitting.types("\u{1b}");
    sitting.sees(&["Hosts", "front", &id]).await;
    sitting.types("6");
    sitting.sees(&["failed only", "none is failed"]).await;
    sitting.types("q");

    assert!(sitting.ends().await.success());
}

#[tokio::test]
async fn watch_of_an_execution_opens_it_and_is_ended_by_control_c() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let id = front.start(json!({ "workflow": "checkout", "queue": "slow" })).await;
    let mut sitting = Sitting::before(front.address(), &[&id]);

    sitting.sees(&[&format!("checkout {id}  pending"), "queue slow"]).await;
    sitting.types("\u{3}");

    assert!(sitting.ends().await.success());
}

#[tokio::test]
async fn a_host_that_goes_away_is_missed_and_seen_again() {
    let data = tempfile::tempdir().unwrap();
    let app = house::start(data.path()).await.unwrap();
    let address = app.address();
    let mut sitting = Sitting::before(&format!("http://{address}"), &[]);
    sitting.sees(&["1 host", "none yet: stepwell run WORKFLOW starts one", "end to end"]).await;

    app.kill().await;

    sitting.sees(&["NO ANSWER for", ": Connection refused"]).await;
    let again = house::start_at(data.path(), address).await.unwrap();
    sitting.sees(&["1 host"]).await;
    sitting.types("q");
    assert!(sitting.ends().await.success());
    again.kill().await;
}

/// Else it would show a wrong key again and again, and whoever shows many has to wait.
#[tokio::test]
async fn a_watcher_whose_key_is_revoked_is_told_and_asks_no_more() {
    let data = tempfile::tempdir().unwrap();
    let app = house::start(data.path()).await.unwrap();
    let roles = vec![Role::Admin];
    let order = KeyOrder { name: "eyes".to_owned(), roles, workflows: Vec::new() };
    let (key, row) = app.dispatch().create_key(order).await.unwrap();
    let server = format!("http://{}", app.address());
    let mut sitting = Sitting::before(&server, &["--api-key", &key.reveal()]);
    sitting.sees(&["1 host", "none yet: stepwell run WORKFLOW starts one", "end to end"]).await;

    app.dispatch().revoke_key(&row.id).await.unwrap();

    sitting.sees(&["does not know this key"]).await;
    assert_eq!(sitting.ends().await.exit_code(), 4);
    let mut nobody = Sitting::before(&server, &[]);
    nobody.sees(&["asks for a key"]).await;
    assert_eq!(nobody.ends().await.exit_code(), 4);
    app.kill().await;
}

#[test]
fn where_there_is_no_terminal_watch_says_what_there_is_instead() {
    let told = std::process::Command::new(env!("CARGO_BIN_EXE_stepwell")).arg("watch").output();
    let told = told.unwrap();

    assert_eq!(told.status.code(), Some(2));
    let error = String::from_utf8_lossy(&told.stderr);
    assert!(error.contains("stepwell stats --json"), "{error}");
    assert!(told.stdout.is_empty());
}
