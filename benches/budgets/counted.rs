//! A store that counts what is asked of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use stepwell::journal::{Arrival, Ended};
use stepwell::model::{
    Capabilities, ExecutionId, ExecutionState, Failure, Grant, HostId, KeyId, Lease, Manifest,
    ModuleDigest, Name, Payload, ScheduleSpec, Seq, TaskId, Timestamp,
};
use stepwell::store::{
    AccessStore, AuditRow, Change, ClaimFilter, ClaimedTask, Counts, DeadLetter, Delivered,
    ExecutionFilter, ExecutionPage, ExecutionView, Fired, Followed, Holders, HostRow, Inbox,
    JournalPage, KeyRow, LetterCount, LetterFilter, LogLine, ModuleRow, NewAudit, NewHost, NewKey,
    NotedBy, Old, Planned, PoolUse, Put, QueueRow, Removable, Removed, Renewal, Result, Revival,
    Revived, RowChange, ScheduleRow, Snapshot, StoppingTask, Store, Streak, Surroundings, Suspect,
    TaskEnd, TaskFilter, TaskRef, TaskRow, Trigger, Triggered, Write, Written,
};
use tokio::sync::watch;

/// What has become durable through a store.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Executions that have come to their end.
    pub(crate) ended: usize,
    /// Executions that were parked.
    pub(crate) parked: usize,
}

/// Hands everything on and counts it.
#[derive(Debug)]
pub(crate) struct Counted {
    inner: Arc<dyn Store>,
    asked: Mutex<BTreeMap<&'static str, usize>>,
    tally: watch::Sender<Tally>,
}

impl Counted {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, asked: Mutex::default(), tally: watch::Sender::default() }
    }

    /// How often each verb was asked for so far.
    pub(crate) fn asked(&self) -> BTreeMap<&'static str, usize> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often each verb was asked for since then, as a line.
    pub(crate) fn asked_since(&self, before: &BTreeMap<&'static str, usize>) -> String {
        let since = |(verb, times): (&'static str, usize)| {
            let times = times - before.get(verb).copied().unwrap_or_default();
            (times > 0).then(|| format!("{verb} {times}"))
        };
        self.asked().into_iter().filter_map(since).collect::<Vec<_>>().join(", ")
    }

    /// What has become durable so far, and from now on.
    pub(crate) fn tally(&self) -> watch::Receiver<Tally> {
        self.tally.subscribe()
    }

    fn count(&self, verb: &'static str) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        *asked.entry(verb).or_default() += 1;
    }

    fn enter(&self, batch: &[Write], written: &[Written]) {
        let done = batch.iter().zip(written).filter_map(|pair| match pair {
            (Write::Append(append), Written::Done(_)) => Some(&append.row),
            _ => None,
        });
        let mut tally = *self.tally.borrow();
        for row in done {
            tally.ended += usize::from(matches!(row, RowChange::End { .. }));
            tally.parked += usize::from(matches!(row, RowChange::Park { .. }));
        }
        self.tally.send_replace(tally);
    }
}

