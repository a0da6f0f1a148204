//! What a limit has room for: decided from its row and the counts of those who run under it and have gone past it.

use std::time::Duration;

use crate::model::{Limit, Meter, Timestamp};
use crate::store::error::StoreError;
use crate::store::row::{Reading, Row};

/// When to look again at a limit that others wait for, though whoever makes room looks by itself: in case it could not.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// A rate is looked at no more often than this; tokens that fall due meanwhile are used together.
const LOOK_AT_MOST_EVERY: Duration = Duration::from_millis(50);

/// A limit under its lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gate {
    pub(super) name: String,
    pub(super) slots: Option<i64>,
    pub(super) rate: Option<String>,
    pub(super) meter: Option<Meter>,
    pub(super) next_at: Option<Timestamp>,
    /// Tasks that run.
    pub(super) running: i64,
    /// Tasks that have gone past it, could be claimed and do not run yet.
    pub(super) passed: i64,
    /// Whether any waits for it.
    pub(super) is_waited_for: bool,
}

impl Gate {
    /// Reads a row of `lock_limits`.
    pub(super) fn read(row: Row) -> Result<Self, StoreError> {
        let mut row = Reading::of("limits", row);
        let (name, slots, rate) = (row.text("name")?, row.opt_i64("slots")?, row.opt_text("rate")?);
        let (interval, burst) = (row.opt_i64("interval_micros")?, row.opt_i64("burst")?);
        let tat = row.i64("tat")?;
        let meter = interval.zip(burst).map(|(interval, burst)| Meter { interval, burst, tat });
        let next_at = row.opt_time("next_at")?;
        Ok(Self { name, slots, rate, meter, next_at, running: 0, passed: 0, is_waited_for: false })
    }

    /// A name that stands for no limit.
    pub(super) fn without_limit(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            slots: None,
            rate: None,
            meter: None,
            next_at: None,
            running: 0,
            passed: 0,
            is_waited_for: false,
        }
    }

    fn of(limit: &Limit) -> Self {
        Self {
            slots: limit.slots.map(i64::from),
            rate: limit.rate.map(|rate| rate.to_string()),
            meter: limit.rate.map(Meter::from),
            ..Self::without_limit(&limit.name)
        }
    }

    /// Takes over what is declared now; what has begun until now still counts. False: it was the same before.
    pub(super) fn declare(&mut self, limit: &Limit) -> bool {
        let declared = Self::of(limit);
        if (self.slots, &self.rate) == (declared.slots, &declared.rate) {
            return false;
        }
        let tat = self.meter.map_or(0, |meter| meter.tat);
        self.meter = declared.meter.map(|meter| Meter { tat, ..meter });
        (self.slots, self.rate) = (declared.slots, declared.rate);
        true
    }

    /// How many of those that wait may go past it now.
    pub(super) fn room(&self, now: Timestamp) -> i64 {
        let tokens = self.meter.map_or(i64::MAX, |meter| meter.tokens(now));
        self.places().min(tokens.saturating_sub(self.passed)).max(0)
    }

    fn places(&self) -> i64 {
        let free = self.slots.map_or(i64::MAX, |slots| slots - self.running);
        free.saturating_sub(self.passed)
    }

    /// Whether one more may begin to run now.
    pub(super) fn admits(&self, now: Timestamp) -> bool {
        self.slots.is_none_or(|slots| self.running < slots)
            && self.meter.is_none_or(|meter| meter.tokens(now) > 0)
    }

    /// One more begins to run.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.running += 1;
        if let Some(meter) = &mut self.meter {
            meter.spend(1, now);
        }
    }

    /// Of as many as had room, so many have gone past it: when is it to be looked at again?
    pub(super) fn next_look(&mut self, opened: i64, now: Timestamp) -> Option<Timestamp> {
        let room = self.room(now);
        self.passed += opened;
        if !self.is_waited_for {
            return None;
        }
        // Those that are left cannot be claimed as things are, or there are none.
        let is_left = opened < room;
        let token = match self.meter {
            Some(meter) if !is_left && self.places() > 0 => meter.due(self.passed + 1),
            Some(_) | None => None,
        };
        // A look that is due soon enough is left as it is: that saves a write for each task that ends.
        let again = self.next_at.filter(|at| *at > now && *at <= now + LOOK_AGAIN);
        let again = again.unwrap_or(now + LOOK_AGAIN);
        Some(token.map_or(again, |token| token.max(now + LOOK_AT_MOST_EVERY)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(slots: Option<i64>, rate: Option<&str>) -> Gate {
        let rate: Option<crate::model::Rate> = rate.map(|rate| rate.parse().unwrap());
        Gate {
            name: "s:shop/charge".to_owned(),
            slots,
            rate: rate.map(|rate| rate.to_string()),
            meter: rate.map(Meter::from),
            next_at: None,
            running: 0,
            passed: 0,
            is_waited_for: true,
        }
    }

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

    #[test]
    fn there_is_room_for_as_many_as_neither_run_nor_have_gone_past() {
        let mut gate = gate(Some(5), None);
        (gate.running, gate.passed) = (2, 2);

        assert_eq!(gate.room(NOW), 1);
        gate.running = 9;
        assert_eq!((gate.room(NOW), gate.admits(NOW)), (0, false), "it was more once");
    }

    #[test]
    fn a_token_is_spent_when_a_task_begins() {
        let mut gate = gate(None, Some("10/s"));
        assert_eq!(gate.room(NOW), 2);

        gate.begin(NOW);
        gate.begin(NOW);

        assert!(!gate.admits(NOW));
        assert_eq!(gate.next_look(0, NOW), Some(NOW + Duration::from_millis(100)));
    }

    #[test]
    fn whoever_has_gone_past_has_a_token_kept_for_him() {
        let mut gate = gate(None, Some("10/s"));
        gate.begin(NOW);

        assert_eq!(gate.room(NOW), 1);
        assert_eq!(gate.next_look(1, NOW), Some(NOW + Duration::from_millis(100)));
        assert_eq!(gate.room(NOW), 0);
    }

    #[test]
    fn who_waits_for_a_slot_waits_for_whoever_frees_it() {
        let mut gate = gate(Some(1), Some("50/s"));
        gate.begin(NOW);

        gate.next_at = gate.next_look(0, NOW);
        assert_eq!(gate.next_at, Some(NOW + LOOK_AGAIN));
        let later = NOW + Duration::from_secs(1);
        assert_eq!(gate.next_look(0, later), Some(NOW + LOOK_AGAIN), "soon enough");
        assert_eq!(gate.next_look(0, NOW + LOOK_AGAIN), Some(NOW + LOOK_AGAIN + LOOK_AGAIN));
        gate.is_waited_for = false;
        assert_eq!(gate.next_look(0, NOW), None);
    }

    #[test]
    fn a_new_declaration_keeps_what_has_begun() {
        let mut gate = gate(None, Some("1/s"));
        gate.begin(NOW);
        let rate = Some("2/s".parse().unwrap());
        let (name, step) = (gate.name.clone(), crate::model::Name::new("charge").unwrap());

        let limit = Limit { name, step, key: None, slots: None, rate };

        assert!(gate.declare(&limit) && !gate.declare(&limit));
        assert!(!gate.admits(NOW));
    }
}
