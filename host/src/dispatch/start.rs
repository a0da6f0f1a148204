//! Starting executions.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Dispatch, DispatchError, Identity, ModuleRow, Result, bounds};
use crate::model::{
    BadName, ExecutionId, ModuleDigest, Name, Payload, Routing, Span, Timestamp, TraceParent, Wake,
    WorkflowSpec,
};
use crate::store::{NewExecution, StoreError, Write, Written};

/// Of many that are started together, as many begin on this host without being claimed.
const BORN_HERE_MAX: usize = 64;

/// A module as people name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModuleRef {
    /// The active one of a name; where there is none, the one whose digest begins so.
    Name(Name),
    /// Exactly this one.
    Digest(ModuleDigest),
}

impl FromStr for ModuleRef {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        match text.parse() {
            Ok(digest) => Ok(Self::Digest(digest)),
            Err(_no_digest) => Name::new(text).map(Self::Name),
        }
    }
}

impl fmt::Display for ModuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

/// An order to start a workflow. What is `None` is as its declaration says.
#[derive(Debug, Clone)]
pub struct StartOrder {
    /// What to start.
    pub workflow: Name,
    /// Of which module; needed only where several active ones have a workflow of this name.
    pub module: Option<ModuleRef>,
    /// The argument.
    pub input: Payload,
    /// The queue.
    pub queue: Option<Name>,
    /// The tags.
    pub tags: Option<Vec<Name>>,
    /// The priority.
    pub priority: Option<i32>,
    /// How long to wait before it begins.
    pub delay: Option<Duration>,
    /// After which it is `timed_out`, counted from its scheduled start.
    pub max_duration: Option<Duration>,
    /// One execution for one (workflow, key).
    pub idempotency_key: Option<String>,
    /// The trace that it is a part of, and what asked for it there.
    pub traceparent: Option<TraceParent>,
}

impl StartOrder {
    /// An order that leaves everything to the declaration.
    pub fn new(workflow: Name, input: Payload) -> Self {
        Self {
            workflow,
            module: None,
            input,
            queue: None,
            tags: None,
            priority: None,
            delay: None,
            max_duration: None,
            idempotency_key: None,
            traceparent: None,
        }
    }

    fn check(&self, payload_bytes_max: usize) -> Result<()> {
        bounds::payload("the input", &self.input, payload_bytes_max)?;
        self.priority.map_or(Ok(()), bounds::priority)?;
        self.tags.as_deref().map_or(Ok(()), bounds::tags)?;
        self.delay.map_or(Ok(()), bounds::delay)?;
        self.max_duration.map_or(Ok(()), bounds::max_duration)?;
        let key = self.idempotency_key.as_deref();
        key.map_or(Ok(()), |key| bounds::key("idempotency_key", key))
    }

    fn routing(&self, spec: &WorkflowSpec) -> Routing {
        let declared = &spec.options.routing;
        Routing {
            queue: self.queue.as_ref().unwrap_or(&declared.queue).clone(),
            tags: self.tags.as_ref().unwrap_or(&declared.tags).clone(),
            priority: self.priority.unwrap_or(declared.priority),
        }
    }
}

/// An execution that is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its id.
    pub id: ExecutionId,
    /// False where an earlier start with the same key and input had made it.
    pub created: bool,
}

/// What a start needs to know when it is written.
#[derive(Debug)]
struct Planned {
    id: ExecutionId,
    queue: Name,
    is_born: bool,
    input: Payload,
    span: Option<Span>,
}

impl Dispatch {
    /// Starts an execution. When this returns, it is durable.
    pub async fn start(&self, order: StartOrder) -> Result<Started> {
        let began = self.parts.clock.now();
        let identity = self.identity();
        let new = self.prepare(&order, &identity).await?;
        let planned = self.planned(&new, &order, began);
        let again = order.idempotency_key.is_some().then(|| new.clone());
        let mut answer = identity.committer.submit(Write::Start(Box::new(new))).await;
        if let (Err(StoreError::Unknown(_)), Some(new)) = (&answer, again) {
            // The primary key answers: whoever has the id by now, and with which input.
            answer = identity.committer.submit(Write::Start(Box::new(new))).await;
            let wake = Wake::Arrival { owner: identity.host, execution: planned.id };
            self.parts.notifier.wake(wake);
        }
        self.settle(planned, answer).await
    }

