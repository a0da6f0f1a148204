//! Spans, told once each, by whoever made durable what they are of.

use std::fmt;

use super::{SpanId, Trace};
use crate::model::{ExecutionId, ExecutionState, Name, Promise, Run, StepUsage, Timestamp};

/// Something that has ended, as a part of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Its trace.
    pub trace: Trace,
    /// Its own id.
    pub id: SpanId,
    /// What caused it.
    pub parent: Option<SpanId>,
    /// The execution that it belongs to.
    pub execution: ExecutionId,
    /// Which run of it.
    pub run: Run,
    /// Its workflow.
    pub workflow: Name,
    /// When it began, by the database's clock.
    pub from: Timestamp,
    /// When it ended.
    pub to: Timestamp,
    /// The kind of the failure that it ended with.
    pub failure: Option<String>,
    /// What it is of.
    pub of: Spanned,
}

/// What a span is of.
#[derive(Debug, Clone, PartialEq)]
pub enum Spanned {
    /// An order to start the execution, until it was durable.
    Start {
        /// Where the execution waits.
        queue: Name,
    },
    /// A run of the execution, to its end.
    Run {
        /// How it ended; none where the next run took its place.
        state: Option<ExecutionState>,
    },
    /// One claim of the execution, to its parking or its end.
    Activation {
        /// How many entries it replayed.
        replayed: u64,
    },
    /// An attempt of a step.
    Attempt(AttemptSpan),
}

/// What is known of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptSpan {
    /// Of which step.
    pub step: Name,
    /// What it settles.
    pub promise: Promise,
    /// From 1.
    pub number: u32,
    /// Where its call waited.
    pub queue: Name,
    /// `completed`, `failed`, `retried` or `dead`.
    pub outcome: &'static str,
    /// What it used.
    pub usage: StepUsage,
}

/// Where spans go.
pub trait Tracer: Send + Sync + fmt::Debug {
    /// Whether it takes spans of that trace: where it does not, none need be made.
    fn takes(&self, trace: Trace) -> bool;

    /// Takes a span of something that is durable. Never waits.
    fn tell(&self, span: Span);
}

/// Nobody wants spans.
#[derive(Debug, Clone, Copy)]
pub struct Untraced;

impl Tracer for Untraced {
    fn takes(&self, _trace: Trace) -> bool {
        false
    }

    fn tell(&self, _span: Span) {}
}
