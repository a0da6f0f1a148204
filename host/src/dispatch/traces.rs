//! The span of an order to start an execution.

use super::Dispatch;
use crate::model::{ExecutionId, Run, Span, SpanId, Spanned, Timestamp, Trace, TraceParent};
use crate::store::NewExecution;

impl Dispatch {
    /// What causes an execution: the order, where its span is told; else whatever caused the order.
    pub(super) fn cause(&self, id: ExecutionId, asked: Option<TraceParent>) -> Option<TraceParent> {
        let trace = Trace::of(id, asked);
        let own = || TraceParent { trace, span: SpanId::of_start(id) };
        if self.parts.tracer.takes(trace) { Some(own()) } else { asked }
    }

    /// The span of an order that began then, once the execution is durable.
    pub(super) fn span(
        &self,
        new: &NewExecution,
        asked: Option<TraceParent>,
        from: Timestamp,
    ) -> Option<Span> {
        let trace = Trace::of(new.id, asked);
        self.parts.tracer.takes(trace).then(|| Span {
            trace,
            id: SpanId::of_start(new.id),
            parent: asked.map(|asked| asked.span),
            execution: new.id,
            run: Run(0),
            workflow: new.workflow.clone(),
            from,
            to: from,
            failure: None,
            of: Spanned::Start { queue: new.routing.queue.clone() },
        })
    }

    /// Tells a span, which ends now.
    pub(super) fn tell_span(&self, span: Option<Span>) {
        let now = self.parts.clock.now();
        span.into_iter().for_each(|span| self.parts.tracer.tell(Span { to: now, ..span }));
    }
}
