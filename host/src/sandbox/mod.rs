//! Guests: where uploaded components are admitted, compiled, and run behind walls.
//!
//! Here live the one engine and its limits, the admission of uploads, the compiler's process and the cache of what it made,
//! and the two kinds of guest: a workflow ([`WorkflowGuest`]), which sees nothing but its journal, and an attempt of a step
//! ([`Sandbox::run_step`]), which gets an instance of its own. Guests run on threads of their own.
//!
//! Not here: what happened to an execution and what follows from it (`journal`), who runs what and when (`worker`), where
//! modules are kept (`store`).
//!
//! Invariants:
//! - A store is made for one instance and dropped with it, whatever became of it.
//! - Every length that a guest gives is bounded before anything is allocated, and every call of the host costs fuel.
//! - No native code is loaded but what this host's own compiler wrote and this host has sealed: the one `unsafe`.
//! - A guest's fault is a [`crate::model::Failure`], an upload's fault a [`Refusal`], this host's own a [`SandboxError`].
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use stepwell::model::{Limits, SystemClock};
//! # use stepwell::sandbox::{AdmitError, OutsideConfig, Sandbox, SandboxConfig};
//! # async fn upload(wasm: &[u8]) -> Result<(), AdmitError> {
//! let config = SandboxConfig {
//!     cache_dir: "/var/lib/stepwell/artefacts".into(),
//!     compiler: "/usr/bin/stepwell".into(),
//!     guest_threads: 2,
//!     outside: OutsideConfig::default(),
//! };
//! let sandbox = Sandbox::new(config, &Limits::for_cores(2), Arc::new(SystemClock::new()))?;
//! let (digest, manifest) = sandbox.admit(wasm).await?;
//! # Ok(())
//! # }
//! ```

mod admission;
mod bindings;
mod compile;
mod component;
mod engine;
mod error;
mod fault;
mod guest;
mod limits;
mod meter;
mod module;
mod notebook;
mod outside;
mod overheard;
mod say;
mod stdio;
mod step;
mod threads;
mod words;
mod workflow;

pub use compile::{COMPILE_COMPONENT, compile_child};
pub use error::{AdmitError, Cause, Refusal, SandboxError};
pub use module::Module;
pub use outside::OutsideConfig;
pub use overheard::Overheard;
pub use step::Equipment;
pub use step::egress::{Resolve, SystemResolver};
pub use workflow::{Broken, Turn, WorkflowGuest};

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use wasmtime::Engine;
use wasmtime::component::Component;

use self::compile::Compiler;
use self::component::Artefacts;
use self::fault::Fault;
use self::limits::Bounds;
use self::module::{Kept, Linkers};
use self::outside::Outside;
use self::threads::GuestThreads;
use crate::journal::Replay;
use crate::model::{
    Clock, Limits, Manifest, ModuleDigest, Name, Policy, Reach, StepCall, StepReport,
};

/// What a sandbox is set up with.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// A folder of this host's own: whoever can write to it can make this host compile again, no more.
    pub cache_dir: PathBuf,
    /// The program that [`compile_child`] is the `main` of when it is called with [`COMPILE_COMPONENT`].
    pub compiler: PathBuf,
    /// Threads that run guests.
    pub guest_threads: usize,
    /// What this host knows of the world outside.
    pub outside: OutsideConfig,
}

/// Runs guests. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox(Arc<Shared>);

struct Shared {
    engine: Engine,
    limits: Limits,
    clock: Arc<dyn Clock>,
    linkers: Linkers,
    artefacts: Artefacts,
    compiler: Compiler,
    kept: Mutex<Kept>,
    threads: GuestThreads,
    outside: Outside,
}

