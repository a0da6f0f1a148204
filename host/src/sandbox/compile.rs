//! Compiling, in a process of its own: what a hostile component does to the compiler, it does there.
//!
//! The child has no environment, bounds its own memory and time before it reads the first byte, and answers with an artefact
//! or with one line on stderr. Only few run at once.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use super::{AdmitError, Refusal, SandboxError, engine};
use crate::model::{Stopwatch, metric};

/// The word that `main` knows the child by.
pub const COMPILE_COMPONENT: &str = "compile-component";

/// Address space of the child.
const MEMORY_BYTES_MAX: u64 = 2 << 30;
/// Processor time of the child, in seconds.
const CPU_SECONDS_MAX: u64 = 60;
/// Wall clock of the child.
const TIME_MAX: Duration = Duration::from_secs(120);
/// The longest artefact.
const ARTEFACT_BYTES_MAX: u64 = 512 << 20;
/// The most of the child's complaint that is read.
const COMPLAINT_BYTES_MAX: u64 = 4 << 10;
/// Children at once.
const CHILDREN_MAX: usize = 2;
/// The child could not set itself up, which is not the component's fault.
const UNREADY: u8 = 3;

/// Runs the compiler's process.
#[derive(Debug)]
pub(super) struct Compiler {
    program: PathBuf,
    free: Semaphore,
}

impl Compiler {
    pub(super) fn new(program: PathBuf) -> Self {
        Self { program, free: Semaphore::new(CHILDREN_MAX) }
    }

    /// Compiles a component that admission let through.
    pub(super) async fn compile(&self, wasm: &[u8]) -> Result<Vec<u8>, AdmitError> {
        let _place = self.free.acquire().await.map_err(|closed| broken(&closed))?;
        let watch = Stopwatch::start();
        let child = Command::new(&self.program)
            .arg(COMPILE_COMPONENT)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| broken(&format!("{}: {error}", self.program.display())))?;
        let answer = tokio::time::timeout(TIME_MAX, converse(child, wasm)).await;
        metrics::histogram!(metric::COMPILE_DURATION.name).record(watch.seconds());
        match answer {
            Ok(answer) => judge(answer?),
            Err(_late) => {
                Err(Refusal::Costly { what: format!("takes longer than {} s", TIME_MAX.as_secs()) }
                    .into())
            }
        }
    }
}

fn broken(what: &dyn std::fmt::Display) -> SandboxError {
    SandboxError::Compiler { what: what.to_string() }
}

struct Answer {
    status: ExitStatus,
    artefact: Vec<u8>,
    complaint: String,
}

async fn converse(mut child: Child, wasm: &[u8]) -> Result<Answer, SandboxError> {
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(broken(&"its pipes are missing"));
    };
    let (mut artefact, mut complaint) = (Vec::new(), Vec::new());
    let (mut stdout, mut stderr) =
        (stdout.take(ARTEFACT_BYTES_MAX), stderr.take(COMPLAINT_BYTES_MAX));
    let told = async {
        // A child that dies while it reads is judged by its status.
        let _written = stdin.write_all(wasm).await;
        drop(stdin);
    };
    let ((), read, heard) =
        tokio::join!(told, stdout.read_to_end(&mut artefact), stderr.read_to_end(&mut complaint));
    read.and(heard).map_err(|error| broken(&error))?;
    let status = child.wait().await.map_err(|error| broken(&error))?;
    let complaint = String::from_utf8_lossy(&complaint).trim().to_owned();
    Ok(Answer { status, artefact, complaint })
}

fn judge(answer: Answer) -> Result<Vec<u8>, AdmitError> {
    match answer.status.code() {
        Some(0) if !answer.artefact.is_empty() => Ok(answer.artefact),
        Some(0) => Err(broken(&"it answered with nothing").into()),
        Some(1) => Err(Refusal::Invalid { why: answer.complaint }.into()),
        Some(code) if code == i32::from(UNREADY) => Err(broken(&answer.complaint).into()),
        // A panic of the compiler, or a signal: out of memory aborts, out of time kills.
        Some(_) | None => {
            let (bytes, seconds) = (MEMORY_BYTES_MAX >> 20, CPU_SECONDS_MAX);
            let what = format!(
                "needs more than {bytes} MiB of memory or {seconds} s of time, or breaks the compiler ({})",
                answer.status
            );
            Err(Refusal::Costly { what }.into())
        }
    }
}

/// Compiles in this process, without a bound on memory or time.
pub(super) fn compile_here(wasm: &[u8]) -> Result<Vec<u8>, AdmitError> {
    let engine = engine::compiling().map_err(|error| SandboxError::set_up("a compiler", error))?;
    let compiled = engine.precompile_component(wasm);
    compiled.map_err(|error| Refusal::Invalid { why: format!("{error:#}") }.into())
}

/// The child: reads a component from stdin and writes the artefact to stdout.
pub fn compile_child() -> ExitCode {
    let (code, complaint) = match bound_myself() {
        Err(error) => (UNREADY, format!("its limits cannot be set: {error}")),
        Ok(()) => match compile_stdin() {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => (1, format!("{error:#}")),
        },
    };
    // Nobody is left to hear of it when even this fails.
    let _told = writeln!(std::io::stderr(), "{complaint}");
    ExitCode::from(code)
}

fn bound_myself() -> rustix::io::Result<()> {
    let limit = |most| Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::As, limit(MEMORY_BYTES_MAX))?;
    setrlimit(Resource::Cpu, limit(CPU_SECONDS_MAX))?;
    setrlimit(Resource::Core, limit(0))
}

fn compile_stdin() -> wasmtime::Result<()> {
    let mut wasm = Vec::new();
    std::io::stdin().lock().read_to_end(&mut wasm)?;
    let artefact = engine::compiling()?.precompile_component(&wasm)?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&artefact)?;
    Ok(stdout.flush()?)
}
