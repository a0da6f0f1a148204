//! Which instants the times on a wall clock are, where that clock is put forward and back.
//!
//! A zone is a row of stretches of constant offset. Within one, the wall clock and the instants go side by side; what happens at
//! their borders is decided here, and nowhere else:
//!
//! - A time that does not exist, because the clock was put forward over it: where the expression names its times one by one
//!   (neither `*` nor a step in seconds, minutes and hours), it fires once at the first instant after the gap. Else it is left
//!   out: the next time of its kind is near.
//! - A time that occurs twice, because the clock was put back: where they are named one by one, the first counts alone. Else
//!   both do, so that what is to happen every ten minutes goes on to.

use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, civil::DateTime};

use super::Cron;
use crate::model::Timestamp;

/// Stretches that are looked through. Each is near a time that matches, so that only times that do not exist cost another one.
const STRETCHES_MAX: usize = 64;
/// How near: no clock was ever put forward or back by more than a day.
const NEAR_DAYS: i64 = 2;

/// A time of constant offset.
#[derive(Debug)]
struct Stretch<'a> {
    zone: &'a TimeZone,
    /// When it begins; none where nobody knows of a beginning.
    begins: Option<Instant>,
    ends: Option<Instant>,
}

/// The first instant after `after` at which an expression fires in a zone.
pub(super) fn next_after(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let micros = after.as_micros().checked_add(1)?;
    let mut from = Instant::from_microsecond(micros).ok()?;
    for _ in 0..STRETCHES_MAX {
        let stretch = Stretch::around(zone, from);
        if let Some(found) = stretch.first(cron, from) {
            return Some(Timestamp::from_micros(found.as_microsecond()));
        }
        from = stretch.goes_on(cron)?;
    }
    None
}

impl<'a> Stretch<'a> {
    fn around(zone: &'a TimeZone, at: Instant) -> Self {
        // The search for what precedes leaves out the instant itself.
        let just_after = at.checked_add(jiff::Span::new().nanoseconds(1)).unwrap_or(at);
        let begins = zone.preceding(just_after).next().map(|change| change.timestamp());
        let ends = zone.following(at).next().map(|change| change.timestamp());
        Self { zone, begins, ends }
    }

    /// Its first firing from this instant on.
    fn first(&self, cron: &Cron, from: Instant) -> Option<Instant> {
        let offset = self.zone.to_offset(from);
        let mut wall = offset.to_datetime(from);
        if cron.is_fixed()
            && let Some((begins, old, new)) = self.border()
        {
            if from == begins && cron.next_from(old).is_some_and(|missing| missing < new) {
                return Some(begins);
            }
            // What the clock showed before it was put back has been.
            wall = wall.max(old);
        }
        let found = offset.to_timestamp(cron.next_from(wall)?).ok()?;
        self.ends.is_none_or(|ends| found < ends).then_some(found)
    }

    /// From where to look on after it: its end, or shortly before the next time that matches, whichever is later.
    fn goes_on(&self, cron: &Cron) -> Option<Instant> {
        let ends = self.ends?;
        let before = ends.checked_sub(jiff::Span::new().nanoseconds(1)).ok()?;
        let wall = |offset: jiff::tz::Offset| offset.to_datetime(ends);
        let wall = wall(self.zone.to_offset(before)).min(wall(self.zone.to_offset(ends)));
        let near = cron.next_from(wall)?.checked_sub(jiff::Span::new().days(NEAR_DAYS)).ok()?;
        Some(jiff::tz::Offset::UTC.to_timestamp(near).ok()?.max(ends))
    }

