//! Builds the house, and stops it.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::config::Config;
use crate::dispatch::{self, Dispatch};
use crate::http::{self, Door};
use crate::journal;
use crate::model::{Clock, HostId, Ids, RandomIds, SystemClock};
use crate::notify::{LocalNotifier, Notifier};
use crate::sandbox::{Sandbox, SandboxConfig};
use crate::store::{ClaimFilter, Committer, HostRow, SqlStore, SqliteOptions, Store};
use crate::worker::{self, Polling, Worker, WorkerState};

/// How long requests may take to end after the worker has.
const DOOR_CLOSES_WITHIN: Duration = Duration::from_secs(5);
/// How long the tasks of a host may take to be dropped.
const FALLS_WITHIN: Duration = Duration::from_secs(10);

/// Puts something between a house and its store.
pub type AroundStore = Box<dyn FnOnce(Arc<dyn Store>) -> Arc<dyn Store> + Send>;

/// What a house is fitted with, where tests have reasons to fit it otherwise.
pub struct Fittings {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub ids: Arc<dyn Ids>,
    /// The program that compiles modules: this one.
    pub compiler: PathBuf,
    /// Whether the worker looks for work that nobody hinted at.
    pub polling: Polling,
    /// Put between the house and its store.
    pub around_store: AroundStore,
}

impl Fittings {
    /// Those of a real host.
    pub fn real() -> Result<Self> {
        Ok(Self {
            clock: Arc::new(SystemClock::new()),
            ids: Arc::new(RandomIds),
            compiler: std::env::current_exe().context("this program cannot find itself")?,
            polling: Polling::On,
            around_store: Box::new(|store| store),
        })
    }
}

impl fmt::Debug for Fittings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fittings").field("compiler", &self.compiler).finish_non_exhaustive()
    }
}

/// A running host. Everything it does, it does on threads of its own; dropping it ends it as a crash would.
#[derive(Debug)]
pub struct App {
    house: House,
    drain_timeout: Duration,
    serving: JoinHandle<std::io::Result<()>>,
    /// Taken when it ends: a runtime may not be dropped where others run.
    threads: Option<Threads>,
}

#[derive(Debug)]
struct House {
    address: SocketAddr,
    host: HostId,
    dispatch: Dispatch,
    worker: Arc<Worker>,
    door: Door,
    sandbox: Sandbox,
}

impl App {
    /// Opens the database, builds every room upon it, and begins to answer.
    pub async fn start(config: Config) -> Result<Self> {
        Self::start_with(config, Fittings::real()?).await
    }

    /// The same with other fittings.
    pub async fn start_with(config: Config, fittings: Fittings) -> Result<Self> {
        let mut threads = Threads::start(config.cores)?;
        let drain_timeout = config.limits.drain_timeout;
        let built = threads.spawn(build(config, fittings, threads.commits())).await;
        let (house, listener) = built.context("the house fell while it was built")??;
        threads.add_guests(house.sandbox.clone());
        let serving = threads.spawn(http::serve(listener, house.door.clone()));
        Ok(Self { house, drain_timeout, serving, threads: Some(threads) })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.house.address
    }

    /// This incarnation.
    pub fn host(&self) -> HostId {
        self.house.host
    }

    /// The room that takes orders.
    pub fn dispatch(&self) -> &Dispatch {
        &self.house.dispatch
    }

    /// Where the worker stands.
    pub fn state(&self) -> watch::Receiver<WorkerState> {
        self.house.worker.state()
    }

    /// Takes nothing new, lets what runs come to its end or hands it over, and closes. Dropping the future ends it at once.
    pub async fn stop(mut self) {
        let Some(threads) = self.threads.take() else { return };
        let (worker, timeout) = (Arc::clone(&self.house.worker), self.drain_timeout);
        let drained = threads.spawn(async move { worker.drain(timeout).await }).await;
        if let Err(error) = drained {
            warn!(error = %error, "The worker did not drain");
        }
        self.house.door.close();
        if tokio::time::timeout(DOOR_CLOSES_WITHIN, &mut self.serving).await.is_err() {
            warn!(
                requests = self.house.door.requests(),
                "Requests were still under way: they are dropped"
            );
            self.house.door.shut();
        }
        drop(self);
        threads.end().await;
    }

    /// Ends at once and writes nothing more, as a crash would.
    pub async fn kill(mut self) {
        self.house.worker.kill();
        self.house.door.shut();
        let threads = self.threads.take();
        drop(self);
        if let Some(threads) = threads {
            threads.end().await;
        }
    }
}

/// The threads of a host. They end when this does, wherever that is.
#[derive(Debug)]
struct Threads {
    /// HTTP, the lease, claims. There until it ends, as is the next.
    io: Option<Runtime>,
    /// The committer alone: what the database answers wakes this one thread and no other.
    commits: Option<Runtime>,
    /// Guests, and what takes turns with them. Known once the sandbox is built.
    guests: Option<Sandbox>,
}