    /// Starts many in one transaction. Each is answered by itself: one that is refused keeps no other from being started.
    pub async fn start_many(&self, orders: Vec<StartOrder>) -> Vec<Result<Started>> {
        let (identity, began) = (self.identity(), self.parts.clock.now());
        let (mut answers, mut planned, mut writes) = (Vec::new(), Vec::new(), Vec::new());
        let mut taken = HashSet::new();
        for (place, order) in orders.iter().enumerate() {
            match self.prepare(order, &identity).await {
                Ok(mut new) if taken.insert(new.id) => {
                    // Whoever has room takes the rest.
                    new.owner = new.owner.filter(|_| writes.len() < BORN_HERE_MAX);
                    planned.push((place, self.planned(&new, order, began)));
                    writes.push(Write::Start(Box::new(new)));
                    answers.push(None);
                }
                // Its key is that of one before it, which is to be there first.
                Ok(_) => answers.push(None),
                Err(error) => answers.push(Some(Err(error))),
            }
        }
        let written = identity.committer.submit_all(writes).await;
        for ((place, planned), written) in planned.into_iter().zip(written) {
            answers[place] = Some(self.settle(planned, written).await);
        }
        let mut settled = Vec::with_capacity(answers.len());
        for (order, answer) in orders.into_iter().zip(answers) {
            settled.push(match answer {
                Some(answer) => answer,
                None => self.start(order).await,
            });
        }
        settled
    }

    fn planned(&self, new: &NewExecution, order: &StartOrder, began: Timestamp) -> Planned {
        Planned {
            id: new.id,
            queue: new.routing.queue.clone(),
            is_born: new.owner.is_some(),
            input: new.input.clone(),
            span: self.span(new, order.traceparent, began),
        }
    }

    async fn prepare(&self, order: &StartOrder, identity: &Identity) -> Result<NewExecution> {
        order.check(self.parts.limits.payload_bytes_max)?;
        let module = self.choose(&order.workflow, order.module.as_ref()).await?;
        self.plan(order, &module, identity)
    }

    async fn settle(
        &self,
        planned: Planned,
        answer: Result<Written, StoreError>,
    ) -> Result<Started> {
        let Planned { id, queue, is_born, input, span } = planned;
        match answer {
            Ok(Written::Done(effects)) => {
                effects.wakes.into_iter().for_each(|wake| self.parts.notifier.wake(wake));
                if !is_born {
                    self.parts.notifier.wake(Wake::Work { queue });
                }
                self.tell_span(span);
                Ok(Started { id, created: true })
            }
            Ok(Written::Exists { input_hash }) if input_hash == input.hash() => {
                Ok(Started { id, created: false })
            }
            Ok(Written::Exists { .. }) => Err(DispatchError::IdempotencyConflict(id)),
            Ok(Written::NotOwner | Written::Ended(_) | Written::Led(_)) => {
                let source = "a start was answered as if it were something else".into();
                Err(StoreError::Refused { execution: id, source }.into())
            }
            Err(unknown @ StoreError::Unknown(_)) => {
                let started = self.read_back(id, unknown).await?;
                self.tell_span(span);
                Ok(started)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Without a key the id is nobody else's, so an execution that has it is the one that was to be started.
    pub(super) async fn read_back(&self, id: ExecutionId, unknown: StoreError) -> Result<Started> {
        match self.store().execution(id).await {
            Ok(Some(view)) => {
                // Whoever was to begin it did not hear of it either.
                let _hint = self.wake_for(id, view.owner).await;
                Ok(Started { id, created: true })
            }
            Ok(None) | Err(_) => Err(DispatchError::Uncertain { execution: id, source: unknown }),
        }
    }

    fn plan(
        &self,
        order: &StartOrder,
        module: &ModuleRow,
        identity: &Identity,
    ) -> Result<NewExecution> {
        let Some(spec) = module.manifest.workflow(order.workflow.as_str()) else {
            let workflow = order.workflow.to_string();
            return Err(DispatchError::UnknownWorkflow { workflow });
        };
        self.schemas.check(module.digest, spec, &order.input)?;
        let parts = &self.parts;
        let now = parts.clock.now();
        let start_at = now + order.delay.unwrap_or_default();
        let max_duration = order.max_duration.or(spec.options.max_duration);
        let id = match &order.idempotency_key {
            Some(key) => ExecutionId::of_key(&order.workflow, key),
            None => parts.ids.execution(),
        };
        let routing = order.routing(spec);
        let is_born_here = start_at == now
            && identity.committer.takes_births()
            && !identity.committer.is_paused(&routing.queue)
            && parts.filter.takes(&routing);
        Ok(NewExecution {
            id,
            workflow: order.workflow.clone(),
            module: module.digest,
            routing,
            parent: None,
            input: order.input.clone(),
            seed: parts.ids.seed(),
            created_at: now,
            start_at,
            expires_at: max_duration.map(|most| start_at + most),
            owner: is_born_here.then_some(identity.host),
            traceparent: self.cause(id, order.traceparent),
        })
    }
}
