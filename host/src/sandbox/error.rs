//! Whose fault it is, in the type: a guest's fault is a [`Failure`] its author sees, an upload's fault is a [`Refusal`] its
//! uploader sees, and a [`SandboxError`] is this host's own.

use crate::model::{Failure, ManifestError};

/// What went wrong on this host's side. No guest and no caller ever sees it.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine, a linker or the threads of the guests could not be set up: the configuration or the machine is at fault.
    #[error("the sandbox cannot be set up: {what}")]
    SetUp {
        /// What could not be made.
        what: &'static str,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The folder of compiled artefacts cannot be used. Nothing is lost: give the host a folder it may write to.
    #[error("the artefact cache cannot be used: {what}")]
    Cache {
        /// What was tried.
        what: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The compiler's process could not be run, or did not speak as it should.
    #[error("the compiler cannot be run: {what}")]
    Compiler {
        /// What was tried.
        what: String,
    },
    /// The policy names what this machine does not have, or what no guest may have. Mend the policy.
    #[error("the policy cannot be used: {what}")]
    Policy {
        /// What is wrong.
        what: String,
    },
    /// A module that was admitted before does not load any more.
    #[error("the module {digest} does not load: {why}")]
    Module {
        /// Its digest, short.
        digest: String,
        /// What is wrong with it.
        why: String,
    },
    /// All slots for instances are taken. Try again when one is free.
    #[error("no slot for another instance is free")]
    Full,
    /// A guest's task is gone: this host stops, or it panicked. Begin the activation again.
    #[error("the guest's task is gone: {what}")]
    Gone {
        /// What is known of it.
        what: String,
    },
}

/// The cause of a fault, of whatever crate it comes from.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

impl SandboxError {
    pub(super) fn set_up(what: &'static str, source: impl Into<Cause>) -> Self {
        Self::SetUp { what, source: source.into() }
    }
}

/// Why an upload is refused: each names what is wrong and the way out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is too long.
    #[error(
        "the module has {bytes} bytes, at most {max} are allowed (module_bytes_max): build it with --release and \
         strip = \"debuginfo\""
    )]
    Large {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// It is no WebAssembly at all.
    #[error(
        "this is no WebAssembly: upload the .wasm file that cargo build --target wasm32-wasip2 writes"
    )]
    NotWasm,
    /// It is WebAssembly, and no component.
    #[error("this is a core module, not a component: build it with --target wasm32-wasip2")]
    CoreModule,
    /// It is compiled already, for some machine.
    #[error("this is a compiled artefact: upload the .wasm component that it was made from")]
    Precompiled,
    /// It is truncated, or breaks a rule of the format.
    #[error(
        "this is no valid component: {why}; build it again, or copy it again if it was cut short"
    )]
    Invalid {
        /// What the validator says, and where.
        why: String,
    },
    /// It goes past one of the bounds that keep compiling and running it cheap.
    #[error("the component {what}, at most {max} are allowed: {way_out}")]
    Bounds {
        /// What there is too much of.
        what: String,
        /// The bound.
        max: u64,
        /// What to do.
        way_out: &'static str,
    },
    /// It uses something that no module may use.
    #[error("the component {what}: {way_out}")]
    Forbidden {
        /// What it uses.
        what: String,
        /// What to do.
        way_out: &'static str,
    },
    /// It does not export the world's interface.
    #[error(
        "the component does not export {wanted}: it exports {exports}; declare its workflows and steps with \
         stepwell::module!"
    )]
    OtherWorld {
        /// What a module exports.
        wanted: &'static str,
        /// What this one exports.
        exports: String,
    },
    /// It imports what this host does not have.
    #[error(
        "the component imports {import}, which this host does not offer: a module may import stepwell:workflow@0.1 and \
         WASI 0.2 (cli, clocks, filesystem, http, io, random, sockets)"
    )]
    Import {
        /// The first such import.
        import: String,
    },
    /// It imports or exports the right names with other types.
    #[error(
        "the component does not fit this host: {why}; build it with the stepwell-sdk of this host's version"
    )]
    Mismatch {
        /// What does not fit.
        why: String,
    },
    /// Compiling it used up the time or memory that one upload may use.
    #[error(
        "compiling the component {what}: split its largest functions, or build it with opt-level = \"s\""
    )]
    Costly {
        /// What was used up.
        what: String,
    },
    /// `describe` failed.
    #[error(
        "describe() of the component failed ({0}): it may not wait, trap or use any capability"
    )]
    Describe(Failure),
    /// `describe` returned something else than a manifest.
    #[error("the manifest that describe() returned is refused")]
    Manifest(#[from] ManifestError),
}

/// Why an upload did not become a module.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// The upload is at fault: tell whoever sent it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// This host is at fault: try again, or elsewhere.
    #[error(transparent)]
    Host(#[from] SandboxError),
}
