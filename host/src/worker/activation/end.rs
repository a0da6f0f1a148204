//! The end of a run: returned, continued, broken, forced.

use tracing::{info, warn};

use super::{Activation, Over};
use crate::journal::{Arrival, Blocked, Ended, NextRun, Replay, Stop};
use crate::model::{ExecutionId, ExecutionState, Failure, Name, Outcome, StepUsage, kind};
use crate::sandbox::{Broken, SandboxError};
use crate::store::{Append, RowChange};

impl Activation {
    /// The workflow returned: the run ends, or the next one begins and its replay is given back.
    pub(super) async fn returned(
        &mut self,
        mut replay: Replay,
        outcome: Outcome,
        fuel: u64,
    ) -> Result<Replay, Over> {
        if let Err(divergence) = replay.finish() {
            return Err(self.block(divergence.into()).await);
        }
        let next_input = if outcome.is_ok() { replay.continued().cloned() } else { None };
        if let Some(input) = next_input {
            return self.continue_as_new(replay, input).await;
        }
        let ended = replay.end(outcome, fuel, self.crew.clock.now());
        Err(self.end(&mut replay, &ended).await)
    }

    async fn continue_as_new(
        &mut self,
        mut replay: Replay,
        input: crate::model::Payload,
    ) -> Result<Replay, Over> {
        let ended = replay.stop_all();
        self.begin_last(&mut replay);
        self.stop_everything(ended);
        let now = self.crew.clock.now();
        let (module, limits) = (self.row.module, &self.crew.limits);
        let NextRun { mut replay, base, stops } =
            replay.continue_as_new(input, module, limits, now);
        self.stop_everything(stops);
        // Promises are numbered from 0 again: what the run before still hears of its own must not be taken for this one's.
        let _ends_of_the_run_before = self.replace_ends();
        self.children.clear();
        self.existing.clear();
        self.redriven.clear();
        self.spans.extend(self.runs.continued(&self.crew, &self.row, replay.run()));
        self.row.run = replay.run();
        self.draft.run = replay.run();
        // Detached children that the run before started at the very last.
        self.begin_work(&mut replay);
        self.draft.row = RowChange::Stay {
            state: ExecutionState::Running,
            expires_at: self.expires_at,
            base: Some(base),
        };
        self.write(&mut replay).await?;
        Ok(replay)
    }

    /// The guest broke a rule, a limit, or itself.
    pub(super) async fn broke(&mut self, mut replay: Replay, broken: Broken, fuel: u64) -> Over {
        match broken {
            Broken::Diverged(divergence) => self.block(divergence.into()).await,
            Broken::Failed(failure) if !replay.is_live() => {
                let message = format!(
                    "it failed while it was replayed, where it had gone on before: {failure}; deploy the module that wrote \
                     this journal and resume it"
                );
                self.block(Blocked { kind: "diverged".to_owned(), message }).await
            }
            Broken::Failed(failure) => {
                let ended = replay.end(Err(failure), fuel, self.crew.clock.now());
                self.end(&mut replay, &ended).await
            }
            Broken::Stuck => {
                warn!(execution.id = %self.id(), "A workflow ran longer than segment_time_max without waiting; its activation is begun again");
                // What it did since it last waited was not begun, so nothing of it may be written.
                self.draft = Append::new(self.id(), self.crew.host, self.row.run);
                self.spans.clear();
                self.draft.row = RowChange::Release;
                self.write_draft().await.map_or_else(|over| over, |()| Over::Done)
            }
            Broken::Host(error) => self.begin_again(&error).await,
        }
    }

    /// The sandbox's fault: what is there is read, and the activation begun again, after a pause.
    pub(super) async fn begin_again(&self, error: &SandboxError) -> Over {
        warn!(execution.id = %self.id(), error = %error, "The sandbox could not run a workflow; trying again");
        tokio::select! {
            () = tokio::time::sleep(self.crew.limits.poll_interval.1) => Over::Again,
            () = self.crew.stop.hard.cancelled() => Over::Done,
        }
    }

    /// What is pending came of a mistaken guest: nothing of it is written.
    async fn block(&mut self, why: Blocked) -> Over {
        warn!(execution.id = %self.id(), kind = %why.kind, "Execution {} is blocked: {}", self.id(), why.message);
        self.draft = Append::new(self.id(), self.crew.host, self.row.run);
        self.spans.clear();
        self.put_aside(why).await
    }

    /// Ends without asking the guest, where somebody wants that.
    pub(super) async fn end_if_forced(&mut self, replay: &mut Replay) -> Result<(), Over> {
        let Some(reason) = self.force.take() else { return Ok(()) };
        let (state, kind) = match replay.ending().map(|request| request.state) {
            Some(ExecutionState::TimedOut) => (ExecutionState::TimedOut, kind::TIMED_OUT),
            Some(_) | None => (ExecutionState::Cancelled, kind::CANCELLED),
        };
        Err(self.end_as(replay, state, Failure::new(kind, reason)).await)
    }

    /// Ends in this state, whatever the guest would say.
    pub(super) async fn end_as(
        &mut self,
        replay: &mut Replay,
        state: ExecutionState,
        failure: Failure,
    ) -> Over {
        self.draft.admitted.extend(self.inbox.arrivals.drain(..).map(|(id, _)| id));
        let ended = replay.end_as(state, Err(failure), 0, self.crew.clock.now());
        self.end(replay, &ended).await
    }

    /// Writes the end, tells the parent, stops what is still open.
    async fn end(&mut self, replay: &mut Replay, ended: &Ended) -> Over {
        let stops = replay.stop_all();
        self.begin_last(replay);
        self.stop_everything(stops);
        // Detached children that were started at the very last.
        self.begin_work(replay);
        if let Some(parent) = self.row.parent {
            let arrival = Arrival::Settled {
                run: parent.run,
                promise: parent.promise,
                outcome: told(&ended.outcome, &self.row.workflow, self.id()),
                usage: StepUsage::default(),
                attempt: 0,
            };
            self.draft.messages.push((parent.execution, arrival));
        }
        let failure_kind = ended.outcome.as_ref().err().map(|failure| failure.kind.clone());
        self.spans.extend(self.runs.ended(&self.crew, &self.row, ended));
        self.draft.row = RowChange::End { state: ended.state, failure_kind };
        match self.write(replay).await {
            Ok(()) => {
                let state = ended.state;
                self.crew.count_end(&self.row, ended);
                info!(execution.id = %self.id(), trace.id = %self.row.trace(), state = %state, "Execution {} is {state}", self.id());
                Over::Done
            }
            Err(over) => over,
        }
    }

    fn stop_everything(&mut self, stops: Vec<Stop>) {
        for stop in stops {
            if let Stop::Child(child) = stop {
                self.stop_child(child);
            }
        }
        self.stop_locals();
        for (run, promise) in std::mem::take(&mut self.tasks) {
            self.draft.dropped_tasks.push((run, promise));
        }
    }
}

/// The outcome of a child as its parent hears it: a failure says where it came from.
pub(super) fn told(outcome: &Outcome, workflow: &Name, child: ExecutionId) -> Outcome {
    outcome.clone().map_err(|failure| failure.of_child(workflow, child))
}
