//! A guest: what a store holds for one instance, and how a store is made.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::Shared;
use super::limits::Bounds;
use super::meter::{self, Meter};
use super::notebook::{Notebook, Stream};
use super::stdio::Printer;
use super::step::egress::Egress;
use crate::journal::Divergence;
use crate::model::Failure;

/// Handles to resources that one instance may hold.
const HANDLES_MAX: usize = 4_096;
/// WASI resources that one instance may hold.
const RESOURCES_MAX: usize = 1_024;
/// What copying the structure of arguments may cost beside their bytes.
const CROSSING_SLACK_BYTES: usize = 1 << 20;
/// The most bytes that one call of the host may carry: `call-many` is allowed so much.
pub(super) const CALL_BYTES_MAX: usize = 8 << 20;

/// The T of every `Store<T>`; `W` is what only workflows, or only steps, have.
pub(super) struct Guest<W> {
    pub(super) world: W,
    pub(super) meter: Meter,
    pub(super) bounds: Bounds,
    /// The longest payload, in bytes.
    pub(super) payload_bytes_max: usize,
    notebook: Arc<Mutex<Notebook>>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    egress: Egress,
    table: ResourceTable,
}

impl<W> Guest<W> {
    /// A guest with `fuel` units that nothing is granted to.
    pub(super) fn new(world: W, fuel: u64, shared: &Shared) -> Self {
        Self::with(world, fuel, shared, Granted::default())
    }

    /// A guest that has something of the world.
    pub(super) fn with(world: W, fuel: u64, shared: &Shared, granted: Granted) -> Self {
        let (limits, clock) = (&shared.limits, Arc::clone(&shared.clock));
        let notebook = Arc::new(Mutex::new(Notebook::new(limits, clock)));
        let Granted { mut wasi, egress } = granted;
        let mut meter = Meter::new(fuel);
        egress.crossed().into_iter().for_each(|crossed| meter.charge_for(crossed));
        wasi.stdout(Printer::new(Arc::clone(&notebook), Stream::Out))
            .stderr(Printer::new(Arc::clone(&notebook), Stream::Err))
            .max_random_size(64 << 10)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        let mut table = ResourceTable::with_capacity(0);
        table.set_max_capacity(RESOURCES_MAX);
        Self {
            world,
            meter,
            bounds: Bounds::new(limits),
            payload_bytes_max: limits.payload_bytes_max,
            notebook,
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            egress,
            table,
        }
    }

    /// What the guest said. Held for a moment and never across a wait.
    pub(super) fn shared_notebook(&self) -> &Arc<Mutex<Notebook>> {
        &self.notebook
    }

    pub(super) fn notebook(&self) -> MutexGuard<'_, Notebook> {
        self.notebook.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Send> WasiView for Guest<W> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl<W: Send> WasiHttpView for Guest<W> {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.egress }
    }
}

/// What a guest is given of the world.
pub(super) struct Granted {
    /// With its directories and variables.
    pub(super) wasi: WasiCtxBuilder,
    pub(super) egress: Egress,
}

impl Default for Granted {
    fn default() -> Self {
        Self { wasi: WasiCtx::builder(), egress: Egress::default() }
    }
}

/// A store for one instance, never for a second one.
pub(super) fn store<W: Send + 'static>(
    engine: &Engine,
    guest: Guest<W>,
) -> wasmtime::Result<Store<Guest<W>>> {
    let fuel = guest.meter.budget();
    let crossing = CALL_BYTES_MAX.max(guest.payload_bytes_max) + CROSSING_SLACK_BYTES;
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| &mut guest.bounds);
    store.call_hook(meter::on_crossing);
    // Before anything runs: start functions are metered too.
    store.set_fuel(fuel)?;
    store.fuel_async_yield_interval(Some(meter::YIELD_EVERY))?;
    store.set_hostcall_fuel(crossing);
    store.set_max_component_handles(HANDLES_MAX);
    Ok(store)
}

/// What a host function ends the guest with. It travels through the guest's stack as a trap.
#[derive(Debug, thiserror::Error)]
pub(super) enum Verdict {
    /// The guest did what it may not do.
    #[error("{0}")]
    Failed(Failure),
    /// The workflow did something else than its journal says.
    #[error(transparent)]
    Diverged(Divergence),
    /// Nobody waits for the guest any more.
    #[error("nobody waits for this guest any more")]
    Abandoned,
}

impl Verdict {
    /// A failure of that kind.
    pub(super) fn failed(kind: &'static str, message: impl Into<String>) -> wasmtime::Error {
        Self::Failed(Failure::new(kind, message)).into()
    }
}
