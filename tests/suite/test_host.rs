//! The whole house in one process: a real store on a real database, real sandboxes, HTTP in and out.
//!
//! Every host has runtimes of its own, so that killing it drops whatever it was doing, as the end of its process would.
//! Three modes run the whole suite again: `STEPWELL_TEST_NEVER_HOT` keeps no instance in memory, `STEPWELL_TEST_NO_POLL` leaves
//! hints alone to find the work, `STEPWELL_TEST_POSTGRES` keeps the rows in a Postgres.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use stepwell::app::{App, Fittings};
use stepwell::config::Config;
use stepwell::model::{Limits, Name};
use stepwell::worker::Polling;
use tempfile::TempDir;

use crate::api::Api;
use crate::dying::{DyingStore, Fault};
use crate::ledger::{Faults, begun};
use crate::place::Place;
use crate::seed;

/// How a test host differs from a real one.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) polling: Polling,
    pub(crate) fault: Option<Arc<Fault>>,
    /// The queues it serves; none means all.
    pub(crate) queues: Vec<Name>,
    /// What its operator says of grants, in TOML.
    pub(crate) policy: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let mut limits = Limits {
            hot_max: 200,
            activations_max: 200,
            hot_for: Duration::from_secs(2),
            compensate_for: Duration::from_secs(30),
            ..Limits::for_cores(2)
        };
        if TestHost::is_never_hot() {
            limits.hot_for = Duration::ZERO;
        }
        let polling = if is_set("STEPWELL_TEST_NO_POLL") { Polling::Off } else { Polling::On };
        Self { limits, polling, fault: None, queues: Vec::new(), policy: None }
    }
}

#[expect(clippy::disallowed_methods, reason = "the modes of the suite are in the environment")]
pub(crate) fn is_set(mode: &str) -> bool {
    std::env::var_os(mode).is_some_and(|value| !value.is_empty() && value != "0")
}

/// A host that lives in this process.
pub(crate) struct TestHost {
    folder: TempDir,
    place: Place,
    settings: Settings,
    api: Api,
    app: Option<App>,
}

impl Deref for TestHost {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

impl TestHost {
    /// A host with the modules of the examples.
    pub(crate) async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    /// A host of another kind.
    pub(crate) async fn start_with(settings: Settings) -> Self {
        begun::listen();
        let folder = TempDir::new().unwrap();
        seed::copy_to(folder.path()).await;
        let place = Place::fresh(folder.path()).await;
        let (app, api) = open(folder.path(), &place, &settings).await;
        Self { folder, place, settings, api, app: Some(app) }
    }

    /// A host with limits that a test says.
    pub(crate) async fn start_within(limit: impl FnOnce(&mut Limits)) -> Self {
        let mut settings = Settings::default();
        limit(&mut settings.limits);
        Self::start_with(settings).await
    }

    /// Whether no instance is kept in memory in this run of the suite.
    pub(crate) fn is_never_hot() -> bool {
        is_set("STEPWELL_TEST_NEVER_HOT")
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.app.as_ref().expect("it lives").address()
    }

    /// What the next life will be like.
    pub(crate) fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Ends this life as a crash would: nothing more is written, everything is dropped.
    pub(crate) async fn kill(&mut self) {
        if let Some(app) = self.app.take() {
            app.kill().await;
            self.place.bury(&self.settings.limits).await;
        }
    }

    /// Changes rows behind its back, as no host would.
    pub(crate) async fn spoil(&self, sql: &'static str) {
        self.place.spoil(sql).await;
    }

    /// How many tasks of the executions of a workflow run.
    pub(crate) async fn running_tasks(&self, workflow: &str) -> i64 {
        let count = format!(
            "select count(*) from tasks join executions on executions.id = tasks.execution_id \
             where tasks.owner is not null and executions.workflow = '{workflow}'"
        );
        self.place.count(&count).await
    }

    /// Ends this life as SIGTERM would.
    pub(crate) async fn stop(&mut self) {
        if let Some(app) = self.app.take() {
            app.stop().await;
        }
    }

    /// Begins the next life on the same database.
    pub(crate) async fn restart(&mut self) {
        assert!(self.app.is_none(), "it lives");
        let (app, api) = open(self.folder.path(), &self.place, &self.settings).await;
        self.app = Some(app);
        self.api = api;
    }

    pub(crate) async fn kill_and_restart(&mut self) {
        self.kill().await;
        self.restart().await;
    }

    /// Kills it, and holds everything that it leaves to the ledger.
    pub(crate) async fn audit(&mut self) {
        self.kill().await;
        let artefacts = artefacts(self.folder.path());
        self.place.audit(&artefacts, &self.settings.limits, &[], Faults::Any).await;
    }
}

/// Begins a life on a folder and a database.
pub(crate) async fn open(folder: &Path, place: &Place, settings: &Settings) -> (App, Api) {
    let (limits, queues) = (settings.limits.clone(), settings.queues.clone());
    let mut config = Config { limits, queues, cores: 2, ..Config::at(folder) };
    if let Some(policy) = &settings.policy {
        let file = folder.join("policy.toml");
        std::fs::write(&file, policy).unwrap();
        config.policy = Some(file);
    }
    place.configure(&mut config);
    let mut fittings = Fittings::real().unwrap();
    fittings.compiler = env!("CARGO_BIN_EXE_stepwell").into();
    fittings.polling = settings.polling;
    if let Some(fault) = settings.fault.clone() {
        fittings.around_store = Box::new(move |inner| Arc::new(DyingStore { inner, fault }));
    }
    let app = App::start_with(config, fittings).await.unwrap();
    let api = Api::at(app.address().to_string());
    (app, api)
}

/// Where a host keeps what it has compiled.
pub(crate) fn artefacts(folder: &Path) -> PathBuf {
    folder.join("cache")
}