impl Sandbox {
    /// Sets up the engine with its pool of instances, both linkers, the cache, and the threads.
    pub fn new(
        config: SandboxConfig,
        limits: &Limits,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SandboxError> {
        let engine = engine::running(limits)?;
        let linkers = Linkers {
            workflow: workflow::linker(&engine)
                .map_err(|error| SandboxError::set_up("the linker of workflows", error))?,
            step: step::linker(&engine)
                .map_err(|error| SandboxError::set_up("the linker of steps", error))?,
        };
        Ok(Self(Arc::new(Shared {
            artefacts: Artefacts::open(&config.cache_dir, &engine)?,
            compiler: Compiler::new(config.compiler),
            kept: Mutex::default(),
            threads: GuestThreads::start(config.guest_threads)?,
            outside: Outside::open(config.outside, limits)?,
            limits: limits.clone(),
            engine,
            clock,
            linkers,
        })))
    }

    /// Makes an upload a module: scans it, compiles it, holds it to the world and to the pool, and has it describe itself.
    pub async fn admit(&self, wasm: &[u8]) -> Result<(ModuleDigest, Manifest), AdmitError> {
        self.scan(wasm).await?;
        let digest = ModuleDigest::of(wasm);
        let examined = self.examine(digest, wasm).await;
        if let Err(AdmitError::Refused(_)) = &examined {
            self.0.artefacts.forget(digest);
        }
        Ok((digest, examined?))
    }

    /// The same for a component that its owner trusts: compiled in this process, which has no bound on what that takes. For
    /// tests of one's own modules; a host never does this.
    pub async fn admit_here(&self, wasm: &[u8]) -> Result<(Module, Manifest), AdmitError> {
        self.scan(wasm).await?;
        let digest = ModuleDigest::of(wasm);
        if self.0.artefacts.load(digest, &self.0.engine).is_none() {
            let bytes: Arc<[u8]> = Arc::from(wasm);
            let compiled = self.0.threads.begin_blocking(move || compile::compile_here(&bytes));
            self.0.artefacts.keep(digest, &compiled.await??)?;
        }
        let manifest = self.examine(digest, wasm).await?;
        let module = self.loaded(digest).ok_or_else(|| SandboxError::Module {
            digest: digest.short(),
            why: "what was compiled does not load".to_owned(),
        })?;
        Ok((module, manifest))
    }

    async fn scan(&self, wasm: &[u8]) -> Result<(), AdmitError> {
        let (bytes, limits) = (Arc::<[u8]>::from(wasm), self.0.limits.clone());
        let scan = self.0.threads.begin_blocking(move || admission::inspect(&bytes, &limits));
        Ok(scan.await??)
    }

    /// Everything that comes after the scan.
    async fn examine(&self, digest: ModuleDigest, wasm: &[u8]) -> Result<Manifest, AdmitError> {
        let module = self.compiled(digest, wasm).await?;
        let described = step::describe(self.clone(), module.clone());
        let json = match self.0.threads.begin(described).await? {
            Ok(json) => json,
            Err(Fault::Failed(failure)) => return Err(Refusal::Describe(failure).into()),
            Err(Fault::Host(error)) => return Err(error.into()),
            Err(Fault::Diverged(_) | Fault::Abandoned) => {
                let what = "describe() was treated as a workflow".to_owned();
                return Err(SandboxError::Gone { what }.into());
            }
        };
        let manifest = Manifest::read(&json).map_err(Refusal::Manifest)?;
        self.kept().keep(module);
        Ok(manifest)
    }

    /// The module from memory, or from its sealed artefact on disk.
    pub fn loaded(&self, digest: ModuleDigest) -> Option<Module> {
        if let Some(module) = self.kept().find(digest) {
            return Some(module);
        }
        let component = self.0.artefacts.load(digest, &self.0.engine)?;
        let module = self.0.linkers.link(digest, &component).ok()?;
        self.kept().keep(module.clone());
        Some(module)
    }

    /// The module from memory, from disk, or compiled again from `wasm`, which was admitted before.
    pub async fn load(&self, digest: ModuleDigest, wasm: &[u8]) -> Result<Module, SandboxError> {
        if let Some(module) = self.loaded(digest) {
            return Ok(module);
        }
        let broken = |why: String| SandboxError::Module { digest: digest.short(), why };
        if ModuleDigest::of(wasm) != digest {
            return Err(broken("these are not its bytes".to_owned()));
        }
        match self.compiled(digest, wasm).await {
            Ok(module) => {
                self.kept().keep(module.clone());
                Ok(module)
            }
            Err(AdmitError::Host(error)) => Err(error),
            Err(AdmitError::Refused(refusal)) => Err(broken(refusal.to_string())),
        }
    }

    /// Begins an activation on the guests' threads.
    pub fn run_workflow(&self, module: &Module, replay: Replay) -> WorkflowGuest {
        workflow::begin(self, module, replay)
    }

    /// Runs one attempt of a step on the guests' threads. Whatever it does is in the report; dropping the future ends it.
    pub async fn run_step(
        &self,
        module: &Module,
        call: StepCall,
        stop: CancellationToken,
    ) -> StepReport {
        self.run_step_aloud(module, call, stop, Overheard::default()).await
    }

    /// The same, overheard.
    pub async fn run_step_aloud(
        &self,
        module: &Module,
        call: StepCall,
        stop: CancellationToken,
        overheard: Overheard,
    ) -> StepReport {
        let attempt = step::run(self.clone(), module.clone(), (call, overheard), stop);
        if self.0.threads.are_here() {
            return attempt.await;
        }
        let report = self.0.threads.begin(attempt).await;
        report.unwrap_or_else(|error| step::unmade(&error))
    }

    /// What the steps of a module have that wants `wants` and was granted `by_people`, beside what the policy grants. It reads
    /// small files, so it is asked where there is I/O.
    pub fn equip(&self, names: &[Name], wants: &Reach, by_people: &Reach) -> Equipment {
        Equipment::of(&self.0.outside, names, wants, by_people)
    }

    /// What the operator of this host says.
    pub fn policy(&self) -> &Policy {
        self.0.outside.policy()
    }

    /// The threads that guests run on, for whoever takes turns with one: on the same threads a turn wakes no other. They do
    /// no I/O, and what runs there waits behind slices of guests.
    pub fn guest_threads(&self) -> &Handle {
        self.0.threads.handle()
    }

    /// Ends those threads and every guest, whoever still holds a handle. Nothing runs in this sandbox any more. Where
    /// `patience` is not zero it waits, which no task of a runtime may do.
    pub fn end_guests(&self, patience: Duration) {
        self.0.threads.end(patience);
    }

    fn shared(&self) -> &Shared {
        &self.0
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A linked module that fits, compiled unless an artefact is there.
    async fn compiled(&self, digest: ModuleDigest, wasm: &[u8]) -> Result<Module, AdmitError> {
        let component = match self.0.artefacts.load(digest, &self.0.engine) {
            Some(component) => component,
            None => self.compile(digest, wasm).await?,
        };
        module::check_resources(&component, &Bounds::new(&self.0.limits))?;
        Ok(self.0.linkers.link(digest, &component)?)
    }

    async fn compile(&self, digest: ModuleDigest, wasm: &[u8]) -> Result<Component, AdmitError> {
        let artefact = self.0.compiler.compile(wasm).await?;
        self.0.artefacts.keep(digest, &artefact)?;
        let component = self.0.artefacts.load(digest, &self.0.engine);
        component.ok_or_else(|| {
            let why = "what the compiler wrote does not load in this engine".to_owned();
            SandboxError::Module { digest: digest.short(), why }.into()
        })
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("artefacts", &self.0.artefacts).finish_non_exhaustive()
    }
}
