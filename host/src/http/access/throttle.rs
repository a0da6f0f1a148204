//! Who shows many wrong keys has to wait between them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::Stopwatch;

/// Wrong keys that one address may show at once,
const FAILURES_MAX: f64 = 10.0;
/// and seconds until it may show one more.
const FAILURE_PERIOD_SECONDS: f64 = 6.0;
/// Addresses that are remembered.
const ADDRESSES_MAX: usize = 10_000;

/// Counts wrong keys by address: a bucket for each, which leaks.
#[derive(Debug, Default)]
pub(in crate::http) struct Throttle {
    seen: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    level: f64,
    at: Stopwatch,
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

    /// How many seconds this address has to wait; none: it may try.
    pub(super) fn wait(&self, from: IpAddr) -> Option<u32> {
        let level = self.seen().get(&network(from))?.level();
        let over = level - (FAILURES_MAX - 1.0);
        let seconds = (over * FAILURE_PERIOD_SECONDS).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is a small number above 0"
        )]
        (over > 0.0).then_some(seconds.max(1.0) as u32)
    }

    /// Counts a wrong key.
    pub(super) fn count(&self, from: IpAddr) {
        let mut seen = self.seen();
        if seen.len() >= ADDRESSES_MAX {
            seen.retain(|_, failures| failures.level() > 0.0);
            if seen.len() >= ADDRESSES_MAX {
                seen.clear();
            }
        }
        let failures =
            seen.entry(network(from)).or_insert(Failures { level: 0.0, at: Stopwatch::start() });
        let level = (failures.level() + 1.0).min(FAILURES_MAX);
        *failures = Failures { level, at: Stopwatch::start() };
    }
}

/// Whoever has one address of IPv6 has 2^64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(throttle: &Throttle, from: IpAddr, times: usize) {
        (0..times).for_each(|_| throttle.count(from));
    }

    #[test]
    fn ten_wrong_keys_are_free_and_the_next_has_to_wait() {
        let (throttle, from) = (Throttle::default(), IpAddr::from([192, 0, 2, 1]));

        tried(&throttle, from, 9);
        assert_eq!(throttle.wait(from), None);
        tried(&throttle, from, 1);

        assert_eq!(throttle.wait(from), Some(6));
        assert_eq!(throttle.wait(IpAddr::from([192, 0, 2, 2])), None);
    }

    #[test]
    fn the_neighbours_in_a_network_of_ipv6_are_one() {
        let throttle = Throttle::default();
        let address = |last| IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, last));

        (0..10).for_each(|last| throttle.count(address(last)));

        assert!(throttle.wait(address(99)).is_some());
    }

    #[test]
    fn the_table_is_bounded() {
        let throttle = Throttle::default();

        for number in 0..u32::try_from(ADDRESSES_MAX).unwrap() + 10 {
            throttle.count(IpAddr::from(number.to_be_bytes()));
        }

        assert!(throttle.seen().len() <= ADDRESSES_MAX);
    }
}
