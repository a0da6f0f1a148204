//! One attempt of a step: a store of its own, made and dropped with it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wasmtime::Store;

use super::Step;
use crate::model::{Ending, Failure, Outcome, StepCall, StepReport, StepUsage, kind};
use crate::sandbox::fault::{self, Budget, Fault};
use crate::sandbox::guest::{self, Guest};
use crate::sandbox::{Module, Sandbox, SandboxError, words};

/// Fuel of `describe`: it writes one document.
const DESCRIBE_FUEL: u64 = 200_000_000;
/// Wall clock of `describe`.
const DESCRIBE_TIME_MAX: Duration = Duration::from_secs(10);

/// Runs an attempt to its end, to its time-out, or until it is stopped.
pub(in crate::sandbox) async fn run(
    sandbox: Sandbox,
    module: Module,
    call: StepCall,
    stop: CancellationToken,
) -> StepReport {
    let shared = sandbox.shared();
    let began = shared.clock.monotonic();
    let time_max = call.timeout;
    let world = Step { call: Some(call), heartbeat: None };
    let guest = Guest::new(world, shared.limits.step_fuel, shared);
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
    report(store, ending, shared.clock.monotonic().saturating_sub(began))
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
    StepReport {
        ending: Ending::Stopped,
        usage: StepUsage::default(),
        notes: Vec::new(),
        heartbeat: None,
    }
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
