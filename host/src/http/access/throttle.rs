//! Who shows many wrong keys has to wait between them.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::caller::network;
use crate::model::Stopwatch;

/// Wrong keys that one address may show at once,
const FAILURES_MAX: f64 = 10.0;
/// and seconds until it may show one more.
const FAILURE_PERIOD_SECONDS: f64 = 6.0;
/// A key that is shown again within this time is the same mistake, and is looked up no second time: longer than a mistake counts,
/// so that a program which goes on and on with a key that was revoked keeps nobody else out.
const SAME_SECONDS: f64 = 2.0 * FAILURE_PERIOD_SECONDS;
/// Keys of one address that are known again, the last ones.
const RECENT: usize = 8;
/// Addresses that are remembered.
const ADDRESSES_MAX: usize = 10_000;

/// Whether a key may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    /// It may.
    New,
    /// It is being tried already, and is counted once.
    Beside,
    /// It was, just now, and was wrong.
    Again,
    /// Too many others were, from there.
    Not {
        /// Until one more may.
        seconds: u32,
    },
}

/// Counts wrong keys by address: a bucket for each, which leaks.
#[derive(Debug, Default)]
pub(in crate::http) struct Throttle {
    seen: Mutex<HashMap<IpAddr, Failures>>,
    /// Makes marks that nobody can foretell.
    marks: RandomState,
}

#[derive(Debug)]
struct Failures {
    level: f64,
    at: Stopwatch,
    /// The last keys, oldest first.
    recent: VecDeque<Tried>,
}

/// A key that was tried.
#[derive(Debug)]
struct Tried {
    /// A mark of it.
    key: u64,
    verdict: Verdict,
    at: Stopwatch,
}

/// What came of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Nothing yet.
    Open,
    /// It was wrong.
    Wrong,
}

impl Failures {
    fn none() -> Self {
        Self { level: 0.0, at: Stopwatch::start(), recent: VecDeque::new() }
    }

    fn level(&self) -> f64 {
        (self.level - self.at.seconds() / FAILURE_PERIOD_SECONDS).max(0.0)
    }

    fn set_level(&mut self, level: f64) {
        self.level = level;
        self.at = Stopwatch::start();
    }

    fn tried(&mut self, key: u64) -> Option<&mut Tried> {
        self.recent.iter_mut().find(|tried| tried.key == key)
    }

    /// How long until one more key may be tried.
    fn wait(&self) -> Option<u32> {
        let over = self.level() - (FAILURES_MAX - 1.0);
        let seconds = (over * FAILURE_PERIOD_SECONDS).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is a small number above 0"
        )]
        (over > 0.0).then_some(seconds.max(1.0) as u32)
    }
}

impl Throttle {
    fn seen(&self) -> MutexGuard<'_, HashMap<IpAddr, Failures>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets an address try a key, which counts as a wrong one until it is given back.
    pub(super) fn admit(&self, from: IpAddr, key: &str) -> Admitted {
        let (mut seen, key, from) = (self.seen(), self.marks.hash_one(key), network(from));
        if !seen.contains_key(&from) {
            make_room(&mut seen);
        }
        let failures = seen.entry(from).or_insert_with(Failures::none);
        failures.recent.retain(|tried| tried.at.seconds() < SAME_SECONDS);
        match failures.tried(key).map(|tried| tried.verdict) {
            Some(Verdict::Wrong) => return Admitted::Again,
            // Many requests of one program come at once.
            Some(Verdict::Open) => return Admitted::Beside,
            None => {}
        }
        if let Some(seconds) = failures.wait() {
            return Admitted::Not { seconds };
        }
        failures.set_level((failures.level() + 1.0).min(FAILURES_MAX));
        if failures.recent.len() >= RECENT {
            failures.recent.pop_front();
        }
        let tried = Tried { key, verdict: Verdict::Open, at: Stopwatch::start() };
        failures.recent.push_back(tried);
        Admitted::New
    }

