//! The same again and again: with a crash after every entry, and in other orders.

use std::fmt::Debug;
use std::ops::Range;

use crate::host::TestHost;
use crate::order::Order;

impl TestHost {
    /// Runs a scenario undisturbed, and then once for every entry that its journals have, on a host that dies right after
    /// that entry: what it returns must be the same each time. Every run begins with nothing but the replaced steps.
    ///
    /// What was called and not recorded is called again after a crash, so a step may be attempted more than once: have the
    /// scenario return what must be seen from outside, and assert in it what must hold of attempts.
    ///
    /// Returns what the scenario returned.
    ///
    /// # Panics
    /// Where a run differs: the message says after which entry the host died.
    #[track_caller]
    pub fn crash_everywhere<T: PartialEq + Debug>(
        &self,
        mut scenario: impl FnMut(&mut Self) -> T,
    ) -> T {
        let mut undisturbed = self.another(self.world.order.clone());
        let expected = scenario(&mut undisturbed);
        let entries = undisturbed.recorded();
        let mut entry = 0;
        let mut was_struck = true;
        // A run that is disturbed may have more entries than the one that is not.
        while was_struck || entry < entries {
            entry += 1;
            let mut host = self.another(self.world.order.clone());
            host.world.die_at(entry);
            let seen = scenario(&mut host);
            assert_eq!(seen, expected, "the host died after entry {entry}");
            was_struck = host.crashes() > 0;
            assert!(entry < 10 * entries + 10, "the scenario writes without end");
        }
        expected
    }

    /// Runs a scenario once for each seed: see [`TestHost::shuffled`]. A seed that fails is printed.
    pub fn for_each_seed(&self, seeds: Range<u64>, mut scenario: impl FnMut(&mut Self)) {
        for seed in seeds {
            scenario(&mut self.another(Order::shuffled(seed)));
        }
    }
}