macro_rules! hand_on_access {
    ($($verb:ident($($name:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl AccessStore for Counted {
            $(async fn $verb(&self, $($name: $kind),*) -> Result<$answer> {
                self.count(stringify!($verb));
                self.inner.$verb($($name),*).await
            })*
        }
    };
}

hand_on_access! {
    add_key(host: HostId, key: &NewKey) -> Timestamp;
    key(id: &KeyId) -> Option<KeyRow>;
    keys(limit: u32) -> Vec<KeyRow>;
    has_keys() -> bool;
    revoke_key(host: HostId, id: &KeyId) -> bool;
    mark_used(host: HostId, id: &KeyId, at: Timestamp) -> ();
    remove_sessions(host: HostId, before: Timestamp) -> u64;
    write_audit(entries: &[NewAudit]) -> ();
    audit(before: Option<i64>, limit: u32) -> Vec<AuditRow>;
    remove_audit(host: HostId, before: Timestamp, limit: u32) -> u64;
}

macro_rules! hand_on {
    ($($verb:ident($($name:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for Counted {
            async fn commit(&self, host: HostId, batch: &[Write]) -> Result<Vec<Written>> {
                self.count("commit");
                let written = self.inner.commit(host, batch).await?;
                self.enter(batch, &written);
                Ok(written)
            }

            fn pool(&self) -> PoolUse {
                self.inner.pool()
            }

            $(async fn $verb(&self, $($name: $kind),*) -> Result<$answer> {
                self.count(stringify!($verb));
                self.inner.$verb($($name),*).await
            })*
        }
    };
}

hand_on! {
    register(host: &NewHost) -> Timestamp;
    renew(host: HostId, streak: Streak) -> Renewal;
    look_for_work(host: HostId) -> Renewal;
    bury(host: HostId, lease: Lease) -> Vec<HostId>;
    await_end(host: HostId) -> ();
    retire(host: HostId) -> ();
    prune_hosts(host: HostId, before: Timestamp) -> u64;
    prune_limits(host: HostId) -> u64;
    pause_queue(host: HostId, queue: &Name, paused: Option<Timestamp>) -> ();
    queues(limit: u32) -> Vec<QueueRow>;
    paused_queues() -> Vec<(Name, Timestamp)>;
    tasks(filter: &TaskFilter) -> Vec<TaskRow>;
    task(id: TaskId) -> Option<TaskRow>;
    surroundings(limits: &[String], holders: Holders) -> Surroundings;
    hosts(limit: u32) -> Vec<HostRow>;
    keep() -> ();
    deploy(host: HostId, name: &Name, manifest: &Manifest, wasm: &[u8]) -> ModuleRow;
    activate(host: HostId, name: &Name, digest: ModuleDigest) -> bool;
    wasm(digest: ModuleDigest) -> Option<Vec<u8>>;
    module(digest: ModuleDigest) -> Option<ModuleRow>;
    modules(limit: u32) -> Vec<ModuleRow>;
    deployments(limit: u32) -> Vec<ModuleRow>;
    put_grant(host: HostId, module: &Name, granted: &Capabilities, by: (&str, Option<Timestamp>)) -> Option<Grant>;
    grant(module: &Name) -> Option<Grant>;
    grants_of(module: ModuleDigest) -> Vec<(Name, Option<Grant>)>;
    claim_executions(host: HostId, filter: &ClaimFilter, limit: u32) -> Vec<Snapshot>;
    claim_tasks(host: HostId, filter: &ClaimFilter, limit: u32) -> Vec<ClaimedTask>;
    claim_suspect(host: HostId, filter: &ClaimFilter) -> Option<Suspect>;
    snapshot(host: HostId, execution: ExecutionId) -> Option<Snapshot>;
    inbox(host: HostId, execution: ExecutionId) -> Option<Inbox>;
    end_task(host: HostId, task: &TaskRef, end: TaskEnd, notes: Vec<NotedBy>) -> Option<Delivered>;
    promote(host: HostId, now: Timestamp, limit: u32) -> u32;
    answer_followers(host: HostId, limit: u32) -> Followed;
    prune_results(host: HostId, now: Timestamp, limit: u32) -> u64;
    owned(host: HostId) -> (Vec<ExecutionId>, Vec<TaskRef>);
    stopping(host: HostId) -> Vec<StoppingTask>;
    stopped(host: HostId, stopped: StoppingTask) -> ();
    free(host: HostId, execution: ExecutionId) -> ();
    block(host: HostId, execution: ExecutionId, why: &Failure) -> ();
    deliver(host: HostId, execution: ExecutionId, arrival: &Arrival) -> Delivered;
    pause(host: HostId, execution: ExecutionId, paused: Option<Timestamp>) -> Delivered;
    revive(host: HostId, execution: ExecutionId, revival: &Revival) -> Revived;
    discard_dead_letters(host: HostId, ids: &[i64]) -> Vec<i64>;
    put_schedule(host: HostId, name: &Name, spec: &ScheduleSpec) -> Put;
    remove_schedule(host: HostId, name: &Name) -> bool;
    pause_schedule(host: HostId, name: &Name, paused: Option<Timestamp>) -> Option<ScheduleRow>;
    trigger(host: HostId, trigger: &Trigger) -> Triggered;
    fire(host: HostId, planned: &[Planned]) -> Vec<Fired>;
    due_schedules(now: Timestamp, limit: u32) -> Vec<ScheduleRow>;
    schedule(name: &Name) -> Option<ScheduleRow>;
    schedules(after: Option<&Name>, limit: u32) -> Vec<ScheduleRow>;
    execution(id: ExecutionId) -> Option<ExecutionView>;
    state(id: ExecutionId) -> Option<ExecutionState>;
    result(id: ExecutionId) -> Option<Ended>;
    executions(filter: &ExecutionFilter) -> ExecutionPage;
    changes(after: (Timestamp, ExecutionId), limit: u32) -> Vec<Change>;
    journal(id: ExecutionId, after: Seq, limit: u32) -> JournalPage;
    logs(id: ExecutionId, after: i64, limit: u32) -> Vec<LogLine>;
    failed_attempts(id: ExecutionId, after: i64, limit: u32) -> Vec<LogLine>;
    remove_executions(host: HostId, old: &Old, limit: u32) -> Removed;
    remove_dead_letters(host: HostId, before: Timestamp, limit: u32) -> u64;
    remove_logs(host: HostId, before: Timestamp, limit: u32) -> u64;
    removable(states: &[ExecutionState], before: Timestamp, now: Timestamp) -> Removable;
    dead_letters(filter: &LetterFilter, before: Option<i64>, limit: u32) -> Vec<DeadLetter>;
    letter_counts(filter: &LetterFilter, limit: u32) -> Vec<LetterCount>;
    argument(id: ExecutionId, at: (Seq, u32)) -> Option<Payload>;
    dead_letter(id: i64) -> Option<DeadLetter>;
    counts() -> Counts;
    now() -> Timestamp;
}
