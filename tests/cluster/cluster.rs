//! Hosts on one database.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use stepwell::app;
use stepwell::config::MigrateFlags;
use stepwell::model::{Lease, Limits};
use stepwell::store::{Migrating, PostgresOptions, SqlStore};
use stepwell_test_servers::postgres::Postgres;
use stepwell_test_servers::redis::Redis;
use stepwell_test_witness::api::Api;
use stepwell_test_witness::guests;
use stepwell_test_witness::jobs::{Accepted, Load};
use stepwell_test_witness::ledger::{Faults, Ledger, begun};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::host::{Flags, Host};
use crate::rows::{Incarnation, Rows};
use crate::seed;
use crate::storm::{PATIENCE, Storm, now, until};
use crate::trace;

/// How often a load is brought up to what it should be.
const TOP_UP_EVERY: Duration = Duration::from_millis(100);

/// Hosts on one database, each in a process of its own, and the witnesses.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Where the witnesses find the database, whatever becomes of the lines of hosts.
    url: String,
    flags: Flags,
    pub(crate) rows: Rows,
    pub(crate) hosts: Vec<Host>,
    started: usize,
    doors: watch::Sender<Vec<Api>>,
}

impl Cluster {
    /// A database as it is, and no host yet.
    pub(crate) fn at(url: &str, lease: Lease) -> Self {
        let (doors, _) = watch::channel(Vec::new());
        let (flags, rows) = (Flags::at(url, lease), Rows::at(url));
        Self { url: url.to_owned(), flags, rows, hosts: Vec::new(), started: 0, doors }
    }

    /// An empty database with the witnesses in it, and no host yet.
    pub(crate) async fn prepare(url: &str, lease: Lease) -> Self {
        let (database, data) = (Some(url.to_owned()), PathBuf::new());
        let flags = MigrateFlags { database, data, status: false, json: false };
        app::migrate(&flags).await.unwrap();
        let cluster = Self::at(url, lease);
        trace::install(&cluster.rows).await;
        cluster
    }

    /// So many hosts that take work, with the modules deployed.
    pub(crate) async fn start(url: &str, storm: &Storm, count: usize) -> Self {
        let mut cluster = Self::prepare(url, storm.lease).await;
        cluster.grow(count).await;
        cluster
    }

    /// The same on a database of its own, with a Redis over which they hint at work to one another.
    pub(crate) async fn hinted(lease: Lease, count: usize) -> (Self, Redis) {
        let (mut cluster, redis) = Self::hinting(lease).await;
        cluster.grow(count).await;
        (cluster, redis)
    }

    /// Two such hosts, of which the second serves the queue `far` and nothing else, and the first what the other does not.
    pub(crate) async fn far_apart(lease: Lease) -> (Self, Redis) {
        let (mut cluster, redis) = Self::hinting(lease).await;
        for queue in ["default", "far"] {
            cluster.flags.queue = Some(queue);
            cluster.grow(1).await;
        }
        (cluster, redis)
    }

    async fn hinting(lease: Lease) -> (Self, Redis) {
        let server = Postgres::shared().await;
        let url = server.url(&server.fresh_database().await);
        let redis = Redis::private().await;
        let mut cluster = Self::prepare(&url, lease).await;
        cluster.flags().redis = Some(redis.url());
        (cluster, redis)
    }

    /// How the next hosts are set up.
    pub(crate) fn flags(&mut self) -> &mut Flags {
        &mut self.flags
    }

    /// Starts so many more hosts, and deploys the modules over the first of all.
    pub(crate) async fn grow(&mut self, count: usize) {
        let is_first = self.hosts.is_empty();
        let names: Vec<_> = (1..=count).map(|n| format!("host-{}", self.started + n)).collect();
        self.started += count;
        let starting = names.iter().map(|name| Host::start(name, &self.flags));
        let started = join_all(starting).await.into_iter().collect::<Result<Vec<_>, _>>();
        let started = started.unwrap_or_else(|said| panic!("a host did not start: {said}"));
        for host in &started {
            host.ready_within(PATIENCE).await;
        }
        self.hosts.extend(started);
        if is_first {
            self.deploy().await;
        }
        self.publish();
    }

    async fn deploy(&self) {
        for name in seed::DEPLOYED {
            self.hosts[0].api().deploy(name, guests::wasm(name)).await;
        }
    }