impl Threads {
    fn start(cores: usize) -> Result<Self> {
        let start = |name: &'static str, count| {
            let mut builder = Builder::new_multi_thread();
            let started = builder.worker_threads(count).thread_name(name).enable_all().build();
            started.context("the threads of the host cannot be started")
        };
        let (io, commits) = (start("stepwell-io", cores)?, start("stepwell-commit", 1)?);
        Ok(Self { io: Some(io), commits: Some(commits), guests: None })
    }

    /// Begins a task where there is I/O.
    fn spawn<F: Future<Output: Send + 'static> + Send + 'static>(
        &self,
        future: F,
    ) -> JoinHandle<F::Output> {
        self.io.as_ref().expect("it is taken only by its end").spawn(future)
    }

    /// Where the committer runs.
    fn commits(&self) -> Handle {
        self.commits.as_ref().expect("it is taken only by its end").handle().clone()
    }

    /// These threads of guests end with the others.
    fn add_guests(&mut self, sandbox: Sandbox) {
        self.guests = Some(sandbox);
    }

    /// Returns when every task is gone, so that the database is free for the next.
    async fn end(mut self) {
        let (guests, io, commits) = (self.guests.take(), self.io.take(), self.commits.take());
        let ended = tokio::task::spawn_blocking(move || {
            guests.into_iter().for_each(|sandbox| sandbox.end_guests(FALLS_WITHIN));
            let rest = io.into_iter().chain(commits);
            rest.for_each(|runtime| runtime.shutdown_timeout(FALLS_WITHIN));
        });
        if let Err(error) = ended.await {
            warn!(error = %error, "The threads of the host did not end");
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.guests.take().into_iter().for_each(|sandbox| sandbox.end_guests(Duration::ZERO));
        let rest = self.io.take().into_iter().chain(self.commits.take());
        rest.for_each(Runtime::shutdown_background);
    }
}

async fn build(
    config: Config,
    fittings: Fittings,
    commits: Handle,
) -> Result<(House, TcpListener)> {
    let Fittings { clock, ids, compiler, polling, around_store } = fittings;
    let limits = config.limits.clone();
    let listener = listen(config.listen).await?;
    let address = listener.local_addr().context("the listener has no address")?;
    let store = around_store(open(&config).await?);
    let host = ids.host();
    register(&*store, &*clock, host, &config.name).await?;
    let sandbox = SandboxConfig {
        cache_dir: config.data.join("cache"),
        compiler,
        guest_threads: config.cores,
    };
    let sandbox = Sandbox::new(sandbox, &limits, Arc::clone(&clock))?;
    let notifier: Arc<dyn Notifier> = Arc::new(LocalNotifier::default());
    let tracker = TaskTracker::new();
    let (committer, births) =
        Committer::start(Arc::clone(&store), host, &limits, (&commits, &tracker));
    let filter = ClaimFilter {
        queues: config.queues,
        tags: config.tags,
        journal_version: u32::from(journal::VERSION),
        suspect_after: Some(limits.suspect_after),
    };
    let dispatch = Dispatch::new(dispatch::Parts {
        store: Arc::clone(&store),
        committer: committer.clone(),
        sandbox: sandbox.clone(),
        notifier: Arc::clone(&notifier),
        clock: Arc::clone(&clock),
        ids: Arc::clone(&ids),
        limits: limits.clone(),
        filter: filter.clone(),
        host,
    });
    let worker = worker::Parts {
        store,
        committer,
        births,
        sandbox: sandbox.clone(),
        notifier,
        clock,
        ids,
        limits,
        filter,
        host,
        polling,
    };
    let worker = Arc::new(Worker::start(worker));
    let state = worker.state();
    let door = Door::new(dispatch.clone(), move || *state.borrow() == WorkerState::Ready);
    Ok((House { address, host, dispatch, worker, door, sandbox }, listener))
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    if !address.ip().is_loopback() {
        warn!("Whoever reaches {address} can upload modules and start them: there are no keys yet");
    }
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{address} cannot be listened on; give another --listen"))
}

async fn open(config: &Config) -> Result<Arc<dyn Store>> {
    let data: &Path = &config.data;
    tokio::fs::create_dir_all(data).await.with_context(|| {
        format!("the folder {} cannot be made; give another --data", data.display())
    })?;
    let path = data.join("stepwell.db");
    Ok(Arc::new(SqlStore::open(&path, &SqliteOptions::default(), &config.limits).await?))
}

async fn register(store: &dyn Store, clock: &dyn Clock, host: HostId, name: &str) -> Result<()> {
    let row = HostRow {
        id: host,
        name: name.to_owned(),
        alive: true,
        lease_ends: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: clock.now(),
    };
    let now = store.register(&row).await.context("the host cannot be registered")?;
    clock.follow(now);
    Ok(())
}

/// Runs a host until it is asked to end: SIGTERM or SIGINT drains it, a second one ends it at once.
pub async fn serve(config: Config) -> Result<()> {
    let mut asked = Asked::listen()?;
    let data = config.data.display().to_string();
    let app = App::start(config).await?;
    let address = app.address();
    info!(host.id = %app.host(), %address, data, "Stepwell listens on http://{address}");
    let mut state = app.state();
    tokio::select! {
        () = asked.heard() => {}
        // A sender that is gone means the same: the worker has ended.
        _fenced = state.wait_for(|state| *state == WorkerState::Fenced) => {
            app.kill().await;
            bail!("another host declared this one dead; start it again");
        }
    }
    info!("The host drains; ask once more to end it at once");
    tokio::select! {
        () = app.stop() => info!("The host has stopped"),
        () = asked.heard() => warn!("The host ends at once; its work goes on when it is started again"),
    }
    Ok(())
}

/// The signals that ask a process to end.
#[derive(Debug)]
struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be heard");
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self { terminate: listen(terminate)?, interrupt: listen(interrupt)? })
    }

    async fn heard(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
