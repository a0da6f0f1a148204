//! `stepwell dev`: builds a crate of workflows, runs it on a host of its own, and does so again after each change.

mod build;
mod change;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use self::build::{Built, Crate};
use self::change::Changes;
use super::App;
use super::asked::Asked;
use crate::cli::Voice;
use crate::config::{Config, DevFlags};
use crate::dispatch::Granting;
use crate::model::{ModuleDigest, Name, Stopwatch};

/// How long work may take to end that runs when it is over.
const DRAINED_WITHIN: Duration = Duration::from_secs(2);

/// Builds, deploys, and does both again whenever a source changes, until it is asked to end.
pub async fn develop(flags: DevFlags, voice: &Voice) -> Result<()> {
    if !flags.listen.ip().is_loopback() {
        bail!(
            "stepwell dev asks nobody for a key, so it listens on this machine alone, not on {}; for others to reach a \
             host there is `stepwell serve`",
            flags.listen
        );
    }
    let mut asked = Asked::listen()?;
    let found = Crate::find(&flags).await?;
    let mut changes = Changes::of(&found)?;
    let data = data(&found, &flags)?;
    let app = App::start(config(&flags, &data)).await?;
    let address = app.address();
    voice.note(&format!("a host answers at http://{address}, its data is in {}", data.display()));
    voice.note(&advice(address));
    let mut desk = Desk { app: &app, voice, active: BTreeMap::new() };
    let working = async {
        loop {
            desk.turn(&found).await;
            changes.wait().await?;
        }
    };
    let ended: Result<()> = tokio::select! {
        ended = working => ended,
        () = asked.heard() => Ok(()),
    };
    voice.note("the host ends");
    tokio::select! {
        () = app.stop() => {}
        () = asked.heard() => {}
    }
    ended
}

/// What to type in another terminal.
fn advice(address: SocketAddr) -> String {
    let here = SocketAddr::from(([127, 0, 0, 1], 7_878));
    if address == here {
        return "in another terminal: stepwell watch".to_owned();
    }
    format!("in another terminal: export STEPWELL_SERVER=http://{address}; stepwell watch")
}

fn config(flags: &DevFlags, data: &Path) -> Config {
    let mut config = Config::at(data);
    config.listen = flags.listen;
    config.policy.clone_from(&flags.policy);
    config.limits.drain_timeout = DRAINED_WITHIN;
    config
}

/// The files of a database, but for its lock.
const DATABASE: [&str; 3] = ["stepwell.db", "stepwell.db-wal", "stepwell.db-shm"];

/// Where the host keeps its things. Unless they are kept, they are those of one evening; what is compiled stays, because it is
/// the same for the same bytes.
fn data(found: &Crate, flags: &DevFlags) -> Result<PathBuf> {
    // Crates that share what is built share no executions.
    let name = found.dir.file_name().unwrap_or_default();
    let data = found.target.join("stepwell-dev").join(name);
    if flags.keep {
        return Ok(data);
    }
    for path in DATABASE.map(|file| data.join(file)) {
        if let Err(error) = std::fs::remove_file(&path)
            && error.kind() != ErrorKind::NotFound
        {
            bail!("{} cannot be removed: {error}", path.display());
        }
    }
    Ok(data)
}

/// What is active so far.
#[derive(Debug)]
struct Desk<'a> {
    app: &'a App,
    voice: &'a Voice,
    active: BTreeMap<Name, ModuleDigest>,
}

impl Desk<'_> {
    /// Builds and deploys. What goes wrong is told, and waits for the next change.
    async fn turn(&mut self, found: &Crate) {
        let stopwatch = Stopwatch::start();
        let built = match found.build().await {
            Ok(built) => built,
            Err(error) => {
                self.voice.fault(&format!("{error:#}"));
                return self.voice.note("waiting for a change");
            }
        };
        let mut news = false;
        for module in &built {
            match self.deploy(module).await {
                Ok(is_new) => news |= is_new,
                Err(error) => self.voice.fault(&format!("{}: {error:#}", module.name)),
            }
        }
        let took = stopwatch.seconds();
        let told = if news { "built and deployed" } else { "nothing has changed" };
        self.voice.note(&format!("{told} in {took:.1} s, waiting for a change"));
    }

    async fn deploy(&mut self, module: &Built) -> Result<bool> {
        let wasm = tokio::fs::read(&module.file).await;
        let wasm = wasm.with_context(|| format!("{} cannot be read", module.file.display()))?;
        let by = Name::new("stepwell-dev").context("this is a name")?;
        let dispatch = self.app.dispatch();
        let deployed = dispatch.deploy_granting(&module.name, &wasm, Granting::Wanted, &by).await;
        let (row, standing) = deployed?;
        if self.active.insert(module.name.clone(), row.digest) == Some(row.digest) {
            return Ok(false);
        }
        self.voice.deployed(&module.name, &row.digest.short(), &row.manifest, &standing);
        Ok(true)
    }
}

/// The folder of a crate, where one is.
fn folder(dir: &Path) -> Result<PathBuf> {
    let dir = std::path::absolute(dir).context("the folder has no path")?;
    if !dir.join("Cargo.toml").is_file() {
        bail!("{} holds no Cargo.toml: name the folder of a crate of workflows", dir.display());
    }
    dir.canonicalize().with_context(|| format!("{} cannot be read", dir.display()))
}
