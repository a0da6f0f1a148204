//! The one engine of the process: what guests may use, and how their instances are kept.

use std::num::NonZeroUsize;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

use super::SandboxError;
use crate::model::Limits;

/// Core instances of one component: a Rust module has three, of which two are shims.
pub(super) const CORE_INSTANCES_MAX: u32 = 64;
/// Linear memories of one component, over all its core instances.
pub(super) const MEMORIES_MAX: u32 = 8;
/// Tables of one component, over all its core instances.
pub(super) const TABLES_MAX: u32 = 16;

/// Bytes of native stack that a guest may use. Going past them is a trap.
const STACK_BYTES_MAX: usize = 256 << 10;
/// Frames of a backtrace.
const BACKTRACE_FRAMES_MAX: usize = 16;
/// Address space of one linear memory before it has to move or check bounds. Compiled code depends on it, so it is the same
/// on every host.
const MEMORY_RESERVATION_BYTES: u64 = 64 << 20;
/// Instances that may exist besides the hot ones and the attempts: those of `describe`, and those being dropped.
const SPARE_INSTANCES: usize = 64;

/// The engine that runs guests, with a pool of as many instances as this host ever holds.
pub(super) fn running(limits: &Limits) -> Result<Engine, SandboxError> {
    let mut config = shared();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    Engine::new(&config).map_err(|error| SandboxError::set_up("the engine", error))
}

/// The engine of the compiler's process: the same code comes out, and no pool is reserved.
pub(super) fn compiling() -> wasmtime::Result<Engine> {
    let mut config = shared();
    // The process has a bound on its memory and on its time: one thread uses the least of both.
    config.parallel_compilation(false);
    Engine::new(&config)
}

/// Everything that decides which code comes out of the compiler.
fn shared() -> Config {
    let mut config = Config::new();
    config
        // The only meter of computation: the same on every host and at every level of optimisation.
        .consume_fuel(true)
        .epoch_interruption(false)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true);
    config
        // Threads, exceptions and typed references are off already: their cargo features are.
        .wasm_component_model_async(false)
        .shared_memory(false)
        .wasm_memory64(false)
        .wasm_gc(false)
        .gc_support(false)
        .wasm_tail_call(false)
        .wasm_relaxed_simd(false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false);
    // `wasm_multi_memory` stays on: turned off, a valid component whose instances hand each other strings makes the compiler
    // panic. Admission refuses core modules with several memories.
    config
        .max_wasm_stack(STACK_BYTES_MAX)
        .async_stack_size(1 << 20)
        .async_stack_zeroing(true)
        .wasm_backtrace_max_frames(NonZeroUsize::new(BACKTRACE_FRAMES_MAX))
        .wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config
        .memory_reservation(MEMORY_RESERVATION_BYTES)
        .memory_guard_size(64 << 10)
        .memory_reservation_for_growth(0)
        .memory_init_cow(true);
    config
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let instances =
        limits.hot_max.max(limits.activations_max) + limits.max_concurrency + SPARE_INSTANCES;
    let instances = u32::try_from(instances).unwrap_or(u32::MAX / 8);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_stacks(instances)
        .total_core_instances(instances.saturating_mul(4))
        .total_memories(instances)
        .total_tables(instances.saturating_mul(2))
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_memory_size(limits.guest_memory_bytes_max)
        .table_elements(limits.guest_table_elements_max)
        .max_component_instance_size(1 << 20);
    pool.max_unused_warm_slots(64)
        .decommit_batch_size(16)
        .linear_memory_keep_resident(512 << 10)
        .table_keep_resident(64 << 10)
        // Zeroed at the end of every attempt, so no more of it than guests commonly use; the rest is given back.
        .async_stack_keep_resident(16 << 10)
        .pagemap_scan(Enabled::Auto);
    pool
}
