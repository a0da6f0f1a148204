//! The real store with a fault before it.

use std::sync::Arc;

use async_trait::async_trait;
use stepwell::journal::{Arrival, Ended};
use stepwell::model::{
    Capabilities, ExecutionId, ExecutionState, Failure, Grant, HostId, Lease, Manifest,
    ModuleDigest, Name, Payload, ScheduleSpec, Seq, TaskId, Timestamp,
};
use stepwell::store::{
    Change, ClaimFilter, ClaimedTask, Counts, DeadLetter, Delivered, ExecutionFilter,
    ExecutionPage, ExecutionView, Fired, Followed, Holders, HostRow, Inbox, JournalPage,
    LetterCount, LetterFilter, LogLine, ModuleRow, NewHost, NotedBy, Old, Planned, PoolUse, Put,
    QueueRow, Removable, Removed, Renewal, Result, Revival, Revived, ScheduleRow, Snapshot,
    StoppingTask, Store, Streak, Surroundings, Suspect, TaskEnd, TaskFilter, TaskRef, TaskRow,
    Trigger, Triggered, Write, Written,
};

use super::Fault;

/// A store that a fault strikes.
#[derive(Debug)]
pub(crate) struct DyingStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) fault: Arc<Fault>,
}

#[async_trait]
impl Store for DyingStore {
    async fn register(&self, host: &NewHost) -> Result<Timestamp> {
        self.fault.read(self.inner.register(host)).await
    }

    async fn renew(&self, host: HostId, streak: Streak) -> Result<Renewal> {
        self.fault.read(self.inner.renew(host, streak)).await
    }

    async fn look_for_work(&self, host: HostId) -> Result<Renewal> {
        self.fault.read(self.inner.look_for_work(host)).await
    }

    async fn bury(&self, host: HostId, lease: Lease) -> Result<Vec<HostId>> {
        self.fault.write(self.inner.bury(host, lease)).await
    }

    async fn await_end(&self, host: HostId) -> Result<()> {
        self.fault.read(self.inner.await_end(host)).await
    }

    async fn retire(&self, host: HostId) -> Result<()> {
        self.fault.read(self.inner.retire(host)).await
    }

    async fn prune_hosts(&self, host: HostId, before: Timestamp) -> Result<u64> {
        self.fault.read(self.inner.prune_hosts(host, before)).await
    }

    async fn hosts(&self, limit: u32) -> Result<Vec<HostRow>> {
        self.fault.read(self.inner.hosts(limit)).await
    }

    async fn keep(&self) -> Result<()> {
        self.fault.read(self.inner.keep()).await
    }

    async fn deploy(
        &self,
        host: HostId,
        name: &Name,
        manifest: &Manifest,
        wasm: &[u8],
    ) -> Result<ModuleRow> {
        self.fault.read(self.inner.deploy(host, name, manifest, wasm)).await
    }

    async fn activate(&self, host: HostId, name: &Name, digest: ModuleDigest) -> Result<bool> {
        self.fault.read(self.inner.activate(host, name, digest)).await
    }

    async fn wasm(&self, digest: ModuleDigest) -> Result<Option<Vec<u8>>> {
        self.fault.read(self.inner.wasm(digest)).await
    }

    async fn module(&self, digest: ModuleDigest) -> Result<Option<ModuleRow>> {
        self.fault.read(self.inner.module(digest)).await
    }

    async fn modules(&self, limit: u32) -> Result<Vec<ModuleRow>> {
        self.fault.read(self.inner.modules(limit)).await
    }

    async fn deployments(&self, limit: u32) -> Result<Vec<ModuleRow>> {
        self.fault.read(self.inner.deployments(limit)).await
    }

    async fn put_grant(
        &self,
        host: HostId,
        module: &Name,
        granted: &Capabilities,
        by: (&str, Option<Timestamp>),
    ) -> Result<Option<Grant>> {
        self.fault.read(self.inner.put_grant(host, module, granted, by)).await
    }

    async fn grant(&self, module: &Name) -> Result<Option<Grant>> {
        self.fault.read(self.inner.grant(module)).await
    }

    async fn grants_of(&self, module: ModuleDigest) -> Result<Vec<(Name, Option<Grant>)>> {
        self.fault.read(self.inner.grants_of(module)).await
    }

    async fn commit(&self, host: HostId, batch: &[Write]) -> Result<Vec<Written>> {
        self.fault.write(self.inner.commit(host, batch)).await
    }

    async fn claim_executions(
        &self,
        host: HostId,
        filter: &ClaimFilter,
        limit: u32,
    ) -> Result<Vec<Snapshot>> {
        let claim = self.inner.claim_executions(host, filter, limit);
        self.fault.take(claim, |claimed| !claimed.is_empty()).await
    }

