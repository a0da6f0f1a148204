//! Who shows many wrong keys has to wait between them.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::caller::network;
use crate::model::Stopwatch;

/// Wrong keys that one address may show at once,
const FAILURES_MAX: f64 = 10.0;
/// and seconds until it may show one more.
const FAILURE_PERIOD_SECONDS: f64 = 6.0;
/// A key that is shown again within this time is the same mistake, and is looked up no second time.
const SAME_SECONDS: f64 = 5.0;
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

#[derive(Debug, Clone, Copy)]
struct Failures {
    level: f64,
    /// A mark of the last one.
    key: u64,
    verdict: Verdict,
    at: Stopwatch,
}

/// What came of the last key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Nothing yet.
    Open,
    /// It was wrong.
    Wrong,
}

impl Failures {
    fn level(self) -> f64 {
        (self.level - self.at.seconds() / FAILURE_PERIOD_SECONDS).max(0.0)
    }
}

impl Throttle {
    fn seen(&self) -> MutexGuard<'_, HashMap<IpAddr, Failures>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets an address try a key, which counts as a wrong one until it is given back.
    pub(super) fn admit(&self, from: IpAddr, key: &str) -> Admitted {
        let (mut seen, key) = (self.seen(), self.marks.hash_one(key));
        let last = seen.get(&network(from)).copied();
        let same = last.filter(|last| last.key == key && last.at.seconds() < SAME_SECONDS);
        match same.map(|last| last.verdict) {
            Some(Verdict::Wrong) => return Admitted::Again,
            // Many requests of one program come at once.
            Some(Verdict::Open) => return Admitted::Beside,
            None => {}
        }
        if let Some(seconds) = wait(&seen, from) {
            return Admitted::Not { seconds };
        }
        count(&mut seen, from, key);
        Admitted::New
    }

    /// The key that was tried was wrong.
    pub(super) fn condemn(&self, from: IpAddr, key: &str) {
        let (mut seen, key) = (self.seen(), self.marks.hash_one(key));
        if let Some(failures) = seen.get_mut(&network(from)).filter(|last| last.key == key) {
            failures.verdict = Verdict::Wrong;
        }
    }

    /// The key that was tried was none that is wrong.
    pub(super) fn give_back(&self, from: IpAddr) {
        if let Some(failures) = self.seen().get_mut(&network(from)) {
            let level = (failures.level() - 1.0).max(0.0);
            *failures = Failures { level, key: 0, verdict: Verdict::Open, at: Stopwatch::start() };
        }
    }
}

fn wait(seen: &HashMap<IpAddr, Failures>, from: IpAddr) -> Option<u32> {
    let level = seen.get(&network(from))?.level();
    let over = level - (FAILURES_MAX - 1.0);
    let seconds = (over * FAILURE_PERIOD_SECONDS).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is a small number above 0"
    )]
    (over > 0.0).then_some(seconds.max(1.0) as u32)
}

fn count(seen: &mut HashMap<IpAddr, Failures>, from: IpAddr, key: u64) {
    if seen.len() >= ADDRESSES_MAX {
        seen.retain(|_, failures| failures.level() > 0.0);
        if seen.len() >= ADDRESSES_MAX {
            seen.clear();
        }
    }
    let none = Failures { level: 0.0, key, verdict: Verdict::Open, at: Stopwatch::start() };
    let failures = seen.entry(network(from)).or_insert(none);
    let level = (failures.level() + 1.0).min(FAILURES_MAX);
    *failures = Failures { level, key, verdict: Verdict::Open, at: Stopwatch::start() };
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
            throttle.give_back(from);
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
