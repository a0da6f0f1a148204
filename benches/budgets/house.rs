//! A host in this process, as `stepwell serve` builds it, with a store that counts.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use stepwell::app::{App, Fittings};
use stepwell::config::Config;
use stepwell::dispatch::{Dispatch, Progress, StartOrder};
use stepwell::model::{
    Clock, ExecutionId, ExecutionState, HostId, Limits, Name, Payload, SystemClock,
};
use stepwell::sandbox::{OutsideConfig, Sandbox, SandboxConfig};
use stepwell::store::{ModuleRow, Store as _};

use crate::counted::{Counted, Tally};
use crate::database::Database;
use crate::plot::{Plot, Soil};
use crate::server::Server;

/// The one module that is measured with: `benches/guest`.
pub(crate) const MODULE: &str = "measured";
/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// What the measurements of this process share.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    folder: PathBuf,
    /// None where nothing is measured on Postgres.
    server: Option<Arc<Server>>,
    pub(crate) wasm: Arc<[u8]>,
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) cores: usize,
}

impl Ground {
    pub(crate) fn lay(folder: &Path, server: Option<Server>, cores: usize) -> Result<Self> {
        let path = guest_path();
        let wasm = std::fs::read(&path)
            .with_context(|| format!("{} is not there: `make bench` builds it", path.display()))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let config = SandboxConfig {
            cache_dir: folder.join("artefacts"),
            compiler: env!("CARGO_BIN_EXE_stepwell").into(),
            guest_threads: cores,
            outside: OutsideConfig::default(),
        };
        let sandbox = Sandbox::new(config, &Limits::for_cores(cores), Arc::clone(&clock))?;
        let (folder, server) = (folder.to_owned(), server.map(Arc::new));
        Ok(Self { folder, server, wasm: wasm.into(), sandbox, clock, cores })
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits::for_cores(self.cores)
    }

    /// An empty folder and an empty database.
    pub(crate) async fn plot(&self, database: Database, name: &str) -> Result<Plot> {
        let folder = self.folder.join(format!("{}-{name}", database.name()));
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let soil = match database {
            Database::Sqlite => Soil::Folder,
            Database::Postgres => {
                let server = self.server.as_ref().context("there is no server")?;
                Soil::Server(Arc::clone(server), server.make_database().await)
            }
        };
        Ok(Plot::new(folder, soil))
    }

    /// Ends what the measurements so far have left on the server.
    pub(crate) async fn clear(&self) -> Result<()> {
        match &self.server {
            Some(server) => server.drop_databases().await,
            None => Ok(()),
        }
    }
}

pub(crate) fn guest_path() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    root.join("target/guests/wasm32-wasip2/release").join(MODULE).with_extension("wasm")
}

/// A host in this process, whose store counts.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) dispatch: Dispatch,
    pub(crate) store: Arc<Counted>,
    pub(crate) host: HostId,
    pub(crate) module: ModuleRow,
    pub(crate) plot: Plot,
    app: App,
}

impl House {
    /// Builds a house on an empty database and deploys the module.
    pub(crate) async fn build(
        ground: &Ground,
        database: Database,
        name: &str,
        limits: &Limits,
    ) -> Result<Self> {
        let plot = ground.plot(database, name).await?;
        let config = Config {
            database: plot.url(),
            limits: limits.clone(),
            cores: ground.cores,
            ..Config::at(plot.folder())
        };
        let counted = Arc::new(OnceLock::new());
        let kept = Arc::clone(&counted);
        let fittings = Fittings {
            compiler: env!("CARGO_BIN_EXE_stepwell").into(),
            around_store: Box::new(move |store| {
                Arc::clone(kept.get_or_init(|| Arc::new(Counted::new(store)))) as _
            }),
            ..Fittings::real()?
        };
        let app = App::start_with(config, fittings).await?;
        let store = Arc::clone(counted.get().context("the house has no store")?);
        let dispatch = app.dispatch().clone();
        let module = dispatch.deploy(&Name::new(MODULE)?, &ground.wasm).await?;
        Ok(Self { dispatch, store, host: app.host(), module, plot, app })
    }

    pub(crate) async fn start(&self, workflow: &str, input: String) -> Result<ExecutionId> {
        start(&self.dispatch, workflow, input).await
    }

    /// Waits until so many executions have done so.
    pub(crate) async fn wait(&self, reached: impl FnMut(&Tally) -> bool) -> Result<()> {
        let mut tally = self.store.tally();
        let waited = tokio::time::timeout(PATIENCE, tally.wait_for(reached)).await;
        let Ok(reached) = waited else {
            let now = *self.store.tally().borrow();
            bail!("nothing more came within {} s: {now:?}", PATIENCE.as_secs());
        };
        reached.map(|_tally| ()).context("the store is gone")
    }

    /// How many have ended so far.
    pub(crate) fn ended(&self) -> usize {
        self.store.tally().borrow().ended
    }

    /// What an execution has returned; anything but a result is an error.
    pub(crate) async fn result(&self, id: ExecutionId) -> Result<Payload> {
        result(&self.dispatch, id).await
    }

    /// Waits until an execution has ended, however.
    pub(crate) async fn wait_for_end(&self, id: ExecutionId) -> Result<()> {
        match self.dispatch.result(id, PATIENCE).await? {
            Progress::Ended(_) => Ok(()),
            Progress::In(state) => bail!("execution {id} is still {state:?}"),
        }
    }

    /// That every execution that has ended has completed: what fails fast is no measure.
    pub(crate) async fn all_completed(&self) -> Result<()> {
        for (state, count) in self.store.counts().await?.executions {
            let is_bad = state.is_terminal() && state != ExecutionState::Completed;
            ensure!(!is_bad || count == 0, "{count} executions are {state:?}");
        }
        Ok(())
    }

    pub(crate) async fn close(self) {
        self.app.stop().await;
    }
}

pub(crate) async fn start(
    dispatch: &Dispatch,
    workflow: &str,
    input: String,
) -> Result<ExecutionId> {
    let order = StartOrder::new(Name::new(workflow)?, Payload::from_checked(input));
    Ok(dispatch.start(order).await?.id)
}

pub(crate) async fn result(dispatch: &Dispatch, id: ExecutionId) -> Result<Payload> {
    match dispatch.result(id, PATIENCE).await? {
        Progress::Ended(ended) => match ended.outcome {
            Ok(payload) => Ok(payload),
            Err(failure) => bail!("execution {id} has ended with {failure:?}"),
        },
        Progress::In(state) => bail!("execution {id} is still {state:?}"),
    }
}