    fn publish(&self) {
        self.doors.send_replace(self.hosts.iter().map(|host| host.api().clone()).collect());
    }

    /// The doors of those that live.
    pub(crate) fn doors(&self) -> watch::Receiver<Vec<Api>> {
        self.doors.subscribe()
    }

    /// Kills the host at that place by SIGKILL; says which life has ended, and when.
    pub(crate) async fn kill(&mut self, place: usize) -> (String, Instant) {
        let id = self.rows.life(self.hosts[place].name()).await.id;
        let mut host = self.hosts.remove(place);
        self.publish();
        host.kill();
        (id, now())
    }

    /// Lets that much time pass, and has the clients keep so many executions under way.
    pub(crate) async fn keep_busy(&self, load: &Load, in_flight: i64, time: Duration) {
        let busy = async {
            loop {
                // Where the database is away, nothing is asked of anybody.
                let unfinished = self.rows.try_unfinished().await.unwrap_or(in_flight);
                load.top_up(usize::try_from(in_flight - unfinished).unwrap_or(0));
                tokio::time::sleep(TOP_UP_EVERY).await;
            }
        };
        let _elapsed: Result<(), _> = tokio::time::timeout(time, busy).await;
    }

    /// Waits until the host at that place lives another life than that one, and takes work again.
    pub(crate) async fn new_life(&self, place: usize, old: &Incarnation) -> Incarnation {
        let host = &self.hosts[place];
        let look = || async {
            let life = self.rows.life(host.name()).await;
            (life.alive && life.id != old.id).then_some(life)
        };
        let what = format!("{} begins a new life", host.name());
        let life = until(&what, PATIENCE, look).await;
        host.ready_within(PATIENCE).await;
        self.takes_work(place, &life).await;
        life
    }

    /// Waits until that life of the host at that place has begun a step.
    pub(crate) async fn takes_work(&self, place: usize, life: &Incarnation) {
        let api = self.hosts[place].api();
        let look = || async {
            let id = api.run("chain", json!(3)).await;
            assert_eq!(api.ended(&id).await.value(), 3);
            begun::by_host([&id]).contains_key(&life.id).then_some(())
        };
        until("the new life takes work", PATIENCE, look).await;
    }

    /// A client of the first host.
    pub(crate) fn api(&self) -> &Api {
        self.hosts[0].api()
    }

    /// Asks the host at that place to end, and waits until it has: says which life it was, when it was asked, and how long it
    /// took.
    pub(crate) async fn drain(&mut self, place: usize) -> (String, Instant, Duration) {
        let id = self.rows.life(self.hosts[place].name()).await.id;
        let mut host = self.hosts.remove(place);
        self.publish();
        host.ask_to_end();
        let asked = now();
        assert!(host.ended().await.success());
        (id, asked, asked.elapsed())
    }

    /// Waits until all is at rest and compares what came of it; then kills all hosts, and holds what they leave to the ledger
    /// and the witnesses.
    pub(crate) async fn audit(mut self, storm: &Storm, accepted: &Accepted, faults: Faults) {
        accepted.check(self.api()).await;
        self.rows.at_rest().await;
        let doors = std::mem::take(&mut self.hosts);
        for mut host in doors {
            host.kill();
        }
        let limits = Limits::for_cores(2);
        let options = PostgresOptions {
            connections_max: 2,
            migrating: Migrating::Never,
            ..PostgresOptions::default()
        };
        let store = SqlStore::connect(&self.url, &options, &limits).await.unwrap();
        let folder = TempDir::new().unwrap();
        let artefacts = folder.path().join("cache");
        seed::copy_to(&artefacts).await;
        let ledger = Ledger::open(Arc::new(store), &artefacts, seed::PROGRAM.as_ref(), &limits);
        let tally = ledger.audit(&accepted.ids(), faults).await;
        let seen = trace::check(&self.rows).await;
        storm.tell(format!("{tally}; {} entries, {} deaths", seen.entries, seen.deaths));
    }
}

/// The longest of them, in words.
pub(crate) fn longest(times: &[Duration]) -> String {
    let longest = times.iter().max().copied().unwrap_or_default();
    format!("{:.2} s", longest.as_secs_f64())
}
