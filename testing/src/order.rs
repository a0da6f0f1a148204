//! Which of several things that may happen now happens first.

/// In the order in which they came about, or shuffled by a seed.
#[derive(Debug, Clone)]
pub(crate) enum Order {
    AsTheyCame,
    Shuffled { seed: u64, state: u64 },
}

impl Order {
    pub(crate) fn shuffled(seed: u64) -> Self {
        Self::Shuffled { seed, state: seed }
    }

    pub(crate) fn seed(&self) -> Option<u64> {
        match self {
            Self::AsTheyCame => None,
            Self::Shuffled { seed, .. } => Some(*seed),
        }
    }

    /// The place of the one that goes first among so many, which are not none.
    pub(crate) fn choose(&mut self, among: usize) -> usize {
        match self {
            Self::AsTheyCame => 0,
            Self::Shuffled { state, .. } => {
                usize::try_from(draw(state) % among as u64).unwrap_or(0)
            }
        }
    }

    /// From 0 to 1: what a retry's pause is varied by. In the middle where nothing is shuffled.
    pub(crate) fn chance(&mut self) -> f64 {
        const STEPS: u32 = 1 << 20;
        match self {
            Self::AsTheyCame => 0.5,
            Self::Shuffled { state, .. } => {
                let step = u32::try_from(draw(state) % u64::from(STEPS)).unwrap_or(0);
                f64::from(step) / f64::from(STEPS)
            }
        }
    }
}

/// The next number of SplitMix64.
fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