    async fn claim_tasks(
        &self,
        host: HostId,
        filter: &ClaimFilter,
        limit: u32,
    ) -> Result<Vec<ClaimedTask>> {
        let claim = self.inner.claim_tasks(host, filter, limit);
        self.fault.take(claim, |claimed| !claimed.is_empty()).await
    }

    async fn claim_suspect(&self, host: HostId, filter: &ClaimFilter) -> Result<Option<Suspect>> {
        self.fault.write(self.inner.claim_suspect(host, filter)).await
    }

    async fn snapshot(&self, host: HostId, execution: ExecutionId) -> Result<Option<Snapshot>> {
        self.fault.read(self.inner.snapshot(host, execution)).await
    }

    async fn inbox(&self, host: HostId, execution: ExecutionId) -> Result<Option<Inbox>> {
        self.fault.read(self.inner.inbox(host, execution)).await
    }

    async fn end_task(
        &self,
        host: HostId,
        task: &TaskRef,
        end: TaskEnd,
        notes: Vec<NotedBy>,
    ) -> Result<Option<Delivered>> {
        self.fault.write(self.inner.end_task(host, task, end, notes)).await
    }

    async fn promote(&self, host: HostId, now: Timestamp, limit: u32) -> Result<u32> {
        self.fault.take(self.inner.promote(host, now, limit), |promoted| *promoted > 0).await
    }

    async fn prune_limits(&self, host: HostId) -> Result<u64> {
        self.fault.read(self.inner.prune_limits(host)).await
    }

    async fn answer_followers(&self, host: HostId, limit: u32) -> Result<Followed> {
        self.fault.take(self.inner.answer_followers(host, limit), |told| told.count > 0).await
    }

    async fn prune_results(&self, host: HostId, now: Timestamp, limit: u32) -> Result<u64> {
        self.fault.read(self.inner.prune_results(host, now, limit)).await
    }

    async fn owned(&self, host: HostId) -> Result<(Vec<ExecutionId>, Vec<TaskRef>)> {
        self.fault.read(self.inner.owned(host)).await
    }

    async fn stopping(&self, host: HostId) -> Result<Vec<StoppingTask>> {
        self.fault.read(self.inner.stopping(host)).await
    }

    async fn stopped(&self, host: HostId, stopped: StoppingTask) -> Result<()> {
        self.fault.write(self.inner.stopped(host, stopped)).await
    }

    async fn free(&self, host: HostId, execution: ExecutionId) -> Result<()> {
        self.fault.write(self.inner.free(host, execution)).await
    }

    async fn block(&self, host: HostId, execution: ExecutionId, why: &Failure) -> Result<()> {
        self.fault.write(self.inner.block(host, execution, why)).await
    }

    async fn deliver(
        &self,
        host: HostId,
        execution: ExecutionId,
        arrival: &Arrival,
    ) -> Result<Delivered> {
        self.fault.write(self.inner.deliver(host, execution, arrival)).await
    }

    async fn pause(
        &self,
        host: HostId,
        execution: ExecutionId,
        paused: Option<Timestamp>,
    ) -> Result<Delivered> {
        self.fault.write(self.inner.pause(host, execution, paused)).await
    }

    async fn pause_queue(
        &self,
        host: HostId,
        queue: &Name,
        paused: Option<Timestamp>,
    ) -> Result<()> {
        self.fault.write(self.inner.pause_queue(host, queue, paused)).await
    }

    async fn queues(&self, limit: u32) -> Result<Vec<QueueRow>> {
        self.fault.read(self.inner.queues(limit)).await
    }

