//! Before the collection of metrics: passes on what is counted, so many times or not at all, and looks at how long that takes.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use stepwell::model::metric;

use crate::stopwatch::Stopwatch;

static TIMES: AtomicU32 = AtomicU32::new(1);
/// Stands for once, and looked at.
const TIMED: u32 = u32::MAX;
/// What was looked at, and how long it took in nanoseconds.
static TIMED_CALLS: AtomicUsize = AtomicUsize::new(0);
static TIMED_NANOS: AtomicU64 = AtomicU64::new(0);
/// Nothing that is counted takes so long: the thread was made to wait, and that is not what counting costs.
const CALL_MAX: Duration = Duration::from_micros(20);
/// Attempts of steps that have brought a result, collected or not.
static STEPS: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn steps() -> usize {
    STEPS.load(Ordering::Relaxed)
}

/// As long as it lives, everything is collected so many times.
#[derive(Debug)]
pub(crate) struct Switch(());

impl Switch {
    pub(crate) fn to(times: u32) -> Self {
        TIMES.store(times, Ordering::Relaxed);
        Self(())
    }

    /// As long as it lives, it is looked at how long it takes to have something counted.
    pub(crate) fn timed() -> Self {
        Self::to(TIMED)
    }
}

/// What was looked at since the last time: how many calls, and how long all of them took, without the looking.
pub(crate) fn looked_at() -> (usize, Duration) {
    let calls = TIMED_CALLS.swap(0, Ordering::Relaxed);
    let nanos = TIMED_NANOS.swap(0, Ordering::Relaxed);
    let looking = looking() * u32::try_from(calls).unwrap_or(u32::MAX);
    (calls, Duration::from_nanos(nanos).saturating_sub(looking))
}

/// How long it takes to look at nothing.
fn looking() -> Duration {
    const LOOKS: u32 = 100_000;
    let looks = (0..LOOKS).map(|_| black_box(Stopwatch::start()).elapsed().min(CALL_MAX));
    looks.sum::<Duration>() / LOOKS
}

impl Drop for Switch {
    fn drop(&mut self) {
        TIMES.store(1, Ordering::Relaxed);
    }
}

/// What collects, behind the switch.
pub(crate) struct Switched<R>(pub(crate) R);

/// One handle of it.
struct Handle<H> {
    inner: H,
    /// Whether it counts the steps.
    is_of_steps: bool,
}

impl<H> Handle<H> {
    fn of(key: &Key, inner: H) -> Arc<Self> {
        Arc::new(Self { inner, is_of_steps: key.name() == metric::TASKS_COMPLETED.name })
    }

    fn each(&self, tell: impl Fn(&H)) {
        match TIMES.load(Ordering::Relaxed) {
            TIMED => self.timed(tell),
            times => (0..times).for_each(|_| tell(&self.inner)),
        }
    }

    fn timed(&self, tell: impl Fn(&H)) {
        let watch = Stopwatch::start();
        tell(&self.inner);
        let nanos = watch.elapsed().min(CALL_MAX).as_nanos();
        TIMED_CALLS.fetch_add(1, Ordering::Relaxed);
        TIMED_NANOS.fetch_add(u64::try_from(nanos).unwrap_or_default(), Ordering::Relaxed);
    }
}

impl<R: Recorder> Recorder for Switched<R> {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.0.describe_counter(name, unit, help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.0.describe_gauge(name, unit, help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.0.describe_histogram(name, unit, help);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        Counter::from_arc(Handle::of(key, self.0.register_counter(key, metadata)))
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Handle::of(key, self.0.register_gauge(key, metadata)))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Handle::of(key, self.0.register_histogram(key, metadata)))
    }
}

impl CounterFn for Handle<Counter> {
    fn increment(&self, by: u64) {
        if self.is_of_steps {
            STEPS.fetch_add(1, Ordering::Relaxed);
        }
        self.each(|counter| counter.increment(by));
    }

    fn absolute(&self, to: u64) {
        self.each(|counter| counter.absolute(to));
    }
}

impl GaugeFn for Handle<Gauge> {
    fn increment(&self, by: f64) {
        self.each(|gauge| gauge.increment(by));
    }

    fn decrement(&self, by: f64) {
        self.each(|gauge| gauge.decrement(by));
    }

    fn set(&self, to: f64) {
        self.each(|gauge| gauge.set(to));
    }
}

impl HistogramFn for Handle<Histogram> {
    fn record(&self, value: f64) {
        self.each(|histogram| histogram.record(value));
    }
}
