//! Loading a module: its bytes, compiled in this process, and what they declare.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::executor::block_on;
use stepwell::model::{Limits, Manifest, Reach};
use stepwell::sandbox::{AdmitError, Module, OutsideConfig, Sandbox, SandboxConfig, SandboxError};
use tempfile::TempDir;

use crate::clock::VirtualClock;

/// Instances that are kept in memory while they wait; of more, those that have waited longest are replayed when needed.
pub(crate) const HOT_MAX: usize = 128;

/// Why there is no test host of a module.
#[derive(thiserror::Error)]
pub enum LoadError {
    /// It was not built, or elsewhere.
    #[error(
        "{} is not there: build the module with `cargo build --release --target wasm32-wasip2`, and give the path from the \
         folder of the package that is tested (its folder is where `cargo test` runs)",
        .path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// It is there and cannot be read.
    #[error("{} cannot be read", .path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A host would refuse it too.
    #[error("a host would refuse this module: {}", chain(.0))]
    Refused(#[source] AdmitError),
    /// The sandbox cannot be set up on this machine.
    #[error("the sandbox cannot be set up: {}", chain(.0))]
    Sandbox(#[source] SandboxError),
    /// The folder for compiled modules cannot be used.
    #[error("the folder for compiled modules cannot be used")]
    Cache(#[source] io::Error),
}

/// What tests print when they unwrap it: the sentence, and not the fields.
impl fmt::Debug for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}

/// A module that is ready to run, and all that runs it.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) module: Module,
    pub(crate) manifest: Manifest,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<VirtualClock>,
    /// Where compiled code is kept for this process alone.
    _cache: Option<TempDir>,
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("module", &self.module).finish_non_exhaustive()
    }
}

impl Stage {
    /// A module of a file. What is compiled is kept beside it, so that the next test need not compile it again.
    pub(crate) fn load(path: &Path) -> Result<Self, LoadError> {
        let wasm = fs::read(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => LoadError::Missing { path: path.to_owned() },
            _ => LoadError::Unreadable { path: path.to_owned(), source },
        })?;
        let beside = path.parent().unwrap_or(Path::new(".")).join("stepwell-testing");
        Self::build(&wasm, &beside, None)
    }

    /// A module by its bytes.
    pub(crate) fn of(wasm: &[u8]) -> Result<Self, LoadError> {
        let cache = TempDir::with_prefix("stepwell-testing-").map_err(LoadError::Cache)?;
        let folder = cache.path().to_owned();
        Self::build(wasm, &folder, Some(cache))
    }

    fn build(wasm: &[u8], folder: &Path, cache: Option<TempDir>) -> Result<Self, LoadError> {
        let limits = Limits {
            hot_max: 2 * HOT_MAX,
            activations_max: 2 * HOT_MAX,
            max_concurrency: 8,
            ..Limits::for_cores(1)
        };
        let clock = Arc::new(VirtualClock::new());
        let config = SandboxConfig {
            cache_dir: folder.to_owned(),
            // Never run: what this process needs compiled it compiles itself.
            compiler: PathBuf::new(),
            guest_threads: 1,
            // Steps that reach for the world are replaced.
            outside: OutsideConfig::default(),
        };
        // One process at a time, for others may run tests of the same module.
        fs::create_dir_all(folder).map_err(LoadError::Cache)?;
        let lock = File::create(folder.join("lock")).map_err(LoadError::Cache)?;
        lock.lock().map_err(LoadError::Cache)?;
        let sandbox = Sandbox::new(config, &limits, Arc::clone(&clock) as _);
        let sandbox = sandbox.map_err(LoadError::Sandbox)?;
        let admitted = block_on(sandbox.admit_here(wasm));
        let (module, manifest) = admitted.map_err(LoadError::Refused)?;
        // Nothing is granted, and a step that wants something is told so as on a host.
        let wants = Reach::read_kept(&manifest.capabilities);
        let equipment = sandbox.equip(&[], &wants, &Reach::default());
        let module = module.equipped(Arc::new(equipment));
        Ok(Self { sandbox, module, manifest, limits, clock, _cache: cache })
    }
}
