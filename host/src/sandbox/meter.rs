//! Fuel: the only meter of computation, what the host's own functions cost, and the budget of a segment.
//!
//! The engine charges a unit for each instruction. A call of the host does far more work than its few instructions, so each
//! call is charged here, in the store's call hook, whichever function it is; what a function does for each byte or command
//! it charges itself through [`Meter::charge`]. What is owed is paid in slices, because every payment begins the interval
//! after which a guest yields anew: paying at each call would let a guest that calls often enough never yield.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::{CallHook, StoreContextMut, Trap};

use super::guest::Guest;

/// Units between two yields to the other guests of the thread: about 0.1 ms.
pub(super) const YIELD_EVERY: u64 = 100_000;

/// What one call of the host costs.
const CALL_FUEL: u64 = 1_000;

/// The fuel of one guest.
#[derive(Debug)]
pub(super) struct Meter {
    /// What the current segment began with.
    budget: u64,
    /// What earlier segments used.
    used_before: u64,
    /// What was charged and not yet taken from the store's fuel.
    owed: u64,
    /// The budget of the next segment, which begins when the host returns to the guest.
    refill: Option<u64>,
    /// The interval was cut short so that the guest yields at once.
    hurried: bool,
    /// Bytes that have crossed outside any call, and are charged at the next one.
    crossed: Option<Arc<AtomicU64>>,
}

impl Meter {
    /// A meter for a store that is given `budget` units.
    pub(super) fn new(budget: u64) -> Self {
        Self { budget, used_before: 0, owed: 0, refill: None, hurried: false, crossed: None }
    }

    /// Charges work that a host function does beyond being called.
    pub(super) fn charge(&mut self, units: u64) {
        self.owed = self.owed.saturating_add(units);
    }

    /// Has what is counted there charged too, a unit for a byte.
    pub(super) fn charge_for(&mut self, crossed: Arc<AtomicU64>) {
        self.crossed = Some(crossed);
    }

    /// Begins a new segment with `budget` units once the host returns to the guest.
    pub(super) fn begin_segment(&mut self, budget: u64) {
        self.refill = Some(budget);
    }

    /// What the current segment began with.
    pub(super) fn budget(&self) -> u64 {
        self.budget
    }

    /// Everything that was used so far, where `left` is in the store.
    pub(super) fn used(&self, left: u64) -> u64 {
        self.used_before + self.segment_used(left)
    }

    fn segment_used(&self, left: u64) -> u64 {
        self.budget.min(self.budget.saturating_sub(left).saturating_add(self.owed))
    }
}

/// The call hook of every store.
pub(super) fn on_crossing<W: 'static>(
    mut store: StoreContextMut<'_, Guest<W>>,
    crossing: CallHook,
) -> wasmtime::Result<()> {
    match crossing {
        CallHook::CallingHost => enter_host(&mut store),
        CallHook::ReturningFromHost => leave_host(&mut store),
        CallHook::CallingWasm | CallHook::ReturningFromWasm => Ok(()),
    }
}

fn enter_host<W>(store: &mut StoreContextMut<'_, Guest<W>>) -> wasmtime::Result<()> {
    let meter = &mut store.data_mut().meter;
    let crossed = meter.crossed.as_ref().map_or(0, |crossed| crossed.swap(0, Ordering::Relaxed));
    meter.charge(CALL_FUEL + crossed);
    if meter.hurried {
        meter.hurried = false;
        let left = store.get_fuel()?;
        store.fuel_async_yield_interval(Some(YIELD_EVERY))?;
        store.set_fuel(left)?;
    }
    Ok(())
}

fn leave_host<W>(store: &mut StoreContextMut<'_, Guest<W>>) -> wasmtime::Result<()> {
    let left = store.get_fuel()?;
    let meter = &mut store.data_mut().meter;
    if let Some(budget) = meter.refill.take() {
        meter.used_before += meter.segment_used(left);
        meter.owed = 0;
        meter.budget = budget;
        return store.set_fuel(budget);
    }
    if meter.owed < YIELD_EVERY {
        return Ok(());
    }
    let owed = std::mem::take(&mut meter.owed);
    let Some(left) = left.checked_sub(owed) else {
        store.set_fuel(0)?;
        return Err(Trap::OutOfFuel.into());
    };
    // A slice of work was done for the guest: it yields at its next instruction that looks at the fuel.
    store.data_mut().meter.hurried = true;
    store.fuel_async_yield_interval(Some(1))?;
    store.set_fuel(left)
}
