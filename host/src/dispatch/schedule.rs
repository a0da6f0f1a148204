//! Schedules: put, change, pause, remove, start by hand.

use super::{Dispatch, DispatchError, ModuleRef, Result, ScheduleRow, StartPlan, Started, bounds};
use crate::model::{ExecutionId, Name, Routing, ScheduleSpec, Wake};
use crate::store::{Put, StoreError, Trigger, Triggered};

/// How often a start by hand is planned anew, because the schedule was changed meanwhile.
const TRIGGER_TRIES_MAX: u32 = 5;

/// Whether a schedule was there before.
#[derive(Debug, Clone, PartialEq)]
pub enum Scheduled {
    /// It is new.
    Created(Box<ScheduleRow>),
    /// It was there, and is now so.
    Changed(Box<ScheduleRow>),
}

impl Dispatch {
    /// Puts a schedule, or changes the one of that name. The workflow need not be there yet: it is looked for at each firing.
    pub async fn put_schedule(&self, name: &Name, spec: &ScheduleSpec) -> Result<Scheduled> {
        self.check_schedule(name, spec)?;
        let put = match self.store().put_schedule(self.host(), name, spec).await {
            // The same again is no change, so that it may be asked for again.
            Err(StoreError::Unknown(_)) => {
                self.store().put_schedule(self.host(), name, spec).await?
            }
            put => put?,
        };
        self.wake_duty();
        match put {
            Put::Created(row) => Ok(Scheduled::Created(row)),
            Put::Changed(row) => Ok(Scheduled::Changed(row)),
            Put::Full => Err(DispatchError::SchedulesFull { max: self.parts.limits.schedules_max }),
        }
    }

    fn check_schedule(&self, name: &Name, spec: &ScheduleSpec) -> Result<()> {
        bounds::path_name("the schedule's name", name)?;
        bounds::payload("the input", &spec.input, self.parts.limits.payload_bytes_max)?;
        spec.priority.map_or(Ok(()), bounds::priority)?;
        spec.tags.as_deref().map_or(Ok(()), bounds::tags)?;
        spec.max_duration.map_or(Ok(()), bounds::max_duration)?;
        module_of(spec)?;
        Ok(())
    }

    /// One schedule.
    pub async fn schedule(&self, name: &Name) -> Result<ScheduleRow> {
        let row = self.store().schedule(name).await?;
        row.ok_or_else(|| DispatchError::UnknownSchedule(name.clone()))
    }

    /// Schedules by name, those after `after`, at most `page_max`.
    pub async fn schedules(&self, after: Option<&Name>, limit: u32) -> Result<Vec<ScheduleRow>> {
        Ok(self.store().schedules(after, self.page(limit)?).await?)
    }

    /// Removes a schedule. What it has started goes on.
    pub async fn remove_schedule(&self, name: &Name) -> Result<()> {
        if self.store().remove_schedule(self.host(), name).await? {
            return Ok(());
        }
        Err(DispatchError::UnknownSchedule(name.clone()))
    }

    /// Has a schedule stand still. What it has started goes on.
    pub async fn pause_schedule(&self, name: &Name) -> Result<ScheduleRow> {
        let at = self.parts.clock.now();
        let paused = self.store().pause_schedule(self.host(), name, Some(at)).await?;
        paused.ok_or_else(|| DispatchError::UnknownSchedule(name.clone()))
    }

    /// Has a schedule go on with its next time from now on.
    pub async fn resume_schedule(&self, name: &Name) -> Result<ScheduleRow> {
        let resumed = self.store().pause_schedule(self.host(), name, None).await?;
        self.wake_duty();
        resumed.ok_or_else(|| DispatchError::UnknownSchedule(name.clone()))
    }

    /// Starts what a schedule starts, now: its times do not move, it may be paused, and other executions of it may run. With a
    /// key, once for this schedule and key.
    pub async fn trigger(&self, name: &Name, key: Option<&str>) -> Result<Started> {
        key.map_or(Ok(()), |key| bounds::key("idempotency_key", key))?;
        let id = match key {
            Some(key) => ExecutionId::of_trigger(name, key),
            None => self.parts.ids.execution(),
        };
        for _ in 0..TRIGGER_TRIES_MAX {
            let row = self.schedule(name).await?;
            let plan = self.start_plan(&row.spec).await?;
            let queue = plan.routing.queue.clone();
            let (version, seed) = (row.version, self.parts.ids.seed());
            let trigger = Trigger { name: name.clone(), version, plan, execution: id, seed };
            match self.store().trigger(self.host(), &trigger).await {
                Ok(Triggered::Started) => {
                    self.parts.notifier.wake(Wake::Work { queue });
                    return Ok(Started { id, created: true });
                }
                Ok(Triggered::Exists { input_hash }) if input_hash == row.spec.input.hash() => {
                    return Ok(Started { id, created: false });
                }
                Ok(Triggered::Exists { .. }) => return Err(DispatchError::IdempotencyConflict(id)),
                Ok(Triggered::Missing) => return Err(DispatchError::UnknownSchedule(name.clone())),
                Ok(Triggered::Changed) => {}
                Err(unknown @ StoreError::Unknown(_)) => return self.read_back(id, unknown).await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(DispatchError::ScheduleChanging(name.clone()))
    }

    /// How a schedule starts what it starts, as the modules are now.
    pub async fn start_plan(&self, spec: &ScheduleSpec) -> Result<StartPlan> {
        let module = self.choose(&spec.workflow, module_of(spec)?.as_ref()).await?;
        let Some(workflow) = module.manifest.workflow(spec.workflow.as_str()) else {
            let workflow = spec.workflow.to_string();
            return Err(DispatchError::UnknownWorkflow { workflow });
        };
        self.schemas.check(module.digest, workflow, &spec.input)?;
        let declared = &workflow.options.routing;
        let routing = Routing {
            queue: spec.queue.as_ref().unwrap_or(&declared.queue).clone(),
            tags: spec.tags.as_ref().unwrap_or(&declared.tags).clone(),
            priority: spec.priority.unwrap_or(declared.priority),
        };
        let max_duration = spec.max_duration.or(workflow.options.max_duration);
        Ok(StartPlan { module: module.digest, routing, max_duration })
    }

    /// Hosts that sleep until something is due look again.
    fn wake_duty(&self) {
        self.parts.notifier.wake(Wake::Work { queue: Name::default_queue() });
    }
}

fn module_of(spec: &ScheduleSpec) -> Result<Option<ModuleRef>> {
    let module = spec.module.as_deref().map(str::parse).transpose();
    module.map_err(|error: crate::model::BadName| DispatchError::OutOfBounds {
        what: "module",
        value: format!("{:?}", spec.module.as_deref().unwrap_or_default()),
        bounds: format!("a name or a digest ({error})"),
    })
}
