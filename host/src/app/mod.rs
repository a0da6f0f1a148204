//! Builds the house, and stops it.

mod access;
mod asked;
mod database;
mod dev;
mod doctor;
mod files;
mod life;
mod outside;
mod planner;
mod telling;
mod threads;

pub use database::{Migrated, migrate};
pub use dev::develop;
pub use doctor::examine;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::asked::Asked;
use self::life::{Estate, Present};
use self::telling::Telling;
use self::threads::Threads;
use crate::config::Config;
use crate::dispatch::{self, Dispatch};
use crate::http::{self, Door, HostState};
use crate::journal;
use crate::model::{Clock, HostId, Ids, RandomIds, SystemClock};
use crate::notify::{LocalNotifier, Notifier, RedisNotifier};
use crate::sandbox::{Sandbox, SandboxConfig};
use crate::store::{ClaimFilter, Store};
use crate::telemetry;
use crate::worker::{Past, Polling, WorkerState};

/// How long requests may take to end after the worker has.
const DOOR_CLOSES_WITHIN: Duration = Duration::from_secs(5);

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
    /// Ends the change of lives.
    settle: CancellationToken,
    /// Ends the writing of the audit log, when nobody is let in any longer.
    recorded: CancellationToken,
    lives: JoinHandle<()>,
    exporting: Option<Exporting>,
    /// Taken when it ends: a runtime may not be dropped where others run.
    threads: Option<Threads>,
}

/// The sending of spans and counts, and how it is told that there will be no more.
#[derive(Debug)]
struct Exporting {
    said: CancellationToken,
    task: JoinHandle<()>,
}

impl Exporting {
    async fn end(self) {
        self.said.cancel();
        if let Err(error) = self.task.await {
            warn!(error = %error, "The sending of spans and metrics did not end in order");
        }
    }
}

#[derive(Debug)]
struct House {
    address: SocketAddr,
    estate: Arc<Estate>,
    present: Present,
    dispatch: Dispatch,
    door: Door,
    telling: Option<Telling>,
}

/// Where the rooms of a house run, but for guests.
#[derive(Debug, Clone)]
struct Places {
    commits: Handle,
    lease: Handle,
}

impl App {
    /// Opens the database, builds every room upon it, and begins to answer.
    pub async fn start(config: Config) -> Result<Self> {
        Self::start_with(config, Fittings::real()?).await
    }

    /// The same with other fittings.
    pub async fn start_with(mut config: Config, fittings: Fittings) -> Result<Self> {
        let door = &mut config.limits.door;
        door.connections_max = files::room_for(door.connections_max);
        // Where there is little room, nobody has all of it.
        let share = (door.connections_max / 4).max(1);
        door.connections_per_address_max = door.connections_per_address_max.min(share);
        let mut threads = Threads::start(config.cores)?;
        let drain_timeout = config.limits.drain_timeout;
        let places = Places { commits: threads.commits(), lease: threads.lease() };
        let built = threads.spawn(build(config, fittings, places)).await;
        let (mut house, listener) = built.context("the house fell while it was built")??;
        threads.add_guests(house.estate.sandbox.clone());
        let serving = threads.spawn(http::serve(listener, house.door.clone()));
        let settle = CancellationToken::new();
        // It ends with its threads at the latest.
        drop(threads.spawn(telemetry::metrics()?.sum_up(settle.clone())));
        let recorded = CancellationToken::new();
        drop(threads.spawn(house.dispatch.clone().keep_audit(recorded.clone())));
        let said = CancellationToken::new();
        let telling = house
            .telling
            .take()
            .map(|telling| threads.spawn(telling.go_on(house.door.clone(), said.clone())));
        let exporting = telling.map(|task| Exporting { said, task });
        let (estate, present) = (Arc::clone(&house.estate), house.present.clone());
        let lives = life::go_on(estate, present, house.dispatch.clone(), settle.clone());
        let lives = threads.spawn(lives);
        Ok(Self {
            house,
            drain_timeout,
            serving,
            settle,
            recorded,
            lives,
            exporting,
            threads: Some(threads),
        })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.house.address
    }

    /// The incarnation that it is now.
    pub fn host(&self) -> HostId {
        self.house.present.life().worker.host()
    }

    /// The room that takes orders.
    pub fn dispatch(&self) -> &Dispatch {
        &self.house.dispatch
    }

    /// Where the worker stands.
    pub fn state(&self) -> watch::Receiver<WorkerState> {
        self.house.estate.state.subscribe()
    }

    /// Takes nothing new, lets what runs come to its end or hands it over, and closes. Dropping the future ends it at once.
    pub async fn stop(mut self) {
        let Some(threads) = self.threads.take() else { return };
        self.settle.cancel();
        if let Err(error) = (&mut self.lives).await {
            warn!(error = %error, "The lives of the host did not end in order");
        }
        let (life, timeout) = (self.house.present.life(), self.drain_timeout);
        let drained = threads.spawn(async move { life.worker.drain(timeout).await }).await;
        if let Err(error) = drained {
            warn!(error = %error, "The worker did not drain");
        }
        // The others hear at once of what this host has left to them.
        let notifier = Arc::clone(&self.house.estate.notifier);
        if let Err(error) = threads.spawn(async move { notifier.close().await }).await {
            warn!(error = %error, "The notifier did not close");
        }
        self.house.door.close();
        if tokio::time::timeout(DOOR_CLOSES_WITHIN, &mut self.serving).await.is_err() {
            warn!(
                requests = self.house.door.requests(),
                "Requests were still under way: they are dropped"
            );
            self.house.door.shut();
        }
        // Changes whose clients have gone, and their entries.
        let changes = self.house.door.settled();
        if tokio::time::timeout(DOOR_CLOSES_WITHIN, changes).await.is_err() {
            warn!("Changes were still being made: they may be missing in the audit log");
        }
        self.recorded.cancel();
        let dispatch = self.house.dispatch.clone();
        let written = threads.spawn(async move { dispatch.write_noted().await }).await;
        if let Ok(Err(error)) = written {
            warn!(error = %error, "The last starts are missing in the audit log");
        }
        if let Some(exporting) = self.exporting.take() {
            exporting.end().await;
        }
        drop(self);
        threads.end().await;
    }

