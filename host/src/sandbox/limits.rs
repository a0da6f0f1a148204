//! What one instance may hold: linear memory over all its memories, and tables.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::ResourceLimiter;

use super::engine::{CORE_INSTANCES_MAX, MEMORIES_MAX, TABLES_MAX};
use crate::model::Limits;

/// The bounds of one store. A refusal makes `memory.grow` and `table.grow` answer -1, which depends on nothing but the
/// limits, so a workflow that goes on from there does the same on every replay.
#[derive(Debug)]
pub(super) struct Bounds {
    memory_bytes_max: usize,
    memory_bytes: usize,
    memory_peak_bytes: usize,
    table_elements_max: usize,
    table_elements: usize,
    refused: Option<Refused>,
    /// The same as `memory_bytes`, for whoever watches from outside.
    seen: Arc<AtomicU64>,
}

/// What was asked for and not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Linear memory; so many bytes in all would it have been.
    Memory(usize),
    /// Table entries; so many in all would it have been.
    Table(usize),
}

impl Bounds {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            memory_bytes_max: limits.guest_memory_bytes_max,
            memory_bytes: 0,
            memory_peak_bytes: 0,
            table_elements_max: limits.guest_table_elements_max,
            table_elements: 0,
            refused: None,
            seen: Arc::default(),
        }
    }

    /// The last thing that was refused, if anything was.
    pub(super) fn refused(&self) -> Option<Refused> {
        self.refused
    }

    /// The most linear memory that was held at once, in bytes.
    pub(super) fn memory_peak_bytes(&self) -> u64 {
        self.memory_peak_bytes as u64
    }

    /// The linear memory that is held, in bytes, as it changes.
    pub(super) fn watch(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.seen)
    }

    /// How many bytes of linear memory, and how many table entries, there may be.
    pub(super) fn maxima(&self) -> (usize, usize) {
        (self.memory_bytes_max, self.table_elements_max)
    }
}

impl ResourceLimiter for Bounds {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _declared: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let sum = self.memory_bytes.saturating_sub(current).saturating_add(desired);
        if sum > self.memory_bytes_max {
            self.refused = Some(Refused::Memory(sum));
            return Ok(false);
        }
        self.memory_bytes = sum;
        self.memory_peak_bytes = self.memory_peak_bytes.max(sum);
        self.seen.store(sum as u64, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _declared: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let sum = self.table_elements.saturating_sub(current).saturating_add(desired);
        if sum > self.table_elements_max {
            self.refused = Some(Refused::Table(sum));
            return Ok(false);
        }
        self.table_elements = sum;
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX as usize
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_counted_together() {
        let limits = Limits { guest_memory_bytes_max: 100, ..Limits::for_cores(1) };
        let mut bounds = Bounds::new(&limits);

        assert!(bounds.memory_growing(0, 60, None).unwrap());
        assert!(!bounds.memory_growing(0, 60, None).unwrap());
        assert!(bounds.memory_growing(60, 100, None).unwrap());

        assert_eq!(bounds.memory_peak_bytes(), 100);
        assert_eq!(bounds.refused(), Some(Refused::Memory(120)));
    }
}