    async fn paused_queues(&self) -> Result<Vec<(Name, Timestamp)>> {
        self.fault.read(self.inner.paused_queues()).await
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>> {
        self.fault.read(self.inner.tasks(filter)).await
    }

    async fn task(&self, id: TaskId) -> Result<Option<TaskRow>> {
        self.fault.read(self.inner.task(id)).await
    }

    async fn surroundings(&self, limits: &[String], holders: Holders) -> Result<Surroundings> {
        self.fault.read(self.inner.surroundings(limits, holders)).await
    }

    async fn revive(
        &self,
        host: HostId,
        execution: ExecutionId,
        revival: &Revival,
    ) -> Result<Revived> {
        self.fault.write(self.inner.revive(host, execution, revival)).await
    }

    async fn discard_dead_letters(&self, host: HostId, ids: &[i64]) -> Result<Vec<i64>> {
        self.fault.write(self.inner.discard_dead_letters(host, ids)).await
    }

    async fn put_schedule(&self, host: HostId, name: &Name, spec: &ScheduleSpec) -> Result<Put> {
        self.fault.write(self.inner.put_schedule(host, name, spec)).await
    }

    async fn remove_schedule(&self, host: HostId, name: &Name) -> Result<bool> {
        self.fault.write(self.inner.remove_schedule(host, name)).await
    }

    async fn pause_schedule(
        &self,
        host: HostId,
        name: &Name,
        paused: Option<Timestamp>,
    ) -> Result<Option<ScheduleRow>> {
        self.fault.write(self.inner.pause_schedule(host, name, paused)).await
    }

    async fn trigger(&self, host: HostId, trigger: &Trigger) -> Result<Triggered> {
        self.fault.write(self.inner.trigger(host, trigger)).await
    }

    async fn fire(&self, host: HostId, planned: &[Planned]) -> Result<Vec<Fired>> {
        let firing = self.inner.fire(host, planned);
        self.fault.take(firing, |fired| !fired.is_empty()).await
    }

    async fn due_schedules(&self, now: Timestamp, limit: u32) -> Result<Vec<ScheduleRow>> {
        self.fault.read(self.inner.due_schedules(now, limit)).await
    }

    async fn schedule(&self, name: &Name) -> Result<Option<ScheduleRow>> {
        self.fault.read(self.inner.schedule(name)).await
    }

    async fn schedules(&self, after: Option<&Name>, limit: u32) -> Result<Vec<ScheduleRow>> {
        self.fault.read(self.inner.schedules(after, limit)).await
    }

    async fn remove_executions(&self, host: HostId, old: &Old, limit: u32) -> Result<Removed> {
        self.fault.write(self.inner.remove_executions(host, old, limit)).await
    }

    async fn remove_dead_letters(
        &self,
        host: HostId,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64> {
        self.fault.read(self.inner.remove_dead_letters(host, before, limit)).await
    }

    async fn remove_logs(&self, host: HostId, before: Timestamp, limit: u32) -> Result<u64> {
        self.fault.read(self.inner.remove_logs(host, before, limit)).await
    }

    async fn removable(
        &self,
        states: &[ExecutionState],
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Removable> {
        self.fault.read(self.inner.removable(states, before, now)).await
    }

    async fn execution(&self, id: ExecutionId) -> Result<Option<ExecutionView>> {
        self.fault.read(self.inner.execution(id)).await
    }

    async fn state(&self, id: ExecutionId) -> Result<Option<ExecutionState>> {
        self.fault.read(self.inner.state(id)).await
    }

    async fn result(&self, id: ExecutionId) -> Result<Option<Ended>> {
        self.fault.read(self.inner.result(id)).await
    }

    async fn executions(&self, filter: &ExecutionFilter) -> Result<ExecutionPage> {
        self.fault.read(self.inner.executions(filter)).await
    }

    async fn changes(&self, after: (Timestamp, ExecutionId), limit: u32) -> Result<Vec<Change>> {
        self.fault.read(self.inner.changes(after, limit)).await
    }

    async fn journal(&self, id: ExecutionId, after: Seq, limit: u32) -> Result<JournalPage> {
        self.fault.read(self.inner.journal(id, after, limit)).await
    }

    async fn logs(&self, id: ExecutionId, after: i64, limit: u32) -> Result<Vec<LogLine>> {
        self.fault.read(self.inner.logs(id, after, limit)).await
    }

    async fn failed_attempts(
        &self,
        id: ExecutionId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<LogLine>> {
        self.fault.read(self.inner.failed_attempts(id, after, limit)).await
    }

    async fn dead_letters(
        &self,
        filter: &LetterFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>> {
        self.fault.read(self.inner.dead_letters(filter, before, limit)).await
    }

    async fn letter_counts(&self, filter: &LetterFilter, limit: u32) -> Result<Vec<LetterCount>> {
        self.fault.read(self.inner.letter_counts(filter, limit)).await
    }

    async fn argument(&self, id: ExecutionId, at: (Seq, u32)) -> Result<Option<Payload>> {
        self.fault.read(self.inner.argument(id, at)).await
    }

    async fn dead_letter(&self, id: i64) -> Result<Option<DeadLetter>> {
        self.fault.read(self.inner.dead_letter(id)).await
    }

    async fn counts(&self) -> Result<Counts> {
        self.fault.read(self.inner.counts()).await
    }

    async fn now(&self) -> Result<Timestamp> {
        self.fault.read(self.inner.now()).await
    }

    fn pool(&self) -> PoolUse {
        self.inner.pool()
    }
}
