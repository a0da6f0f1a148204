//! Every verb of [`Store`], and the file that carries it out.

use async_trait::async_trait;

use super::SqlStore;
use crate::journal::{Arrival, Ended};
use crate::model::{
    Capabilities, ExecutionId, ExecutionState, Failure, Grant, HostId, Lease, Manifest,
    ModuleDigest, Name, Payload, ScheduleSpec, Seq, TaskId, Timestamp,
};
use crate::store::dialect::Dialect;
use crate::store::schedule::{Fired, Planned, Put, ScheduleRow, Trigger, Triggered};
use crate::store::snapshot::{ClaimedTask, Inbox, Snapshot, Suspect};
use crate::store::view::{
    Change, Counts, DeadLetter, Delivered, ExecutionFilter, ExecutionPage, ExecutionView, Followed,
    HostRow, JournalPage, LetterCount, LetterFilter, LogLine, ModuleRow, NewHost, Old, Removable,
    Removed, Renewal, Revived, StoppingTask, Streak,
};
use crate::store::waiting::{Holders, QueueRow, Surroundings, TaskFilter, TaskRow};
use crate::store::write::{NotedBy, TaskEnd, Write, Written};
use crate::store::{ClaimFilter, PoolUse, Result, Revival, Store, TaskRef};

#[async_trait]
impl<D: Dialect> Store for SqlStore<D> {
    async fn register(&self, host: &NewHost) -> Result<Timestamp> {
        self.register_host(host).await
    }

    async fn renew(&self, host: HostId, streak: Streak) -> Result<Renewal> {
        self.renew_lease(host, streak).await
    }

    async fn look_for_work(&self, host: HostId) -> Result<Renewal> {
        self.find_work(host).await
    }

    async fn bury(&self, host: HostId, lease: Lease) -> Result<Vec<HostId>> {
        self.bury_expired(host, lease).await
    }

    async fn await_end(&self, host: HostId) -> Result<()> {
        self.await_end_of(host).await
    }

    async fn retire(&self, host: HostId) -> Result<()> {
        self.retire_host(host).await
    }

    async fn prune_hosts(&self, host: HostId, before: Timestamp) -> Result<u64> {
        self.prune_dead_hosts(host, before).await
    }

    async fn hosts(&self, limit: u32) -> Result<Vec<HostRow>> {
        self.list_hosts(limit).await
    }

    async fn keep(&self) -> Result<()> {
        Ok(self.dialect.keep().await?)
    }

    async fn deploy(
        &self,
        host: HostId,
        name: &Name,
        manifest: &Manifest,
        wasm: &[u8],
    ) -> Result<ModuleRow> {
        self.deploy_module(host, name, manifest, wasm).await
    }

    async fn activate(&self, host: HostId, name: &Name, digest: ModuleDigest) -> Result<bool> {
        self.activate_module(host, name, digest).await
    }

    async fn wasm(&self, digest: ModuleDigest) -> Result<Option<Vec<u8>>> {
        self.read_wasm(digest).await
    }

    async fn module(&self, digest: ModuleDigest) -> Result<Option<ModuleRow>> {
        self.read_module(digest).await
    }

    async fn modules(&self, limit: u32) -> Result<Vec<ModuleRow>> {
        self.list_modules(limit).await
    }

    async fn deployments(&self, limit: u32) -> Result<Vec<ModuleRow>> {
        self.list_deployments(limit).await
    }

    async fn put_grant(
        &self,
        host: HostId,
        module: &Name,
        granted: &Capabilities,
        (by, seen_at): (&str, Option<Timestamp>),
    ) -> Result<Option<Grant>> {
        self.write_grant(host, module, granted, (by, seen_at)).await
    }

    async fn grant(&self, module: &Name) -> Result<Option<Grant>> {
        self.read_grant(module).await
    }

    async fn grants_of(&self, module: ModuleDigest) -> Result<Vec<(Name, Option<Grant>)>> {
        self.read_grants_of(module).await
    }

    async fn commit(&self, host: HostId, batch: &[Write]) -> Result<Vec<Written>> {
        self.commit_batch(host, batch).await
    }

