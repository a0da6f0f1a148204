//! One attempt of a step: a store of its own, made and dropped with it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wasmtime::Store;
use wasmtime_wasi::{FsPerms, WasiCtx};

use super::egress::Egress;
use super::{Equipment, Step};
use crate::model::{Ending, Failure, Mode, Outcome, StepCall, StepReport, StepUsage, kind};
use crate::sandbox::fault::{self, Budget, Fault};
use crate::sandbox::guest::{self, Granted, Guest};
use crate::sandbox::{Module, Overheard, Sandbox, SandboxError, Shared, words};

/// Fuel of `describe`: it writes one document.
const DESCRIBE_FUEL: u64 = 200_000_000;
/// Wall clock of `describe`.
const DESCRIBE_TIME_MAX: Duration = Duration::from_secs(10);

/// Runs an attempt to its end, to its time-out, or until it is stopped.
pub(in crate::sandbox) async fn run(
    sandbox: Sandbox,
    module: Module,
    (call, overheard): (StepCall, Overheard),
    stop: CancellationToken,
) -> StepReport {
    let shared = sandbox.shared();
    let began = shared.clock.monotonic();
    let time_max = call.timeout;
    let granted = match granted(shared, &module, &call) {
        Ok(granted) => granted,
        Err(ending) => return unbegun(ending),
    };
    let world = Step { call: Some(call), heartbeat: None };
    let guest = Guest::with(world, shared.limits.step_fuel, shared, granted);
    overheard.listen(guest.shared_notebook());
    let mut store = match guest::store(&shared.engine, guest) {
        Ok(store) => store,
        Err(error) => return unmade(&SandboxError::set_up("a store", error)),
    };
    let attempt = AssertUnwindSafe(run_step(&mut store, &module)).catch_unwind();
    let ended = tokio::select! {
        biased;
        () = stop.cancelled() => None,
        ended = timeout(time_max, attempt) => Some(ended),
    };
    let ending = match ended {
        None => Ending::Stopped,
        Some(Err(_late)) => Ending::Returned(Err(late(time_max))),
        Some(Ok(Ok(Ok(outcome)))) => Ending::Returned(outcome),
        Some(Ok(Ok(Err(error)))) => blamed(error, &store),
        Some(Ok(Err(_panic))) => {
            tracing::error!("A panic of this host was caught while it ran a step");
            Ending::Stopped
        }
    };
    let ending = match (ending, module.equipment()) {
        (Ending::Returned(Err(failure)), Some(equipment)) => {
            Ending::Returned(Err(equipment.explain(failure)))
        }
        (ending, _) => ending,
    };
    report(store, ending, shared.clock.monotonic().saturating_sub(began))
}

/// What an attempt is given of the world. For most modules that is nothing, and costs nothing.
fn granted(shared: &Shared, module: &Module, call: &StepCall) -> Result<Granted, Ending> {
    let Some(equipment) = module.equipment() else { return Ok(Granted::default()) };
    let mut wasi = WasiCtx::builder();
    for folder in &equipment.dirs {
        let perms = match folder.mode {
            Mode::ReadOnly => FsPerms::ReadOnly,
            Mode::ReadWrite => FsPerms::ReadWrite,
        };
        wasi.preopened_dir(&folder.path, &folder.seen_as, perms).map_err(|error| {
            let why = error.root_cause().to_string();
            Ending::Returned(Err(Equipment::without_folder(&folder.seen_as, &why)))
        })?;
    }
    for (name, value) in &equipment.env {
        wasi.env(name.as_str(), value);
    }
    let Some(links) = shared.outside.links() else {
        return Ok(Granted { wasi, egress: Egress::default() });
    };
    let egress = Egress::of(links, equipment, call).map_err(|error| {
        tracing::error!(cause = %error, "This machine has no randomness");
        Ending::Stopped
    })?;
    for (name, placeholder) in egress.placeholders() {
        wasi.env(name.as_str(), placeholder);
    }
    Ok(Granted { wasi, egress })
}

async fn run_step(store: &mut Store<Guest<Step>>, module: &Module) -> wasmtime::Result<Outcome> {
    let Some(call) = store.data().world.call.as_ref() else {
        wasmtime::bail!("an attempt has a call");
    };
    let (step, input) = (call.step.as_str().to_owned(), call.input.as_str().to_owned());
    let instance = module.step().instantiate_async(&mut *store).await?;
    let guest = instance.stepwell_workflow_guest();
    let outcome = guest.call_run_step(&mut *store, &step, &input).await?;
    Ok(words::returned(outcome, store.data().payload_bytes_max))
}

fn blamed(error: wasmtime::Error, store: &Store<Guest<Step>>) -> Ending {
    match fault::blame(error, store, Budget::Attempt) {
        Fault::Failed(failure) => Ending::Returned(Err(failure)),
        Fault::Host(error) => {
            tracing::error!(cause = %error, "This host could not run a step");
            Ending::Stopped
        }
        // Both are verdicts on workflows, which no import of a step gives.
        Fault::Diverged(_) | Fault::Abandoned => Ending::Stopped,
    }
}

fn late(time_max: Duration) -> Failure {
    let millis = time_max.as_millis();
    let what = format!(
        "the attempt took longer than its timeout of {millis} ms: raise the step's timeout, or split the work"
    );
    Failure::new(kind::DEADLINE_EXCEEDED, what)
}

fn report(mut store: Store<Guest<Step>>, ending: Ending, took: Duration) -> StepReport {
    let left = store.get_fuel().unwrap_or(0);
    let guest = store.data_mut();
    let usage = StepUsage {
        fuel: guest.meter.used(left),
        memory_peak_bytes: guest.bounds.memory_peak_bytes(),
        duration_micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
    };
    let notes = guest.notebook().take_last();
    StepReport { ending, usage, notes, heartbeat: guest.world.heartbeat.take() }
}

/// The report of an attempt that this host could not even begin: it says nothing about the step.
pub(in crate::sandbox) fn unmade(error: &SandboxError) -> StepReport {
    tracing::error!(cause = %error, "This host could not run a step");
    unbegun(Ending::Stopped)
}

/// The report of an attempt whose guest did not run.
fn unbegun(ending: Ending) -> StepReport {
    StepReport { ending, usage: StepUsage::default(), notes: Vec::new(), heartbeat: None }
}

/// Has a module describe itself, with little fuel and no context.
pub(in crate::sandbox) async fn describe(
    sandbox: Sandbox,
    module: Module,
) -> Result<String, Fault> {
    let shared = sandbox.shared();
    let host = |error| Fault::Host(SandboxError::set_up("a store", error));
    let world = Step { call: None, heartbeat: None };
    let guest = Guest::new(world, DESCRIBE_FUEL, shared);
    let mut store = guest::store(&shared.engine, guest).map_err(host)?;
    let described = timeout(DESCRIBE_TIME_MAX, async {
        let instance = module.step().instantiate_async(&mut store).await?;
        instance.stepwell_workflow_guest().call_describe(&mut store).await
    });
    match described.await {
        Ok(Ok(json)) => Ok(json),
        Ok(Err(error)) => Err(fault::blame(error, &store, Budget::Attempt)),
        Err(_late) => Err(Fault::Failed(late(DESCRIBE_TIME_MAX))),
    }
}