    /// The key that was tried was wrong.
    pub(super) fn condemn(&self, from: IpAddr, key: &str) {
        let (mut seen, key) = (self.seen(), self.marks.hash_one(key));
        if let Some(tried) = seen.get_mut(&network(from)).and_then(|failures| failures.tried(key)) {
            tried.verdict = Verdict::Wrong;
        }
    }

    /// The key that was tried was none that is wrong.
    pub(super) fn give_back(&self, from: IpAddr, key: &str) {
        let (mut seen, key) = (self.seen(), self.marks.hash_one(key));
        if let Some(failures) = seen.get_mut(&network(from)) {
            failures.set_level((failures.level() - 1.0).max(0.0));
            failures.recent.retain(|tried| tried.key != key);
        }
    }
}

fn make_room(seen: &mut HashMap<IpAddr, Failures>) {
    if seen.len() >= ADDRESSES_MAX {
        seen.retain(|_, failures| failures.level() > 0.0);
        if seen.len() >= ADDRESSES_MAX {
            seen.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    fn tried(throttle: &Throttle, from: IpAddr, times: usize) {
        (0..times)
            .for_each(|time| assert_eq!(throttle.admit(from, &time.to_string()), Admitted::New));
    }

    #[test]
    fn ten_wrong_keys_are_free_and_the_next_has_to_wait() {
        let (throttle, from) = (Throttle::default(), IpAddr::from([192, 0, 2, 1]));

        tried(&throttle, from, 10);

        assert_eq!(throttle.admit(from, "new"), Admitted::Not { seconds: 6 });
        assert_eq!(throttle.admit(IpAddr::from([192, 0, 2, 2]), "new"), Admitted::New);
    }

    #[test]
    fn a_key_that_was_good_counts_for_nothing() {
        let (throttle, from) = (Throttle::default(), IpAddr::from([192, 0, 2, 1]));

        for _ in 0..100 {
            assert_eq!(throttle.admit(from, "good"), Admitted::New);
            throttle.give_back(from, "good");
        }
    }

    #[test]
    fn one_wrong_key_is_one_mistake_however_often_it_is_shown() {
        let (throttle, from) = (Throttle::default(), IpAddr::from([192, 0, 2, 1]));

        assert_eq!(throttle.admit(from, "wrong"), Admitted::New);
        assert_eq!(throttle.admit(from, "wrong"), Admitted::Beside);
        throttle.condemn(from, "wrong");
        for _ in 0..100 {
            assert_eq!(throttle.admit(from, "wrong"), Admitted::Again);
        }
        assert_eq!(throttle.admit(from, "another"), Admitted::New);
    }

    #[test]
    fn a_few_wrong_keys_that_are_shown_in_turns_are_a_few_mistakes() {
        let (throttle, from) = (Throttle::default(), IpAddr::from([192, 0, 2, 1]));
        let keys = ["one", "another", "a third"];

        for key in keys {
            assert_eq!(throttle.admit(from, key), Admitted::New);
            throttle.condemn(from, key);
        }
        for key in keys.iter().cycle().take(100) {
            assert_eq!(throttle.admit(from, key), Admitted::Again);
        }

        assert_eq!(throttle.admit(from, "good"), Admitted::New);
    }

    #[test]
    fn the_neighbours_in_a_network_of_ipv6_are_one() {
        let throttle = Throttle::default();
        let address = |last| IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, last));

        (0..10).for_each(|last| {
            assert_eq!(throttle.admit(address(last), &last.to_string()), Admitted::New);
        });

        assert!(matches!(throttle.admit(address(99), "new"), Admitted::Not { .. }));
    }

    #[test]
    fn the_table_is_bounded() {
        let throttle = Throttle::default();

        for number in 0..u32::try_from(ADDRESSES_MAX).unwrap() + 10 {
            assert_eq!(throttle.admit(IpAddr::from(number.to_be_bytes()), "key"), Admitted::New);
        }

        assert!(throttle.seen().len() <= ADDRESSES_MAX);
    }
}
