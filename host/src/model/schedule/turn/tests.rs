use super::*;
use proptest::prelude::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn name() -> Name {
    Name::new("each").unwrap()
}

/// Fires every ten seconds.
fn spec(overlap: &str) -> ScheduleSpec {
    let json = format!(r#"{{"every":"10s","workflow":"w","overlap":"{overlap}","catch_up":"1m"}}"#);
    serde_json::from_str(&json).unwrap()
}

fn id(number: i64) -> ExecutionId {
    ExecutionId::of_firing(&name(), at(number))
}

/// A schedule that is looked at now and then, as a host does.
struct Life {
    spec: ScheduleSpec,
    progress: Progress,
    next_at: Option<Timestamp>,
    over: HashSet<ExecutionId>,
}

impl Life {
    fn of(spec: ScheduleSpec) -> Self {
        let next_at = spec.next_after(at(0));
        Self { spec, progress: Progress::default(), next_at, over: HashSet::new() }
    }

    fn look(&mut self, now: i64) -> Turn {
        let (spec, name) = (&self.spec, name());
        let due = Due { name: &name, spec, next_at: self.next_at, now: at(now), over: &self.over };
        let turn = turn(&due, &mut self.progress);
        self.next_at = turn.next_at;
        for start in &turn.starts {
            let execution = ExecutionId::of_firing(&name, *start);
            self.progress.started(Firing { at: *start, started_at: at(now), execution });
        }
        turn
    }

    fn starts(&mut self, now: i64) -> Vec<i64> {
        self.look(now).starts.iter().map(|start| start.as_micros() / 1_000_000).collect()
    }
}

#[test]
fn nothing_fires_early() {
    let mut life = Life::of(spec("allow"));

    assert_eq!(life.starts(9), [0; 0]);
    assert_eq!(life.starts(10), [10]);
    assert_eq!(life.starts(10), [0; 0]);
    assert_eq!(life.next_at, Some(at(20)));
}

#[test]
fn late_firings_within_the_window_fire_oldest_first_and_the_rest_is_missed() {
    let mut life = Life::of(spec("allow"));

    assert_eq!(life.starts(100), [40, 50, 60, 70, 80, 90, 100]);

    let missed = life.progress.last_missed.unwrap();
    assert_eq!(missed.first, at(10));
    assert!(missed.until >= at(30) && missed.until < at(40), "{missed:?}");
}

#[test]
fn no_more_than_a_hundred_are_made_up_for() {
    let long = ScheduleSpec { catch_up: Duration::from_hours(2), ..spec("allow") };
    let mut life = Life::of(long);

    let starts = life.starts(7_000);

    assert_eq!((starts.len(), starts[0], starts[99]), (100, 10, 1_000));
    assert_eq!(life.next_at, Some(at(7_010)));
    assert_eq!(life.progress.last_missed, Some(Missed { first: at(1_010), until: at(7_000) }));
}

#[test]
fn a_firing_is_left_out_while_the_one_before_runs() {
    let mut life = Life::of(spec("skip"));

    assert_eq!(life.starts(10), [10]);
    assert_eq!(life.starts(20), [0; 0]);
    life.over.insert(id(10));
    assert_eq!(life.starts(30), [30]);
    assert_eq!(life.progress.skipped, 1);
}

#[test]
fn of_several_that_come_at_once_the_oldest_begins_and_the_others_are_left_out() {
    let mut life = Life::of(spec("skip"));

    assert_eq!(life.starts(35), [10]);
    assert_eq!(life.progress.skipped, 2);
}

#[test]
fn queued_firings_begin_one_after_the_other() {
    let mut life = Life::of(spec("queue"));

    assert_eq!(life.starts(30), [10]);
    let again = life.look(31);
    assert!(again.starts.is_empty());
    assert_eq!(again.due_at, Some(at(32)));
    life.over.insert(id(10));
    assert_eq!(life.starts(32), [20]);
    life.over.insert(id(20));
    let last = life.look(33);
    assert_eq!((last.starts, last.due_at), (vec![at(30)], Some(at(40))));
}

#[test]
fn no_more_than_a_hundred_are_queued() {
    let mut life = Life::of(spec("queue"));

    (1..=150).for_each(|round| drop(life.look(10 * round)));

    assert_eq!(life.progress.queued.len(), Progress::QUEUED_MAX);
    assert_eq!((life.progress.queued[0], life.progress.skipped), (at(20), 49));
}

#[test]
fn the_one_before_is_cancelled_and_only_the_last_of_several_begins() {
    let mut life = Life::of(spec("cancel_previous"));

    assert_eq!(life.look(10).cancels, []);
    let turn = life.look(30);

    assert_eq!((turn.cancels, turn.starts), (vec![id(10)], vec![at(30)]));
    assert_eq!(life.progress.running, [id(30)]);
    assert_eq!(life.progress.skipped, 1);
}

#[test]
fn what_was_queued_under_another_policy_does_not_begin_any_more() {
    let mut life = Life::of(spec("queue"));
    life.look(30);

    life.spec = spec("skip");
    let turn = life.look(31);

    assert_eq!((turn.starts, turn.due_at), (Vec::new(), Some(at(40))));
    assert_eq!((life.progress.queued.len(), life.progress.skipped), (0, 2));
}

#[test]
fn what_it_remembers_is_read_back() {
    let mut life = Life::of(spec("queue"));
    life.look(40);
    life.progress.could_not(at(50), Failure::new("unknown-workflow", "w"));

    let json = serde_json::to_string(&life.progress).unwrap();

    assert_eq!(serde_json::from_str::<Progress>(&json).unwrap(), life.progress);
    assert_eq!(serde_json::from_str::<Progress>("{}").unwrap(), Progress::default());
}

fn policies() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["skip", "queue", "cancel_previous", "allow"])
}

proptest! {
    /// Whenever hosts look, and however long: no firing is early, none twice, all go forward, and each is accounted for.
    #[test]
    fn each_firing_happens_at_most_once_in_order_and_never_early(
        overlap in policies(),
        looks in prop::collection::vec((0_i64..90, any::<bool>()), 1..40),
    ) {
        let mut life = Life::of(spec(overlap));
        let (mut now, mut before, mut started) = (0, 0, 0_u64);
        for (pause, ends) in looks {
            now += pause;
            if ends {
                life.over.extend(life.progress.running.iter().copied());
            }
            for start in life.starts(now) {
                prop_assert!(start <= now && start > before && start % 10 == 0);
                (before, started) = (start, started + 1);
            }
            prop_assert!(life.next_at.unwrap() > at(now));
            if overlap != "allow" {
                prop_assert!(life.progress.running.len() <= 1);
            }
        }
        prop_assert_eq!(life.progress.fired, started);
        let due = u64::try_from(now / 10).unwrap();
        let queued = count(life.progress.queued.len());
        let told = started + life.progress.skipped + queued;
        prop_assert!(told <= due);
        prop_assert!(told == due || life.progress.last_missed.is_some());
    }
}
