//! Who is connected: how many there may be, and who goes to make room.
//!
//! A connection without a request under way is idle, be it new, half through its headers, or kept for another request; so is one
//! whose client takes nothing of its answers. Where there is no room for a new one, the one goes that has been idle the longest: whoever opens thousands loses their own first.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use metrics::{counter, gauge};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::line::Line;
use crate::http::caller::network;
use crate::model::{DoorLimits, metric};

/// Those who were told to go and have not gone yet: before more are let in, they are waited for.
const LEAVING_MAX: usize = 64;

/// All connections of a door.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) limits: DoorLimits,
    /// Proxies stand for many, so they are not counted by their address.
    trusted: Vec<IpNet>,
    book: Mutex<Book>,
    left: Notify,
    /// Bytes of bodies that come in or are being acted on.
    bodies: AtomicUsize,
    /// Bytes of answers that go out.
    answers: AtomicUsize,
}

#[derive(Debug, Default)]
struct Book {
    open: usize,
    /// Of these, those that were told to go.
    leaving: usize,
    /// Counts whoever becomes idle, so that its order is that of time.
    turn: u64,
    idle: BTreeMap<u64, Idle>,
    idle_of: BTreeSet<(IpAddr, u64)>,
    open_of: HashMap<IpAddr, usize>,
    /// Requests under way, and whose they are.
    requests: usize,
    requests_of: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Idle {
    of: Option<IpAddr>,
    end: CancellationToken,
}

/// Why a connection is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowded {
    /// All have a request under way.
    Door,
    /// All of that address have.
    Address,
}

impl Crowded {
    /// The limit.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Door => "connections_max",
            Self::Address => "connections_per_address_max",
        }
    }
}

/// The place of a connection, given back when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    lines: Arc<Lines>,
    of: Option<IpAddr>,
    pub(super) line: Arc<Line>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.line.leave();
        let mut book = self.lines.book();
        book.open -= 1;
        book.leaving -= usize::from(self.line.end.is_cancelled());
        if let Some(of) = self.of {
            one_less(&mut book.open_of, of);
        }
        drop(book);
        gauge!(metric::HTTP_CONNECTIONS.name).decrement(1.0);
        self.lines.left.notify_one();
    }
}

/// Counts a connection, or a request, that a limit ended or refused.
pub(in crate::http) fn count_end(reason: &'static str) {
    counter!(metric::HTTP_CONNECTIONS_ENDED.name, "reason" => reason).increment(1);
}

impl Lines {
    pub(super) fn new(limits: DoorLimits, trusted: Vec<IpNet>) -> Arc<Self> {
        // So that it can be seen that none was ended.
        counter!(metric::HTTP_CONNECTIONS_ENDED.name, "reason" => "room").absolute(0);
        let (book, left, bodies, answers) = Default::default();
        Arc::new(Self { limits, trusted, book, left, bodies, answers })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from there; somebody else's may be taken for it.
    pub(super) fn admit(self: &Arc<Self>, from: IpAddr) -> Result<Seat, Crowded> {
        let of = self.counted(from);
        let line = {
            let mut book = self.book();
            let open_of = of.and_then(|of| book.open_of.get(&of)).copied().unwrap_or(0);
            if open_of >= self.limits.connections_per_address_max
                && !of.is_some_and(|of| book.end_one_of(of))
            {
                return Err(Crowded::Address);
            }
            if book.open - book.leaving >= self.limits.connections_max && !book.end_one() {
                return Err(Crowded::Door);
            }
            book.open += 1;
            if let Some(of) = of {
                *book.open_of.entry(of).or_default() += 1;
            }
            Arc::new(Line::new(Arc::clone(self), of))
        };
        line.arrive();
        gauge!(metric::HTTP_CONNECTIONS.name).increment(1.0);
        Ok(Seat { lines: Arc::clone(self), of, line })
    }

    /// By what a connection from there is counted.
    fn counted(&self, from: IpAddr) -> Option<IpAddr> {
        let from = from.to_canonical();
        if from.is_loopback() || self.trusted.iter().any(|network| network.contains(&from)) {
            return None;
        }
        Some(network(from))
    }

    /// Ends the connection that has been idle the longest, if there is one.
    pub(super) fn make_room(&self) -> bool {
        self.book().end_one()
    }

    /// Returns when few are left that were told to go.
    pub(super) async fn settle(&self) {
        loop {
            let left = self.left.notified();
            if self.book().leaving <= LEAVING_MAX {
                return;
            }
            left.await;
        }
    }

    /// How many are open.
    pub(super) fn open(&self) -> usize {
        self.book().open
    }

    /// Takes note that a connection is idle from now on, and returns its turn.
    pub(super) fn is_idle(&self, of: Option<IpAddr>, end: &CancellationToken) -> u64 {
        let mut book = self.book();
        book.turn += 1;
        let turn = book.turn;
        // Who was told to go is not told again.
        if end.is_cancelled() {
            return turn;
        }
        book.idle.insert(turn, Idle { of, end: end.clone() });
        if let Some(of) = of {
            book.idle_of.insert((of, turn));
        }
        turn
    }

    /// Takes note that a connection is idle no longer. One that was told to go before goes all the same.
    pub(super) fn is_busy(&self, turn: u64) {
        self.book().take(turn);
    }

    /// Takes note that a request of that address is under way; says which limit it is beyond.
    pub(super) fn begins(&self, of: Option<IpAddr>) -> Option<&'static str> {
        let mut book = self.book();
        book.requests += 1;
        let of_address = of.map_or(0, |of| {
            let count = book.requests_of.entry(of).or_default();
            *count += 1;
            *count
        });
        if of_address > self.limits.requests_per_address_max {
            return Some("requests_per_address_max");
        }
        (book.requests > self.limits.requests_max).then_some("requests_max")
    }