    /// When it begins, and what the wall clock shows there: by the old offset and by the new one.
    fn border(&self) -> Option<(Instant, DateTime, DateTime)> {
        let begins = self.begins?;
        let before = begins.checked_sub(jiff::Span::new().nanoseconds(1)).ok()?;
        let wall = |offset: jiff::tz::Offset| offset.to_datetime(begins);
        Some((begins, wall(self.zone.to_offset(before)), wall(self.zone.to_offset(begins))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The next firings, as the zone writes them.
    fn firings(cron: &str, zone: &str, (after, count): (&str, usize)) -> Vec<String> {
        let cron = Cron::read(cron).unwrap();
        let zone = TimeZone::get(zone).unwrap();
        let after = after.parse::<Instant>().unwrap().as_microsecond();
        let next = |at: &Timestamp| next_after(&cron, &zone, *at);
        let firings = std::iter::successors(next(&Timestamp::from_micros(after)), next);
        let shown = |at: Timestamp| {
            let at = Instant::from_microsecond(at.as_micros()).unwrap();
            at.to_zoned(zone.clone()).strftime("%m-%d %H:%M%:z").to_string()
        };
        firings.take(count).map(shown).collect()
    }

    #[test]
    fn a_fixed_time_that_does_not_exist_fires_at_the_end_of_the_gap() {
        let berlin = firings("30 2 * * *", "Europe/Berlin", ("2026-03-28T00:00:00Z", 3));
        let new_york = firings("30 2 * * *", "America/New_York", ("2026-03-07T12:00:00Z", 2));
        let lord_howe = firings("15 2 * * *", "Australia/Lord_Howe", ("2026-10-03T00:00:00Z", 2));

        assert_eq!(berlin, ["03-28 02:30+01:00", "03-29 03:00+02:00", "03-30 02:30+02:00"]);
        assert_eq!(new_york, ["03-08 03:00-04:00", "03-09 02:30-04:00"]);
        assert_eq!(lord_howe, ["10-04 02:30+11:00", "10-05 02:15+11:00"]);
    }

    #[test]
    fn several_fixed_times_in_one_gap_fire_once() {
        let some = firings("0,15,30,45 2 * * *", "Europe/Berlin", ("2026-03-28T12:00:00Z", 2));
        let end = firings("0 2,3 * * *", "Europe/Berlin", ("2026-03-28T12:00:00Z", 2));

        assert_eq!(some, ["03-29 03:00+02:00", "03-30 02:00+02:00"]);
        assert_eq!(end, ["03-29 03:00+02:00", "03-30 02:00+02:00"]);
    }

    #[test]
    fn a_fixed_time_that_occurs_twice_fires_the_first_time() {
        let berlin = firings("30 2 * * *", "Europe/Berlin", ("2026-10-24T12:00:00Z", 2));
        let new_york = firings("30 1 * * *", "America/New_York", ("2026-10-31T12:00:00Z", 2));
        let lord_howe = firings("45 1 * * *", "Australia/Lord_Howe", ("2026-04-04T00:00:00Z", 2));

        assert_eq!(berlin, ["10-25 02:30+02:00", "10-26 02:30+01:00"]);
        assert_eq!(new_york, ["11-01 01:30-04:00", "11-02 01:30-05:00"]);
        assert_eq!(lord_howe, ["04-05 01:45+11:00", "04-06 01:45+10:30"]);
    }

    #[test]
    fn what_recurs_goes_on_through_the_hour_that_occurs_twice() {
        let berlin = firings("*/30 * * * *", "Europe/Berlin", ("2026-10-24T23:59:00Z", 6));
        let lord_howe = firings("*/30 * * * *", "Australia/Lord_Howe", ("2026-04-04T14:00:00Z", 4));

        assert_eq!(
            berlin,
            [
                "10-25 02:00+02:00",
                "10-25 02:30+02:00",
                "10-25 02:00+01:00",
                "10-25 02:30+01:00",
                "10-25 03:00+01:00",
                "10-25 03:30+01:00"
            ]
        );
        assert_eq!(
            lord_howe,
            ["04-05 01:30+11:00", "04-05 01:30+10:30", "04-05 02:00+10:30", "04-05 02:30+10:30"]
        );
    }

    #[test]
    fn what_recurs_leaves_out_the_hour_that_does_not_exist() {
        let berlin = firings("*/30 * * * *", "Europe/Berlin", ("2026-03-29T00:15:00Z", 3));
        let new_york = firings("0 * * * *", "America/New_York", ("2026-03-08T06:30:00Z", 2));
        let lord_howe = firings("*/20 * * * *", "Australia/Lord_Howe", ("2026-10-03T15:15:00Z", 2));

        assert_eq!(berlin, ["03-29 01:30+01:00", "03-29 03:00+02:00", "03-29 03:30+02:00"]);
        assert_eq!(new_york, ["03-08 03:00-04:00", "03-08 04:00-04:00"]);
        assert_eq!(lord_howe, ["10-04 02:40+11:00", "10-04 03:00+11:00"]);
    }

    #[test]
    fn a_day_that_does_not_exist_at_all_fires_when_it_would_have_begun() {
        // Samoa went without the 30th of December 2011.
        let apia = firings("0 12 30 12 *", "Pacific/Apia", ("2011-12-01T00:00:00Z", 2));

        assert_eq!(apia, ["12-31 00:00+14:00", "12-30 12:00+14:00"]);
    }

    #[test]
    fn what_comes_once_in_forty_years_comes() {
        let cron = Cron::read("30 2 29 2 +MON").unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let after = "2044-03-01T00:00:00Z".parse::<Instant>().unwrap().as_microsecond();

        let next = next_after(&cron, &zone, Timestamp::from_micros(after)).unwrap();
        let after_it = next_after(&cron, &zone, next).unwrap();

        assert_eq!(next.to_string(), "2072-02-29T01:30:00.000000Z");
        assert_eq!(after_it.to_string(), "2112-02-29T01:30:00.000000Z");
    }

    #[test]
    fn the_zones_are_in_the_program() {
        assert!(!jiff::tz::db().is_definitively_empty());
        let source = format!("{:?}", jiff::tz::db());
        assert!(source.contains("Bundled") && !source.contains("/usr/share"), "{source}");
    }

    fn any_zone() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "America/Sao_Paulo",
            "Africa/Casablanca",
            "Pacific/Apia",
        ])
    }

