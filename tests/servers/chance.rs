//! Numbers that a seed determines, so that a storm which failed can be had again.

/// SplitMix64.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    /// Of a seed that nobody knows.
    pub(crate) fn fresh() -> Self {
        let seed = getrandom::u32().expect("the operating system has randomness");
        Self(u64::from(seed))
    }

    /// From the seed that `STEPWELL_SEED` gives, or else a fresh one; it is printed either way.
    pub fn from_environment() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a seed that failed is given by hand")]
        let given = std::env::var("STEPWELL_SEED").ok();
        let fresh = Self::fresh().0;
        let seed = given.map_or(fresh, |seed| seed.parse().expect("STEPWELL_SEED is a number"));
        println!("STEPWELL_SEED={seed}");
        Self::of(seed)
    }

    /// From that seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, from 0 to less than `below`.
    pub fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    /// Whether something of this probability happens now.
    pub fn strikes(&mut self, probability: f64) -> bool {
        const STEPS: u32 = 1 << 24;
        let drawn = u32::try_from(self.next(u64::from(STEPS))).expect("less than STEPS");
        f64::from(drawn) < probability * f64::from(STEPS)
    }
}
