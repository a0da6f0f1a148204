//! The sandbox that the tests share, and calls of steps in it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use stepwell::model::{
    ExecutionId, Failure, Limits, Name, Payload, Promise, Run, StepCall, StepReport, SystemClock,
    Timestamp,
};
use stepwell::sandbox::{Module, OutsideConfig, Sandbox, SandboxConfig};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

/// A sandbox in a folder.
pub(crate) fn sandbox_in(folder: &Path, limits: &Limits) -> Sandbox {
    let config = SandboxConfig {
        cache_dir: folder.to_owned(),
        compiler: env!("CARGO_BIN_EXE_stepwell").into(),
        guest_threads: 2,
        outside: OutsideConfig::default(),
    };
    Sandbox::new(config, limits, Arc::new(SystemClock::new())).unwrap()
}

/// Limits that tests reach soon.
pub(crate) fn limits() -> Limits {
    Limits {
        hot_max: 32,
        activations_max: 32,
        step_fuel: 2_000_000_000,
        segment_fuel: 500_000_000,
        ..Limits::for_cores(2)
    }
}

/// The one that most tests share.
pub(crate) fn sandbox() -> &'static Sandbox {
    static SHARED: OnceLock<Sandbox> = OnceLock::new();
    SHARED.get_or_init(|| {
        sandbox_in(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("artefacts"), &limits())
    })
}

/// The bytes of a module of `examples/`.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../target/guests/wasm32-wasip2/release")
        .join(name)
        .with_extension("wasm");
    std::fs::read(&built)
        .unwrap_or_else(|error| panic!("{}: {error}; run `make guests`", built.display()))
}

/// The module that breaks every rule.
pub(crate) async fn misbehaving() -> &'static Module {
    static ADMITTED: OnceCell<Module> = OnceCell::const_new();
    ADMITTED
        .get_or_init(|| async {
            let (digest, _manifest) = sandbox().admit(&guest("misbehaving")).await.unwrap();
            sandbox().loaded(digest).unwrap()
        })
        .await
}

/// A call of a step of it.
pub(crate) fn call(step: &str, input: &str) -> StepCall {
    StepCall {
        execution: ExecutionId::from_bytes([7; 16]),
        run: Run(0),
        workflow: Name::new("w").unwrap(),
        promise: Promise(3),
        step: Name::new(step).unwrap(),
        input: Payload::new(input.to_owned(), 1 << 20).unwrap(),
        attempt: 1,
        timeout: Duration::from_secs(60),
        deadline: Timestamp::from_micros(1_700_000_000_000_000),
        last_heartbeat: None,
        trace: stepwell::model::Trace::of(ExecutionId::from_bytes([7; 16]), None),
    }
}

/// Runs it to its end.
pub(crate) async fn run_step(call: StepCall) -> StepReport {
    let module = misbehaving().await;
    sandbox().run_step(module, call, CancellationToken::new()).await
}

/// The failure that a report holds.
pub(crate) fn failure(report: &StepReport) -> &Failure {
    report.ending.failure().unwrap_or_else(|| panic!("no failure: {:?}", report.ending))
}
