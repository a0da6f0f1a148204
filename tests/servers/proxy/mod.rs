//! A line to a server that can be cut, and that loses commits.
//!
//! It answers nothing itself and knows no TLS. Where it stands before Postgres it follows the protocol, so as to know which
//! message commits: `commit` itself, or the end of a statement that inserts, updates or deletes outside of a block. Such a
//! commit can be lost before it reaches the server, or after the server has made it; its client hears the same, nothing.
//!
//! It runs on a thread of its own: it goes on when the runtime of a host, or of a test, is blocked or killed.

pub mod deed;
mod exchange;
pub mod frames;
mod link;
pub mod losses;
mod talk;

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::chance::Chance;
use super::postgres::{self, Postgres};
use super::redis::Redis;
use exchange::{Exchange, Line, Wire};
use losses::{Loss, Losses, Lost};

/// How a line is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Every connection is closed, and new ones are refused.
    Sever,
    /// Connections stay and can be made, but nothing arrives on either side, not even their end. What was sent meanwhile
    /// arrives when the line is healed.
    Blackhole,
}

/// Ends with its owner, and all its connections with it.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    losses: Arc<Losses>,
    /// What is wished; taken when it ends, which ends the thread.
    line: Option<watch::Sender<Line>>,
    /// What is the case.
    reached: watch::Receiver<Line>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A line to this server that follows what is said.
    pub fn before(postgres: &Postgres) -> Self {
        Self::start(postgres.port(), Wire::Postgres)
    }

    /// A line that can only be cut: whatever Redis is told, nothing is lost with it.
    pub fn before_redis(redis: &Redis) -> Self {
        Self::start(redis.port(), Wire::Opaque)
    }

    fn start(server: u16, wire: Wire) -> Self {
        let listener = listen();
        let port = listener.local_addr().unwrap().port();
        let losses = Arc::<Losses>::default();
        let (line, wished) = watch::channel(Line::Open);
        let (reach, reached) = watch::channel(Line::Open);
        let exchange = Exchange { port, server, wire, losses: Arc::clone(&losses), wished, reach };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let thread = std::thread::spawn(move || runtime.block_on(exchange.serve(listener)));
        Self { port, losses, line: Some(line), reached, thread: Some(thread) }
    }

    /// Where a database of the Postgres behind it is found.
    pub fn url(&self, database: &str) -> String {
        postgres::url(self.port, database)
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts the line, and returns when it is cut.
    pub async fn cut(&self, cut: Cut) {
        self.wish(Line::Cut(cut)).await;
    }

    /// Ends every fault, and returns when the line is open.
    pub async fn heal(&self) {
        self.losses.plan_none();
        self.wish(Line::Open).await;
    }

    async fn wish(&self, wished: Line) {
        self.line.as_ref().unwrap().send_replace(wished);
        self.reached.clone().wait_for(|reached| *reached == wished).await.unwrap();
    }

    /// Lets the next `commits` happen and their clients hear nothing of it. One that the server refuses is answered, and
    /// the next is lost in its stead.
    pub fn lose_next_replies(&self, commits: u32) {
        self.losses.plan_next(Loss::Reply, commits);
    }

    /// Loses the next `commits` before the server hears of them.
    pub fn lose_next_requests(&self, commits: u32) {
        self.losses.plan_next(Loss::Request, commits);
    }

    /// Loses the reply to a commit this often, of all, from now on.
    pub fn lose_replies(&self, probability: f64, seed: u64) {
        self.losses.plan_odds(Loss::Reply, probability, Chance::of(seed));
    }

    /// Loses a commit before the server hears of it this often, from now on.
    pub fn lose_requests(&self, probability: f64, seed: u64) {
        self.losses.plan_odds(Loss::Request, probability, Chance::of(seed));
    }

    /// How many of each were really lost so far.
    pub fn lost(&self) -> Lost {
        self.losses.lost()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.line.take());
        if let Some(thread) = self.thread.take() {
            let _told_already = thread.join();
        }
    }
}

/// A free port that no connection to elsewhere takes while the line is severed: those begin higher up.
fn listen() -> TcpListener {
    let mut chance = Chance::fresh();
    loop {
        let port = 20_000 + u16::try_from(chance.next(12_000)).expect("less than 12,000");
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            listener.set_nonblocking(true).unwrap();
            return listener;
        }
    }
}
