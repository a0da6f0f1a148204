//! Before the collection of metrics: passes on what is counted, so many times or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

static TIMES: AtomicU32 = AtomicU32::new(1);

/// As long as it lives, everything is collected so many times.
#[derive(Debug)]
pub(crate) struct Switch(());

impl Switch {
    pub(crate) fn to(times: u32) -> Self {
        TIMES.store(times, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        TIMES.store(1, Ordering::Relaxed);
    }
}

/// What collects, behind the switch.
pub(crate) struct Switched<R>(pub(crate) R);

/// One handle of it.
struct Handle<H>(H);

impl<H> Handle<H> {
    fn each(&self, tell: impl Fn(&H)) {
        (0..TIMES.load(Ordering::Relaxed)).for_each(|_| tell(&self.0));
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
        Counter::from_arc(Arc::new(Handle(self.0.register_counter(key, metadata))))
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(Handle(self.0.register_gauge(key, metadata))))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Handle(self.0.register_histogram(key, metadata))))
    }
}

impl CounterFn for Handle<Counter> {
    fn increment(&self, by: u64) {
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