    /// Ends at once and writes nothing more, as a crash would.
    pub async fn kill(mut self) {
        self.settle.cancel();
        self.house.present.life().worker.kill();
        self.house.door.shut();
        let threads = self.threads.take();
        drop(self);
        if let Some(threads) = threads {
            threads.end().await;
        }
    }
}

async fn build(config: Config, fittings: Fittings, places: Places) -> Result<(House, TcpListener)> {
    let Fittings { clock, ids, compiler, polling, around_store } = fittings;
    // Before any room begins to count.
    let counted = telemetry::metrics()?;
    let limits = config.limits.clone();
    let (tracer, telling) = telling::telling(&config, &clock)?;
    let tls = access::tls(&config.access)?;
    let listener = listen(config.listen).await?;
    let address = listener.local_addr().context("the listener has no address")?;
    let opened = database::open(&config, &*ids).await?;
    let sandbox = SandboxConfig {
        cache_dir: config.data.join("cache"),
        compiler,
        guest_threads: config.cores,
        outside: outside::read(&config).await?,
    };
    let sandbox = Sandbox::new(sandbox, &limits, Arc::clone(&clock))?;
    let notifier = notifier(config.redis.as_deref(), &clock, &ids)?;
    let filter = ClaimFilter {
        queues: config.queues,
        tags: config.tags,
        journal_version: u32::from(journal::VERSION),
        suspect_after: Some(limits.suspect_after),
    };
    let estate = Arc::new(Estate {
        store: around_store(opened.store),
        sandbox,
        notifier,
        history: Arc::default(),
        clock,
        ids,
        tracer,
        limits,
        filter,
        polling,
        lease: opened.lease,
        name: config.name,
        session: opened.session,
        commits: places.commits,
        lease_threads: places.lease,
        state: watch::Sender::new(WorkerState::Starting),
    });
    let access = access::guard(&config.access, address, &*estate.store).await?;
    let host = estate.register().await.context("the host cannot be registered")?;
    let newborn = estate.prepare(host, Past::None);
    let dispatch = Dispatch::new(
        dispatch::Parts {
            store: Arc::clone(&estate.store),
            sandbox: estate.sandbox.clone(),
            notifier: Arc::clone(&estate.notifier),
            clock: Arc::clone(&estate.clock),
            ids: Arc::clone(&estate.ids),
            tracer: Arc::clone(&estate.tracer),
            limits: estate.limits.clone(),
            filter: estate.filter.clone(),
        },
        newborn.identity(),
    );
    let present = Present::new(estate.begin(newborn, &dispatch));
    let state = estate.state.subscribe();
    let render = Arc::new(move || counted.text());
    let door = Door::new(dispatch.clone(), move || stands(*state.borrow()), render)
        .telling(Arc::clone(&estate.history));
    let door = door.guarded(access).encrypted(tls);
    if let Some(Ok(key)) = config.access.admin_key {
        dispatch.take_admin_key(key);
    }
    Ok((House { address, estate, present, dispatch, door, telling }, listener))
}

/// Hints stay within this process, or go to the other hosts too.
fn notifier(
    redis: Option<&str>,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
) -> Result<Arc<dyn Notifier>> {
    Ok(match redis {
        None => Arc::new(LocalNotifier::default()),
        Some(url) => Arc::new(RedisNotifier::connect(url, Arc::clone(clock), Arc::clone(ids))?),
    })
}

/// A host that was lost begins anew.
fn stands(state: WorkerState) -> HostState {
    match state {
        WorkerState::Starting | WorkerState::Fenced | WorkerState::Lapsed => HostState::Starting,
        WorkerState::Ready => HostState::Ready,
        WorkerState::Draining => HostState::Draining,
        WorkerState::Stopped => HostState::Stopped,
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{address} cannot be listened on; give another --listen"))
}

/// Runs a host until it is asked to end: SIGTERM or SIGINT drains it, a second one ends it at once.
pub async fn serve(config: Config) -> Result<()> {
    let mut asked = Asked::listen()?;
    let data = config.data.display().to_string();
    let scheme = if config.access.tls.is_some() { "https" } else { "http" };
    let app = App::start(config).await?;
    let address = app.address();
    info!(host.id = %app.host(), %address, data, "Stepwell listens on {scheme}://{address}");
    asked.heard().await;
    info!("The host drains; ask once more to end it at once");
    tokio::select! {
        () = app.stop() => info!("The host has stopped"),
        () = asked.heard() => warn!("The host ends at once; its work goes on when it is started again, or elsewhere when its lease ends"),
    }
    Ok(())
}
