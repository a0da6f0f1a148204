//! What must hold of every execution once a storm has passed: L1 to L6.
//!
//! The ledger reads the database of hosts at rest, with a store of its own, and replays every journal in a sandbox of its
//! own. Which attempts were begun it knows from the logs of the hosts ([`begun`]). Each attempt of the step `ledger` writes
//! a nonce to the log of its execution and returns it, which the engine cannot make up: that is how a result that is
//! recorded twice, or repeated on replay, is seen.

pub mod begun;
mod fold;
mod replayed;
pub mod spans;
mod whole;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use stepwell::journal::Entry;
use stepwell::model::{ExecutionId, Limits, ModuleDigest, Seq, SystemClock};
use stepwell::sandbox::{Module, OutsideConfig, Sandbox, SandboxConfig};
use stepwell::store::{ExecutionFilter, ExecutionView, LogLine, Store};

/// Executions, entries or lines that are read at once.
const PAGE: u32 = 1_000;

/// One execution with all that is known about it.
struct Record {
    view: ExecutionView,
    entries: Vec<Entry>,
    logs: Vec<LogLine>,
}

/// What went wrong before the ledger is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faults {
    /// Hosts were killed, and nothing else.
    Kills,
    /// Also commits whose outcome nobody knew, after which one host rightly begins an attempt again.
    Any,
}

/// How many there were of what.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    pub executions: usize,
    pub begun: usize,
    /// Of these, how many were begun before.
    pub again: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, begun, again } = self;
        write!(f, "{executions} executions, {begun} attempts begun, {again} of them again")
    }
}

/// Every execution of a database, at rest.
#[derive(Debug)]
pub struct Ledger {
    store: Arc<dyn Store>,
    sandbox: Sandbox,
    limits: Limits,
    loaded: HashMap<ModuleDigest, Module>,
}

impl Ledger {
    /// Opens the ledger of hosts that had these limits; `compiler` is their program, and `artefacts` what one of them compiled.
    pub fn open(store: Arc<dyn Store>, artefacts: &Path, compiler: &Path, limits: &Limits) -> Self {
        let limits = Limits { hot_max: 8, activations_max: 8, ..limits.clone() };
        let config = SandboxConfig {
            cache_dir: artefacts.to_owned(),
            compiler: compiler.to_owned(),
            guest_threads: 1,
            outside: OutsideConfig::default(),
        };
        let sandbox = Sandbox::new(config, &limits, Arc::new(SystemClock::new())).unwrap();
        Self { store, sandbox, limits, loaded: HashMap::new() }
    }

    /// Holds every execution to L1 to L6, and that those which were accepted are there.
    pub async fn audit(mut self, accepted: &[String], faults: Faults) -> Tally {
        let mut breaches = Vec::new();
        let records = self.records().await;
        let there: HashSet<_> = records.iter().map(|record| record.id().to_string()).collect();
        for id in accepted.iter().filter(|id| !there.contains(*id)) {
            breaches.push(format!("L1 {id}: it was accepted and is not there"));
        }
        for record in &records {
            let mut found = whole::breaches(record);
            found.extend(begun::breaches(record));
            if faults == Faults::Kills {
                found.extend(begun::begun_twice(record));
            }
            found.extend(fold::breaches(record));
            found.extend(replayed::breaches(&mut self, record).await);
            breaches.extend(
                found
                    .into_iter()
                    .map(|breach| format!("{} {} {breach}", record.id(), record.view.row.workflow)),
            );
        }
        let told: Vec<_> = breaches.iter().map(String::as_str).take(20).collect();
        assert!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), told.join("\n"));
        let (begun, again) = begun::count(&records);
        let tally = Tally { executions: records.len(), begun, again };
        println!("{tally}");
        tally
    }

    async fn module(&mut self, digest: ModuleDigest) -> Module {
        if let Some(loaded) = self.loaded.get(&digest) {
            return loaded.clone();
        }
        let wasm = self.store.wasm(digest).await.unwrap().expect("its module is kept");
        let module = self.sandbox.load(digest, &wasm).await.unwrap();
        self.loaded.insert(digest, module.clone());
        module
    }

    async fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let mut filter = ExecutionFilter { limit: PAGE, ..ExecutionFilter::default() };
        loop {
            let rows = self.store.executions(&filter).await.unwrap().rows;
            let Some(last) = rows.last() else { return records };
            filter.after = Some((last.created_at, last.id));
            for row in rows {
                records.push(self.record(row.id).await);
            }
        }
    }

    async fn record(&self, id: ExecutionId) -> Record {
        let view = self.store.execution(id).await.unwrap().expect("it is in the list");
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = entries.last().map_or(Seq(0), |entry| entry.seq);
            let page = self.store.journal(id, after, PAGE).await.unwrap();
            entries.extend(page.entries);
            if !page.more {
                break;
            }
        }
        let mut logs: Vec<LogLine> = Vec::new();
        loop {
            let after = logs.last().map_or(0, |line| line.id);
            let page = self.store.logs(id, after, PAGE).await.unwrap();
            if page.is_empty() {
                break;
            }
            logs.extend(page);
        }
        Record { view, entries, logs }
    }
}

impl Record {
    fn id(&self) -> ExecutionId {
        self.view.row.id
    }
}
