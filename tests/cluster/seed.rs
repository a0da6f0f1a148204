//! What hosts have compiled before, made once and copied for each: a host of a storm is to begin at once.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stepwell::model::{Limits, SystemClock};
use stepwell::sandbox::{OutsideConfig, Sandbox, SandboxConfig};
use stepwell_test_witness::guests;
use tokio::sync::OnceCell;

/// The modules that storms need.
pub(crate) const DEPLOYED: [&str; 2] = ["misbehaving", "fan_out"];

/// The program that hosts are.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_stepwell");

/// The folder, and the lock that keeps another process of tests from making it anew meanwhile.
struct Seed {
    folder: PathBuf,
    _lock: File,
}

static SEED: OnceCell<Seed> = OnceCell::const_new();

/// Copies what was compiled to a folder that is not there yet.
pub(crate) async fn copy_to(folder: &Path) {
    let seed = SEED.get_or_init(make).await;
    fs::create_dir_all(folder).unwrap();
    for entry in fs::read_dir(&seed.folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
}

async fn make() -> Seed {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster-seed");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let limits = Limits { hot_max: 8, activations_max: 8, ..Limits::for_cores(1) };
    let config = SandboxConfig {
        cache_dir: folder.clone(),
        compiler: PROGRAM.into(),
        guest_threads: 1,
        outside: OutsideConfig::default(),
    };
    let sandbox = Sandbox::new(config, &limits, Arc::new(SystemClock::new())).unwrap();
    for name in DEPLOYED {
        sandbox.admit(&guests::wasm(name)).await.unwrap();
    }
    Seed { folder, _lock: lock }
}