    async fn claim_executions(
        &self,
        host: HostId,
        filter: &ClaimFilter,
        limit: u32,
    ) -> Result<Vec<Snapshot>> {
        self.claim_ready_executions(host, filter, limit).await
    }

    async fn claim_tasks(
        &self,
        host: HostId,
        filter: &ClaimFilter,
        limit: u32,
    ) -> Result<Vec<ClaimedTask>> {
        self.claim_ready_tasks(host, filter, limit).await
    }

    async fn claim_suspect(&self, host: HostId, filter: &ClaimFilter) -> Result<Option<Suspect>> {
        self.claim_one_suspect(host, filter).await
    }

    async fn snapshot(&self, host: HostId, execution: ExecutionId) -> Result<Option<Snapshot>> {
        self.read_snapshot(host, execution).await
    }

    async fn inbox(&self, host: HostId, execution: ExecutionId) -> Result<Option<Inbox>> {
        self.read_inbox(host, execution).await
    }

    async fn end_task(
        &self,
        host: HostId,
        task: &TaskRef,
        end: TaskEnd,
        notes: Vec<NotedBy>,
    ) -> Result<Option<Delivered>> {
        self.end_attempt(host, task, end, notes).await
    }

    async fn promote(&self, host: HostId, now: Timestamp, limit: u32) -> Result<u32> {
        self.promote_due(host, now, limit).await
    }

    async fn prune_limits(&self, host: HostId) -> Result<u64> {
        self.prune_unused_limits(host).await
    }

    async fn answer_followers(&self, host: HostId, limit: u32) -> Result<Followed> {
        self.answer_waiting(host, limit).await
    }

    async fn prune_results(&self, host: HostId, now: Timestamp, limit: u32) -> Result<u64> {
        self.prune_kept_results(host, now, limit).await
    }

    async fn owned(&self, host: HostId) -> Result<(Vec<ExecutionId>, Vec<TaskRef>)> {
        self.read_owned(host).await
    }

    async fn stopping(&self, host: HostId) -> Result<Vec<StoppingTask>> {
        self.read_stopping(host).await
    }

    async fn stopped(&self, host: HostId, stopped: StoppingTask) -> Result<()> {
        self.free_stopped(host, stopped).await
    }

    async fn block(&self, host: HostId, execution: ExecutionId, why: &Failure) -> Result<()> {
        self.block_execution(host, execution, why).await
    }

    async fn free(&self, host: HostId, execution: ExecutionId) -> Result<()> {
        self.free_execution(host, execution).await
    }

    async fn deliver(
        &self,
        host: HostId,
        execution: ExecutionId,
        arrival: &Arrival,
    ) -> Result<Delivered> {
        self.deliver_arrival(host, execution, arrival).await
    }

    async fn pause(
        &self,
        host: HostId,
        execution: ExecutionId,
        paused: Option<Timestamp>,
    ) -> Result<Delivered> {
        self.pause_execution(host, execution, paused).await
    }

    async fn pause_queue(
        &self,
        host: HostId,
        queue: &Name,
        paused: Option<Timestamp>,
    ) -> Result<()> {
        self.set_queue_paused(host, queue, paused).await
    }

    async fn queues(&self, limit: u32) -> Result<Vec<QueueRow>> {
        self.list_queues(limit).await
    }

