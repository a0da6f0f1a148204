//! One connection, as far as the door watches it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::lines::Lines;
use crate::model::Stopwatch;

/// Writes by HTTP/2 that are no longer say that the host is there, and tell the client nothing that it asked for.
const CHAT_BYTES_MAX: usize = 64;

/// What is known of a connection.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) lines: Arc<Lines>,
    of: Option<IpAddr>,
    /// Told when it is to make room.
    pub(super) end: CancellationToken,
    standing: Mutex<Standing>,
    /// Told when a part of a head was read and more is waited for.
    head_waits: Notify,
    /// Whether a client sends what nobody will read.
    left_unread: AtomicBool,
}

/// Where it stands.
#[derive(Debug)]
struct Standing {
    under_way: usize,
    /// Whether the connection is: requests by HTTP/2 may end after it.
    gone: bool,
    /// While it is idle.
    turn: Option<u64>,
    waits_for: WaitsFor,
    /// Since then.
    since: Stopwatch,
    protocol: Protocol,
    /// Numbers the requests.
    requests: u64,
    /// Of which requests a piece of the answer was given out, since when, and nobody has asked for the next piece.
    given: HashMap<u64, Stopwatch>,
}

/// What an idle connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WaitsFor {
    /// The head of its first request.
    FirstHead,
    /// Another request.
    Request,
    /// The rest of its head.
    Head,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// Until a request says otherwise, whatever comes belongs to one.
    Http1,
    /// What comes may be anything.
    Http2,
}

/// A limit that a connection went beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// `header_timeout`.
    Header,
    /// `idle_timeout`.
    Idle,
    /// `write_timeout`.
    Write,
}

impl Overdue {
    /// The limit.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Header => "header_timeout",
            Self::Idle => "idle_timeout",
            Self::Write => "write_timeout",
        }
    }
}

/// A request that is under way, until the last of its answer is given out.
#[derive(Debug)]
pub(super) struct UnderWay {
    line: Arc<Line>,
    number: u64,
}

impl UnderWay {
    /// A piece of its answer is on its way to the client.
    pub(super) fn gives(&self) {
        let mut standing = self.line.standing();
        standing.given.insert(self.number, Stopwatch::start());
        self.line.rest(&mut standing);
    }

    /// The client has taken it: the next piece is asked for.
    pub(super) fn is_asked(&self) {
        let mut standing = self.line.standing();
        standing.given.remove(&self.number);
        self.line.wake(&mut standing);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut standing = self.line.standing();
        standing.given.remove(&self.number);
        standing.under_way -= 1;
        if standing.under_way == 0 {
            standing.waits_for = WaitsFor::Request;
            standing.since = Stopwatch::start();
        }
        self.line.rest(&mut standing);
        drop(standing);
        self.line.lines.ends(self.line.of);
    }
}

impl Line {
    pub(super) fn new(lines: Arc<Lines>, of: Option<IpAddr>) -> Self {
        Self {
            lines,
            of,
            end: CancellationToken::new(),
            standing: Mutex::new(Standing {
                under_way: 0,
                gone: false,
                turn: None,
                waits_for: WaitsFor::FirstHead,
                since: Stopwatch::start(),
                protocol: Protocol::Http1,
                requests: 0,
                given: HashMap::new(),
            }),
            head_waits: Notify::new(),
            left_unread: AtomicBool::new(false),
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is there, and idle.
    pub(super) fn arrive(&self) {
        self.standing().turn = Some(self.lines.is_idle(self.of, &self.end));
    }

    /// It is gone.
    pub(super) fn leave(&self) {
        let mut standing = self.standing();
        standing.gone = true;
        self.wake(&mut standing);
    }

    /// A request begins. It is refused where it is beyond the limit of that name.
    pub(super) fn begin(self: &Arc<Self>) -> (UnderWay, Option<&'static str>) {
        let mut standing = self.standing();
        standing.under_way += 1;
        standing.requests += 1;
        let number = standing.requests;
        self.wake(&mut standing);
        drop(standing);
        let beyond = self.lines.begins(self.of);
        (UnderWay { line: Arc::clone(self), number }, beyond)
    }

    /// Where nothing is left to do but for the client, who has a request to make or answers to take, it is idle.
    fn rest(&self, standing: &mut Standing) {
        if standing.given.len() == standing.under_way && !standing.gone {
            self.wake(standing);
            standing.turn = Some(self.lines.is_idle(self.of, &self.end));
        }
    }

    /// It is idle no longer.
    fn wake(&self, standing: &mut Standing) {
        if let Some(turn) = standing.turn.take() {
            self.lines.is_busy(turn);
        }
    }

    /// Its requests come by HTTP/2, between other things.
    pub(super) fn is_http2(&self) {
        self.standing().protocol = Protocol::Http2;
    }

    /// Something was read.
    pub(super) fn heard(&self) {
        let mut standing = self.standing();
        if standing.under_way == 0
            && standing.waits_for == WaitsFor::Request
            && standing.protocol == Protocol::Http1
        {
            standing.waits_for = WaitsFor::Head;
            standing.since = Stopwatch::start();
        }
    }

    /// Something was written: a client that takes its answer is not idle, though all of it was given out.
    pub(super) fn told(&self, bytes: usize) {
        let mut standing = self.standing();
        let is_chat = standing.protocol == Protocol::Http2 && bytes <= CHAT_BYTES_MAX;
        if is_chat || (standing.under_way == 0 && standing.waits_for != WaitsFor::Request) {
            return;
        }
        if standing.under_way == 0 {
            standing.since = Stopwatch::start();
        }
        if standing.turn.is_some() {
            self.rest(&mut standing);
        }
    }

    /// There is nothing more to read for now.
    pub(super) fn waits(&self) {
        let standing = self.standing();
        if standing.under_way == 0 && standing.waits_for == WaitsFor::Head {
            self.head_waits.notify_one();
        }
    }

    /// Its client sends what nobody will read.
    pub(super) fn leave_unread(&self) {
        self.left_unread.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_left_unread(&self) -> bool {
        self.left_unread.load(Ordering::Relaxed)
    }

    /// Returns when it has kept the host waiting for too long.
    pub(super) async fn overdue(&self) -> Overdue {
        let limits = &self.lines.limits;
        // What it waits for changes meanwhile without a word, so it is looked at before any other wait could be over.
        let look_again = limits.idle_timeout.min(limits.write_timeout);
        loop {
            let (left, overdue) = self.left();
            if left.is_zero() {
                return overdue;
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(look_again)) => {}
                () = self.head_waits.notified() => {}
            }
        }
    }

    /// How long it may go on as it stands.
    fn left(&self) -> (Duration, Overdue) {
        let limits = &self.lines.limits;
        let standing = self.standing();
        if standing.under_way > 0 {
            let oldest = standing.given.values().map(|given| given.elapsed()).max();
            let left = limits.write_timeout.saturating_sub(oldest.unwrap_or_default());
            return (left, Overdue::Write);
        }
        let (whole, overdue) = match standing.waits_for {
            WaitsFor::FirstHead | WaitsFor::Head => (limits.header_timeout, Overdue::Header),
            WaitsFor::Request => (limits.idle_timeout, Overdue::Idle),
        };
        (whole.saturating_sub(standing.since.elapsed()), overdue)
    }
}
