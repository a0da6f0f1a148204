//! Every bound of the house, by name, in one place.

use std::time::Duration;

use super::{DoorLimits, EgressLimits, Lease, Retention};

/// The limits of one host. Each error that comes from one names it; `docs/limits.md` lists them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// One input, result, signal or detail, in bytes.
    pub payload_bytes_max: usize,
    /// One uploaded component, in bytes.
    pub module_bytes_max: usize,
    /// Entries of one journal.
    pub journal_entries_max: u64,
    /// Bytes of one journal.
    pub journal_bytes_max: u64,
    /// Hot workflow instances.
    pub hot_max: usize,
    /// Linear memory of all hot instances together, in bytes.
    pub hot_bytes_max: u64,
    /// How long a waiting instance stays in memory.
    pub hot_for: Duration,
    /// Step attempts at once on this host.
    pub max_concurrency: usize,
    /// How long a call waits for a free slot of its own host before it becomes a task for any host.
    pub local_wait: Duration,
    /// Workflow activations at once on this host, hot ones included.
    pub activations_max: usize,
    /// How long commands may wait for an event to travel with.
    pub lazy_for: Duration,
    /// Writes that may wait for the committer; more are answered 503.
    pub committer_queue_max: usize,
    /// Writes that one transaction takes.
    pub commit_batch_max: usize,
    /// Fuel of one step attempt.
    pub step_fuel: u64,
    /// Fuel of a workflow between two calls of `next`.
    pub segment_fuel: u64,
    /// Wall clock of a workflow between two calls of `next`; beyond it the activation is begun again.
    pub segment_time_max: Duration,
    /// Linear memory of one guest, over all its memories, in bytes.
    pub guest_memory_bytes_max: usize,
    /// Entries of one guest table.
    pub guest_table_elements_max: usize,
    /// What one attempt may log or print, in bytes; more is dropped.
    pub log_bytes_max: usize,
    /// Promises of one execution that may be open at once.
    pub open_promises_max: usize,
    /// Signals of one execution that nobody has received.
    pub unreceived_signals_max: usize,
    /// Schedules that there may be.
    pub schedules_max: usize,
    /// How long a cancelled or timed out execution may compensate.
    pub compensate_for: Duration,
    /// How long a host is taken to live without a word from it, where it is not alone.
    pub lease: Lease,
    /// Losses in a row without a new entry after which an execution or task is suspected and run alone.
    pub suspect_after: u32,
    /// How long nothing new is begun beside a suspect at most.
    pub suspect_alone_for: Duration,
    /// Losses in a row without a new entry after which an execution or task is put aside.
    pub losses_max: u32,
    /// The shortest and longest pause between two polls.
    pub poll_interval: (Duration, Duration),
    /// Executions that one list request returns.
    pub page_max: u32,
    /// Rows that one page of executions reads through, where no index of its own answers what was asked for.
    pub page_reads_max: u32,
    /// How long `wait` may wait.
    pub wait_max: Duration,
    /// Journals that may be followed at once.
    pub followers_max: usize,
    /// How long work in flight is waited for when the host stops.
    pub drain_timeout: Duration,
    /// How long what has ended is kept.
    pub retention: Retention,
    /// What requests of steps may use.
    pub egress: EgressLimits,
    /// What those who connect may use.
    pub door: DoorLimits,
}

impl Limits {
    /// The defaults for a host with that many cores.
    pub fn for_cores(cores: usize) -> Self {
        Self {
            payload_bytes_max: 1 << 20,
            module_bytes_max: 32 << 20,
            journal_entries_max: 500_000,
            journal_bytes_max: 256 << 20,
            hot_max: 2_000,
            hot_bytes_max: 1 << 30,
            hot_for: Duration::from_secs(10),
            max_concurrency: 10 * cores,
            local_wait: Duration::from_millis(20),
            activations_max: 2_000,
            lazy_for: Duration::from_millis(20),
            committer_queue_max: 4_096,
            commit_batch_max: 512,
            step_fuel: 10_000_000_000,
            segment_fuel: 1_000_000_000,
            segment_time_max: Duration::from_secs(30),
            guest_memory_bytes_max: 64 << 20,
            guest_table_elements_max: 20_000,
            log_bytes_max: 1 << 20,
            open_promises_max: 100_000,
            unreceived_signals_max: 10_000,
            schedules_max: 10_000,
            compensate_for: Duration::from_secs(300),
            lease: Lease::default(),
            suspect_after: 2,
            suspect_alone_for: Duration::from_secs(60),
            losses_max: 5,
            poll_interval: (Duration::from_millis(100), Duration::from_secs(5)),
            page_max: 1_000,
            page_reads_max: 10_000,
            wait_max: Duration::from_secs(60),
            followers_max: 1_000,
            drain_timeout: Duration::from_secs(30),
            retention: Retention::default(),
            egress: EgressLimits::default(),
            door: DoorLimits::default(),
        }
    }
}
