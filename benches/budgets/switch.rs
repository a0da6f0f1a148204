//! Before the collection of metrics: passes on what is counted, or drops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

static IS_OFF: AtomicBool = AtomicBool::new(false);

/// As long as it lives, nothing is collected.
#[derive(Debug)]
pub(crate) struct SwitchedOff(());

impl SwitchedOff {
    pub(crate) fn new() -> Self {
        IS_OFF.store(true, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for SwitchedOff {
    fn drop(&mut self) {
        IS_OFF.store(false, Ordering::Relaxed);
    }
}

/// What collects, behind the switch.
pub(crate) struct Switched<R>(pub(crate) R);

/// One handle of it.
struct Handle<H>(H);

impl<H> Handle<H> {
    fn open(&self) -> Option<&H> {
        (!IS_OFF.load(Ordering::Relaxed)).then_some(&self.0)
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
        self.open().inspect(|counter| counter.increment(by));
    }

    fn absolute(&self, to: u64) {
        self.open().inspect(|counter| counter.absolute(to));
    }
}

impl GaugeFn for Handle<Gauge> {
    fn increment(&self, by: f64) {
        self.open().inspect(|gauge| gauge.increment(by));
    }

    fn decrement(&self, by: f64) {
        self.open().inspect(|gauge| gauge.decrement(by));
    }

    fn set(&self, to: f64) {
        self.open().inspect(|gauge| gauge.set(to));
    }
}

impl HistogramFn for Handle<Histogram> {
    fn record(&self, value: f64) {
        self.open().inspect(|histogram| histogram.record(value));
    }
}