    proptest! {
        /// Minutes are looked through one by one, as nobody could get that wrong.
        #[test]
        fn it_finds_what_a_look_at_each_minute_finds(
            zone in any_zone(),
            day in 0_i64..3_000,
            minutes in prop::sample::select(vec!["*/7", "0", "30", "5,35"]),
            hours in prop::sample::select(vec!["*", "*/2", "2", "1,2,3", "0"]),
        ) {
            let text = format!("{minutes} {hours} * * *");
            let cron = Cron::read(&text).unwrap();
            prop_assume!(!cron.is_fixed());
            let zone = TimeZone::get(zone).unwrap();
            let from = 1_577_836_800 + day * 86_400;
            let wall = |at: i64| zone.to_datetime(Instant::from_second(at).unwrap());
            let slow = (1..=3 * 1_440).map(|minute| from + minute * 60).find(|at| {
                cron.next_from(wall(*at)) == Some(wall(*at))
            });

            let quick = next_after(&cron, &zone, Timestamp::from_micros(from * 1_000_000));

            prop_assert_eq!(quick.map(|at| at.as_micros() / 1_000_000), slow);
        }

        #[test]
        fn firings_only_go_forward_and_a_fixed_time_comes_once_a_day(
            zone in any_zone(),
            day in 0_i64..20_000,
            hour in 0..24,
        ) {
            let cron = Cron::read(&format!("30 {hour} * * *")).unwrap();
            // Whole days have been left out there.
            prop_assume!(zone != "Pacific/Apia");
            let zone = TimeZone::get(zone).unwrap();
            let mut at = Timestamp::from_micros(day * 86_400_000_000);
            let mut days = Vec::new();
            for _ in 0..5 {
                let next = next_after(&cron, &zone, at).unwrap();
                prop_assert!(next > at);
                at = next;
                days.push(zone.to_datetime(Instant::from_microsecond(at.as_micros()).unwrap()).date());
            }
            prop_assert!(days.windows(2).all(|pair| pair[0] < pair[1]), "{days:?}");
        }
    }
}
