//! Numbers that a seed determines, so that a storm which failed can be had again.

use stepwell::model::{Ids, RandomIds};

/// SplitMix64.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// From the seed that `STEPWELL_SEED` gives, or else a fresh one; it is printed either way.
    pub(crate) fn from_environment() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a seed that failed is given by hand")]
        let given = std::env::var("STEPWELL_SEED").ok();
        let [a, b, c, d, ..] = RandomIds.seed();
        let fresh = u64::from(u32::from_le_bytes([a, b, c, d]));
        let seed = given.map_or(fresh, |seed| seed.parse().expect("STEPWELL_SEED is a number"));
        println!("STEPWELL_SEED={seed}");
        Self::of(seed)
    }

    /// From that seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, from 0 to less than `below`.
    pub(crate) fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    /// Whether something of this probability happens now.
    pub(crate) fn strikes(&mut self, probability: f64) -> bool {
        const STEPS: u32 = 1 << 24;
        let drawn = u32::try_from(self.next(u64::from(STEPS))).expect("less than STEPS");
        f64::from(drawn) < probability * f64::from(STEPS)
    }
}
