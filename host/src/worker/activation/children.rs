//! Children: started, stopped, and found to exist already.

use tracing::warn;

use super::begin::route;
use super::end::told;
use super::write::block_unreadable;
use super::{Activation, Over};
use crate::journal::{Arrival, Replay};
use crate::model::{
    ChildOptions, ExecutionId, Failure, Name, Payload, Promise, Run, SpanId, StepUsage,
    TraceParent, kind,
};
use crate::store::{ExecutionView, NewExecution, Parent};

/// A child to be started.
pub(super) struct Born {
    pub(super) promise: Promise,
    pub(super) run: Run,
    pub(super) child: ExecutionId,
    pub(super) workflow: Name,
    pub(super) input: Payload,
    pub(super) options: ChildOptions,
}

/// The kind of failure that a child has whose id somebody else started first, and which still runs.
const ALREADY_STARTED: &str = "already-started";

impl Activation {
    pub(super) fn begin_child(&mut self, replay: &mut Replay, born: Born) {
        let Born { promise, run, child, workflow, input, options } = born;
        let Some(spec) = self.loaded.manifest.workflow(workflow.as_str()) else {
            let message = format!("the module has no workflow {workflow}");
            let failure = Failure::new(kind::UNKNOWN_WORKFLOW, message);
            return self.settle_here(replay, promise, failure);
        };
        let now = self.crew.clock.now();
        let start_at = now + options.delay.unwrap_or_default();
        let max_duration = options.max_duration.or(spec.options.max_duration);
        let routing = route(&spec.options.routing, options.queue, options.tags, options.priority);
        self.children.insert(child, promise);
        self.draft.children.push(NewExecution {
            id: child,
            workflow,
            module: self.row.module,
            routing,
            parent: Some(Parent { execution: self.id(), run, promise, detached: options.detached }),
            input,
            seed: self.crew.ids.seed(),
            created_at: now,
            start_at,
            expires_at: max_duration.map(|most| start_at + most),
            owner: None,
            traceparent: Some(TraceParent {
                trace: self.row.trace(),
                span: SpanId::of_run(self.id(), run),
            }),
        });
    }

    pub(super) fn stop_child(&mut self, child: ExecutionId) {
        let reason = format!("its parent {} no longer needs it", self.id());
        self.draft.messages.push((child, Arrival::Cancel { reason, force: false }));
    }

    /// A child of an id that existed reports to whoever started it first. One that has ended settles here as it ended there.
    pub(super) async fn settle_existing(&mut self, replay: &mut Replay) -> Result<(), Over> {
        for child in std::mem::take(&mut self.existing) {
            let Some(promise) = self.children.get(&child).copied() else { continue };
            let read = self.crew.ask(move |store| async move {
                Ok((store.execution(child).await?, store.result(child).await?))
            });
            let (view, ended) = match read.await {
                Ok((Some(view), ended)) => (view, ended),
                Err(error) => {
                    warn!(execution.id = %self.id(), child.id = %child, error = %error, "A child could not be read");
                    return Err(block_unreadable(&self.crew, self.id(), &error).await);
                }
                Ok((None, _)) => return Err(Over::Again),
            };
            // It runs, and will report to this very promise.
            if ended.is_none() && self.reports_here(&view, promise) {
                continue;
            }
            let outcome = ended.map_or_else(
                || Err(already_started(child)),
                |ended| told(&ended.outcome, &view.row.workflow, child),
            );
            let usage = StepUsage::default();
            let arrival =
                Arrival::Settled { run: replay.run(), promise, outcome, usage, attempt: 0 };
            replay.admit(arrival, self.crew.clock.now());
        }
        Ok(())
    }

    fn reports_here(&self, view: &ExecutionView, promise: Promise) -> bool {
        view.row.parent.is_some_and(|parent| {
            (parent.execution, parent.run, parent.promise) == (self.id(), self.row.run, promise)
        })
    }
}

fn already_started(child: ExecutionId) -> Failure {
    let message = format!(
        "execution {child} exists already and reports to whoever started it; read its result by its id"
    );
    Failure::new(ALREADY_STARTED, message)
}