    /// Takes note that a request of that address is through.
    pub(super) fn ends(&self, of: Option<IpAddr>) {
        let mut book = self.book();
        book.requests -= 1;
        if let Some(of) = of {
            one_less(&mut book.requests_of, of);
        }
    }

    /// Whether so many bytes of an answer may go out beside the others.
    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        let before = self.answers.load(Ordering::Relaxed);
        before.saturating_add(bytes) <= self.limits.answers_bytes_max
    }

    /// Takes note of bytes of an answer that go out.
    pub(super) fn give_out(&self, bytes: usize) {
        self.answers.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes note that an answer has gone out, or has been given up.
    pub(super) fn gave_out(&self, bytes: usize) {
        self.answers.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Takes note of bytes of a body that have come in, if there is room for them.
    pub(super) fn take_in(&self, bytes: usize) -> bool {
        let before = self.bodies.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes) <= self.limits.bodies_bytes_max
    }

    /// Takes note that a body has come in, or has been given up.
    pub(super) fn let_go(&self, bytes: usize) {
        self.bodies.fetch_sub(bytes, Ordering::Relaxed);
    }
}

fn one_less(counts: &mut HashMap<IpAddr, usize>, of: IpAddr) {
    let count = counts.entry(of).or_default();
    *count = count.saturating_sub(1);
    if *count == 0 {
        counts.remove(&of);
    }
}

impl Book {
    fn take(&mut self, turn: u64) -> Option<Idle> {
        let idle = self.idle.remove(&turn)?;
        if let Some(of) = idle.of {
            self.idle_of.remove(&(of, turn));
        }
        Some(idle)
    }

    fn end_one(&mut self) -> bool {
        let first = self.idle.keys().next().copied();
        first.is_some_and(|turn| self.end(turn))
    }

    fn end_one_of(&mut self, of: IpAddr) -> bool {
        let first = self.idle_of.range((of, 0)..=(of, u64::MAX)).next().copied();
        first.is_some_and(|(_, turn)| self.end(turn))
    }

    fn end(&mut self, turn: u64) -> bool {
        let Some(idle) = self.take(turn) else { return false };
        self.leaving += 1;
        idle.end.cancel();
        count_end("room");
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(connections_max: usize, connections_per_address_max: usize) -> Arc<Lines> {
        let limits =
            DoorLimits { connections_max, connections_per_address_max, ..DoorLimits::default() };
        Lines::new(limits, vec![IpAddr::from([10, 0, 0, 9]).into()])
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn goes(seat: &Seat) -> bool {
        seat.line.end.is_cancelled()
    }

    #[tokio::test]
    async fn the_one_that_has_been_idle_the_longest_makes_room() {
        let lines = lines(3, 100);
        let [first, second, third] = [1, 2, 3].map(|last| lines.admit(address(last)).unwrap());
        let request = first.line.begin();
        drop(request);

        let fourth = lines.admit(address(4)).unwrap();

        assert_eq!([&first, &second, &third, &fourth].map(goes), [false, true, false, false]);
        drop(second);
        assert_eq!(lines.open(), 3);
    }

    #[tokio::test]
    async fn nobody_with_a_request_under_way_makes_room() {
        let lines = lines(2, 100);
        let seats = [1, 2].map(|last| lines.admit(address(last)).unwrap());
        let requests = seats.each_ref().map(|seat| seat.line.begin());

        assert_eq!(lines.admit(address(3)).unwrap_err(), Crowded::Door);

        drop(requests);
        assert!(lines.admit(address(3)).is_ok());
    }

    #[tokio::test]
    async fn an_address_with_many_connections_loses_its_own() {
        let lines = lines(100, 2);
        let other = lines.admit(address(1)).unwrap();
        let [first, second] = [(); 2].map(|()| lines.admit(address(2)).unwrap());
        let third = lines.admit(address(2)).unwrap();

        assert_eq!([&other, &first, &second, &third].map(goes), [false, true, false, false]);
        drop(first);
        let _busy = [&second, &third].map(|seat| seat.line.begin());
        assert_eq!(lines.admit(address(2)).unwrap_err(), Crowded::Address);
        assert!(lines.admit(address(3)).is_ok());
    }

    #[tokio::test]
    async fn a_trusted_proxy_and_this_machine_stand_for_many() {
        let lines = lines(100, 1);
        for many in [address(9), IpAddr::from([127, 0, 0, 1])] {
            let seats: Vec<_> = (0..5).map(|_| lines.admit(many).unwrap()).collect();
            assert!(!seats.iter().any(goes));
        }
    }

    #[tokio::test]
    async fn those_of_a_network_of_ipv6_are_counted_together() {
        let lines = lines(100, 1);
        let first = lines.admit("2001:db8::1".parse().unwrap()).unwrap();
        let _other = lines.admit("2001:db8:0:1::1".parse().unwrap()).unwrap();
        assert!(!goes(&first));

        let _second = lines.admit("2001:db8::2".parse().unwrap()).unwrap();

        assert!(goes(&first));
    }
}
