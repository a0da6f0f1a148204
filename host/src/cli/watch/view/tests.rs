//! What is drawn, on a terminal in memory.

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::json;

use super::draw;
use crate::cli::watch::close::{Close, Closeness};
use crate::cli::watch::desk::Desk;
use crate::cli::watch::exposition::Readings;
use crate::cli::watch::feed::Read;
use crate::cli::watch::seen::{Execution, Host, Letter, Overview, Queue, Stats, troubles};
use crate::cli::watch::theme::Theme;
use crate::model::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros((1_700_000_000 + second) * 1_000_000)
}

fn overview() -> Overview {
    let stats = json!({ "executions": { "running": 3, "completed": 1_234, "failed": 2 }, "dead_letters": 1 });
    let queues = json!([
        { "name": "default", "paused_at": null, "waiting": 7, "running": 2, "blocked": 0, "oldest_at": at(50), "executions": 0 },
        { "name": "mail\u{1b}[2J", "paused_at": at(1), "waiting": 0, "running": 0, "blocked": 0, "oldest_at": null, "executions": 4 },
    ]);
    let hosts =
        json!([{ "name": "alpha", "alive": true, "version": "0.1.0", "started_at": at(0) }]);
    let executions = json!([
        { "id": "01a22386-9e0a-725c-b994-b26ab469ce8e", "workflow": "sell", "state": "running", "queue": "default", "created_at": at(55) },
        { "id": "01a22386-9e0a-725c-b994-000000000000", "workflow": "buy", "state": "failed", "queue": "default", "created_at": at(40),
          "completed_at": at(44), "failure": { "kind": "no-money", "message": "the card is empty" } },
    ]);
    let letters = json!([
        { "id": "7", "execution": "01a22386-9e0a-725c-b994-000000000000", "workflow": "buy", "step": "charge", "attempts": 3,
          "failure": { "kind": "no-money", "message": "" }, "created_at": at(43) },
    ]);
    let executions: Vec<Execution> = serde_json::from_value(executions).unwrap();
    let letters: Vec<Letter> = serde_json::from_value(letters).unwrap();
    Overview {
        stats: serde_json::from_value::<Stats>(stats).unwrap(),
        queues: serde_json::from_value::<Vec<Queue>>(queues).unwrap(),
        hosts: serde_json::from_value::<Vec<Host>>(hosts).unwrap(),
        troubles: troubles(&executions[1..], &letters),
        executions,
        readings: None,
    }
}

fn readings(count: u32) -> Readings {
    Readings::read(&format!(
        "stepwell_executions_started_total{{workflow=\"sell\"}} {count}\n\
         stepwell_execution_duration_seconds_bucket{{le=\"0.1\"}} {count}\n\
         stepwell_execution_duration_seconds_bucket{{le=\"+Inf\"}} {count}\n"
    ))
}

fn desk() -> Desk {
    let mut desk = Desk::new("http://127.0.0.1:7878/".to_owned(), None);
    for second in 0..30 {
        let readings = Some(readings(second * 20));
        let seen = Overview { readings, ..overview() };
        desk.take(Read::Overview(Box::new(seen)), Duration::from_secs(second.into()));
    }
    desk.now = at(60);
    desk
}

fn picture(desk: &Desk, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, desk, Theme::Plain)).unwrap();
    terminal.backend().to_string()
}

fn holds(picture: &str, texts: &[&str]) {
    for text in texts {
        assert!(picture.contains(text), "{text:?} in\n{picture}");
    }
}

#[test]
fn a_small_terminal_shows_all_that_matters() {
    let picture = picture(&desk(), 80, 24);

    holds(&picture, &["http://127.0.0.1:7878  1 host", "completed 1,234", "dead letters 1"]);
    holds(&picture, &["starts      20/s", "end to end", "50 ms", "99 ms"]);
    holds(&picture, &["mail [2 ", "paused", "10s", "dead letter buy/charge  no-money"]);
    holds(&picture, &["…b26ab469ce8e sell", "4.00 s no-money: t", "? help"]);
}

#[test]
fn a_wide_terminal_has_room_for_hosts_and_whole_ids() {
    let picture = picture(&desk(), 200, 60);

    holds(&picture, &["alpha", "0.1.0", "01a22386-9e0a-725c-b994-b26ab469ce8e", "failed attempts"]);
}

#[test]
fn a_narrow_terminal_tells_executions_apart() {
    let picture = picture(&desk(), 45, 14);

    holds(&picture, &["running 3", "sell", "buy", "q quit"]);
}

#[test]
fn whatever_the_size_something_is_drawn() {
    for (width, height) in [(1, 1), (23, 4), (24, 5), (40, 10), (79, 17), (120, 13), (300, 8)] {
        let mut desk = desk();
        let near = picture(&desk, width, height);
        assert!(near.chars().any(char::is_alphabetic), "{width} x {height}");
        desk.help = true;
        picture(&desk, width, height);
        desk.close = Some(close());
        picture(&desk, width, height);
    }
}

#[test]
fn a_host_that_went_away_is_told_of_and_what_was_seen_stays() {
    let mut desk = desk();

    desk.miss("Connection refused".to_owned(), Duration::from_secs(40));
    desk.miss("Connection refused".to_owned(), Duration::from_secs(47));

    let picture = picture(&desk, 80, 24);
    holds(&picture, &["NO ANSWER for 7s: Connection refused", "completed 1,234"]);
}

#[test]
fn nothing_is_claimed_before_anything_was_read() {
    let desk = Desk::new("http://h:1/".to_owned(), None);

    let picture = picture(&desk, 80, 24);

    holds(&picture, &["asking", "pending -"]);
    assert!(!picture.contains("nothing has failed"), "{picture}");
}

fn close() -> Closeness {
    let id = "01a22386-9e0a-725c-b994-b26ab469ce8e";
    let head = json!({
        "id": id, "workflow": "sell", "module": "c47b0b912c77a1", "state": "running", "run": 0, "queue": "default",
        "tags": [], "priority": 0, "created_at": at(0), "waits": { "message": "it waits for a timer" },
        "counters": {}, "custom_state": {}, "children": [],
    });
    let entries = json!([
        { "seq": 1, "at": at(0), "kind": "call", "promise": 0, "name": "charge" },
        { "seq": 2, "at": at(10), "kind": "failed", "promise": 0, "attempt": 2, "failure": { "kind": "no-money", "message": "empty" } },
        { "seq": 3, "at": at(10), "kind": "sleep", "promise": 1, "milliseconds": 60_000 },
    ]);
    let logs = json!([
        { "id": 1, "at": at(1), "step": "charge", "attempt": 2, "level": "warn", "message": "once more", "fields": {} },
    ]);
    let mut close = Closeness::new(id.to_owned());
    close.take(Close {
        head: serde_json::from_value(head).unwrap(),
        entries: serde_json::from_value(entries).unwrap(),
        logs: serde_json::from_value(logs).unwrap(),
        more: false,
    });
    close
}

#[test]
fn one_execution_is_shown_with_its_timeline_and_its_logs() {
    let mut desk = desk();
    desk.close = Some(close());
    // Of 20 seconds, the call took the first ten, and the timer goes on.
    desk.now = at(20);

    let picture = picture(&desk, 80, 24);

    holds(
        &picture,
        &["sell 01a22386-9e0a-725c-b994-b26ab469ce8e  running", "it waits for a timer"],
    );
    holds(
        &picture,
        &["charge    #2 failed       10.00 s ██████████  ", "no-money: empty", "sleep 1m  "],
    );
    holds(&picture, &["22:13:21 warn     charge#2 once more", "Esc back"]);
}
