//! Which module has a workflow: the active modules, remembered for a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Dispatch, DispatchError, ModuleRef, ModuleRow, Result};
use crate::model::{ModuleDigest, Name};

/// After this long the store is asked again, so a deploy on another host is seen.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// How many names of modules a host knows.
pub(super) const DEPLOYMENTS_MAX: u32 = 10_000;

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Deployments {
    known: Mutex<Option<Known>>,
}

#[derive(Debug)]
struct Known {
    /// By the monotonic clock.
    read_at: Duration,
    table: Arc<Table>,
}

/// The active modules.
#[derive(Debug, Default)]
struct Table {
    by_workflow: HashMap<Name, Vec<Arc<ModuleRow>>>,
    by_name: HashMap<Name, Arc<ModuleRow>>,
    by_digest: HashMap<ModuleDigest, Arc<ModuleRow>>,
}

impl Table {
    fn of(rows: Vec<ModuleRow>) -> Self {
        let mut table = Self::default();
        for row in rows.into_iter().map(Arc::new) {
            for spec in &row.manifest.workflows {
                table.by_workflow.entry(spec.name.clone()).or_default().push(Arc::clone(&row));
            }
            table.by_digest.insert(row.digest, Arc::clone(&row));
            table.by_name.insert(row.name.clone(), row);
        }
        table
    }

    fn only_one_with(&self, workflow: &Name) -> Result<Arc<ModuleRow>> {
        match self.by_workflow.get(workflow).map(Vec::as_slice) {
            None | Some([]) => {
                Err(DispatchError::UnknownWorkflow { workflow: workflow.to_string() })
            }
            Some([one]) => Ok(Arc::clone(one)),
            Some(several) => Err(DispatchError::Ambiguous {
                workflow: workflow.clone(),
                modules: several.iter().map(|row| row.name.to_string()).collect(),
            }),
        }
    }
}

impl Deployments {
    /// Has the next order read them again.
    pub(super) fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn fresh(&self, now: Duration) -> Option<Arc<Table>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref()?;
        (now.saturating_sub(known.read_at) < FRESH_FOR).then(|| Arc::clone(&known.table))
    }

    fn remember(&self, read_at: Duration, table: &Arc<Table>) {
        let known = Known { read_at, table: Arc::clone(table) };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }
}

impl Dispatch {
    /// The module that a start of a workflow is pinned to.
    pub(super) async fn choose(
        &self,
        workflow: &Name,
        module: Option<&ModuleRef>,
    ) -> Result<Arc<ModuleRow>> {
        let Some(named) = module else {
            return self.active().await?.only_one_with(workflow);
        };
        let row = self.named(named).await?;
        if row.manifest.workflow(workflow.as_str()).is_none() {
            let (workflow, module) = (workflow.to_string(), named.to_string());
            return Err(DispatchError::NotInModule { workflow, module });
        }
        Ok(row)
    }

    /// The active module of a name, or the one of a digest whether active or not.
    pub(super) async fn named(&self, module: &ModuleRef) -> Result<Arc<ModuleRow>> {
        let table = self.active().await?;
        let unknown = || DispatchError::UnknownModule(module.to_string());
        match module {
            ModuleRef::Name(name) => table.by_name.get(name).cloned().ok_or_else(unknown),
            ModuleRef::Digest(digest) => match table.by_digest.get(digest) {
                Some(row) => Ok(Arc::clone(row)),
                None => self.store().module(*digest).await?.map(Arc::new).ok_or_else(unknown),
            },
        }
    }

    async fn active(&self) -> Result<Arc<Table>> {
        let now = self.parts.clock.monotonic();
        if let Some(table) = self.deployments.fresh(now) {
            return Ok(table);
        }
        let table = Arc::new(Table::of(self.store().deployments(DEPLOYMENTS_MAX).await?));
        self.deployments.remember(now, &table);
        Ok(table)
    }
}
