//! How long a host is taken to live without a word from it, and what follows from that.

use std::time::Duration;

/// A lease. Everything that has to do with it is a part of its length, so that no two of these disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease(Duration);

impl Lease {
    /// The shortest: its parts must be longer than a commit on a busy disk.
    pub const SHORTEST: Self = Self(Duration::from_secs(3));
    /// The longest: so long does work of a lost host lie still.
    pub const LONGEST: Self = Self(Duration::from_mins(10));

    /// A lease of that length, or none where it is out of bounds.
    pub fn new(length: Duration) -> Option<Self> {
        (Self::SHORTEST.0 <= length && length <= Self::LONGEST.0).then_some(Self(length))
    }

    /// From a renewal to its end.
    pub fn length(self) -> Duration {
        self.0
    }

    /// How often it is renewed: a third of it (5 s of 15 s).
    pub fn renew_every(self) -> Duration {
        self.0 / 3
    }

    /// How long one attempt to renew it may take (3 s of 15 s).
    pub fn attempt(self) -> Duration {
        self.0 / 5
    }

    /// How long before its end guests are stopped (2 s of 15 s).
    pub fn margin(self) -> Duration {
        self.0 * 2 / 15
    }

    /// How long ago a renewal may be that tells of a database that answers: a period and a bit (6 s of 15 s). An outage that
    /// fits in between ends nobody's lease.
    pub fn fresh(self) -> Duration {
        self.renew_every() + self.0 / 15
    }
}

impl Default for Lease {
    fn default() -> Self {
        Self(Duration::from_secs(15))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_has_the_parts_of_the_design() {
        let lease = Lease::default();

        let seconds = [lease.renew_every(), lease.attempt(), lease.margin(), lease.fresh()];
        assert_eq!(seconds.map(|part| part.as_secs()), [5, 3, 2, 6]);
    }

    #[test]
    fn an_outage_within_which_a_renewal_is_fresh_ends_no_lease() {
        let lease = Lease::default();

        assert!(lease.renew_every() + lease.fresh() < lease.length());
    }
}