    async fn paused_queues(&self) -> Result<Vec<(Name, Timestamp)>> {
        self.read_paused_queues().await
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>> {
        self.list_tasks(filter).await
    }

    async fn task(&self, id: TaskId) -> Result<Option<TaskRow>> {
        self.read_task(id).await
    }

    async fn surroundings(&self, limits: &[String], holders: Holders) -> Result<Surroundings> {
        self.look_around(limits, holders).await
    }

    async fn revive(
        &self,
        host: HostId,
        execution: ExecutionId,
        revival: &Revival,
    ) -> Result<Revived> {
        self.revive_execution(host, execution, revival).await
    }

    async fn discard_dead_letters(&self, host: HostId, ids: &[i64]) -> Result<Vec<i64>> {
        self.discard_letters(host, ids).await
    }

    async fn put_schedule(&self, host: HostId, name: &Name, spec: &ScheduleSpec) -> Result<Put> {
        self.write_schedule(host, name, spec).await
    }

    async fn remove_schedule(&self, host: HostId, name: &Name) -> Result<bool> {
        self.delete_schedule(host, name).await
    }

    async fn pause_schedule(
        &self,
        host: HostId,
        name: &Name,
        paused: Option<Timestamp>,
    ) -> Result<Option<ScheduleRow>> {
        self.halt_schedule(host, name, paused).await
    }

    async fn trigger(&self, host: HostId, trigger: &Trigger) -> Result<Triggered> {
        self.trigger_schedule(host, trigger).await
    }

    async fn fire(&self, host: HostId, planned: &[Planned]) -> Result<Vec<Fired>> {
        self.fire_schedules(host, planned).await
    }

    async fn due_schedules(&self, now: Timestamp, limit: u32) -> Result<Vec<ScheduleRow>> {
        self.read_due_schedules(now, limit).await
    }

    async fn schedule(&self, name: &Name) -> Result<Option<ScheduleRow>> {
        self.read_schedule(name).await
    }

    async fn schedules(&self, after: Option<&Name>, limit: u32) -> Result<Vec<ScheduleRow>> {
        self.list_schedules(after, limit).await
    }

    async fn remove_executions(&self, host: HostId, old: &Old, limit: u32) -> Result<Removed> {
        self.remove_old_executions(host, old, limit).await
    }

    async fn remove_dead_letters(
        &self,
        host: HostId,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64> {
        self.remove_old_letters(host, before, limit).await
    }

    async fn remove_logs(&self, host: HostId, before: Timestamp, limit: u32) -> Result<u64> {
        self.remove_old_logs(host, before, limit).await
    }

    async fn removable(
        &self,
        states: &[ExecutionState],
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Removable> {
        self.count_removable(states, before, now).await
    }

    async fn execution(&self, id: ExecutionId) -> Result<Option<ExecutionView>> {
        self.view_execution(id).await
    }

    async fn state(&self, id: ExecutionId) -> Result<Option<ExecutionState>> {
        self.read_progress(id).await
    }

    async fn result(&self, id: ExecutionId) -> Result<Option<Ended>> {
        self.read_result(id).await
    }

    async fn executions(&self, filter: &ExecutionFilter) -> Result<ExecutionPage> {
        self.list_executions(filter).await
    }

    async fn changes(&self, after: (Timestamp, ExecutionId), limit: u32) -> Result<Vec<Change>> {
        self.list_changes(after, limit).await
    }

    async fn journal(&self, id: ExecutionId, after: Seq, limit: u32) -> Result<JournalPage> {
        self.page_journal(id, after, limit).await
    }

    async fn logs(&self, id: ExecutionId, after: i64, limit: u32) -> Result<Vec<LogLine>> {
        self.page_logs(id, after, limit).await
    }

    async fn failed_attempts(
        &self,
        id: ExecutionId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<LogLine>> {
        self.page_failed_attempts(id, after, limit).await
    }

    async fn dead_letters(
        &self,
        filter: &LetterFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>> {
        self.list_dead_letters(filter, before, limit).await
    }

    async fn letter_counts(&self, filter: &LetterFilter, limit: u32) -> Result<Vec<LetterCount>> {
        self.count_letters_by_step(filter, limit).await
    }

    async fn argument(&self, id: ExecutionId, at: (Seq, u32)) -> Result<Option<Payload>> {
        self.read_argument(id, at).await
    }

    async fn dead_letter(&self, id: i64) -> Result<Option<DeadLetter>> {
        self.read_dead_letter(id).await
    }

    async fn counts(&self) -> Result<Counts> {
        self.count_all().await
    }

    async fn now(&self) -> Result<Timestamp> {
        self.read_now().await
    }

    fn pool(&self) -> PoolUse {
        self.dialect.pool()
    }
}
