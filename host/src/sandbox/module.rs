//! A module that can be run: compiled, loaded, and linked for both of its worlds.

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::component::{Component, Linker};

use super::bindings::ModulePre;
use super::guest::Guest;
use super::limits::Bounds;
use super::step::{Equipment, Step};
use super::workflow::Workflow;
use super::{Refusal, engine};
use crate::model::ModuleDigest;

/// Modules that are kept in memory; of more, those not used for the longest go.
const KEPT_MAX: usize = 128;

/// A module that is ready to run. Cheap to clone.
#[derive(Clone)]
pub struct Module {
    loaded: Arc<Loaded>,
    /// None: its steps have nothing of the world.
    equipment: Option<Arc<Equipment>>,
}

struct Loaded {
    digest: ModuleDigest,
    workflow: ModulePre<Guest<Workflow>>,
    step: ModulePre<Guest<Step>>,
}

impl Module {
    /// Which module it is.
    pub fn digest(&self) -> ModuleDigest {
        self.loaded.digest
    }

    /// The same module, whose attempts have something of the world.
    #[must_use]
    pub fn equipped(&self, equipment: Arc<Equipment>) -> Self {
        Self { loaded: Arc::clone(&self.loaded), equipment: Some(equipment) }
    }

    pub(super) fn equipment(&self) -> Option<&Arc<Equipment>> {
        self.equipment.as_ref()
    }

    pub(super) fn workflow(&self) -> &ModulePre<Guest<Workflow>> {
        &self.loaded.workflow
    }

    pub(super) fn step(&self) -> &ModulePre<Guest<Step>> {
        &self.loaded.step
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Module").field(&self.loaded.digest).finish()
    }
}

/// The two linkers.
pub(super) struct Linkers {
    pub(super) workflow: Linker<Guest<Workflow>>,
    pub(super) step: Linker<Guest<Step>>,
}

impl Linkers {
    /// Links a component for both worlds. This is also the check of its types.
    pub(super) fn link(
        &self,
        digest: ModuleDigest,
        component: &Component,
    ) -> Result<Module, Refusal> {
        let mismatch = |error: wasmtime::Error| Refusal::Mismatch { why: format!("{error:#}") };
        // So that an instance's memory is a copy-on-write view from the first one on.
        if let Err(error) = component.initialize_copy_on_write_image() {
            tracing::warn!(module = %digest, cause = %error, "The memory image of module {digest} cannot be made");
        }
        let workflow = self.workflow.instantiate_pre(component).and_then(ModulePre::new);
        let step = self.step.instantiate_pre(component).and_then(ModulePre::new);
        let loaded =
            Loaded { digest, workflow: workflow.map_err(mismatch)?, step: step.map_err(mismatch)? };
        Ok(Module { loaded: Arc::new(loaded), equipment: None })
    }
}

/// Whether instances of a component fit into the slots there are.
pub(super) fn check_resources(component: &Component, bounds: &Bounds) -> Result<(), Refusal> {
    const WAY_OUT: &str = "split the module in two, or allocate less at first";
    let Some(needs) = component.resources_required() else {
        return Err(Refusal::Forbidden {
            what: "imports core modules".to_owned(),
            way_out: "compose it with wac plug, which makes everything static",
        });
    };
    let (bytes_max, elements_max) = bounds.maxima();
    let bounds = [
        (u64::from(needs.num_memories), u64::from(engine::MEMORIES_MAX), "memories"),
        (u64::from(needs.num_tables), u64::from(engine::TABLES_MAX), "tables"),
        (needs.max_initial_memory_size.unwrap_or(0), (bytes_max >> 16) as u64, "pages of memory"),
        (needs.max_initial_table_size.unwrap_or(0), elements_max as u64, "entries in one table"),
    ];
    match bounds.into_iter().find(|(found, max, _what)| found > max) {
        None => Ok(()),
        Some((found, max, what)) => {
            Err(Refusal::Bounds { what: format!("needs {found} {what}"), max, way_out: WAY_OUT })
        }
    }
}

/// Modules in memory.
#[derive(Debug, Default)]
pub(super) struct Kept {
    modules: HashMap<ModuleDigest, (Module, u64)>,
    /// Counts uses, to know which is the longest ago.
    uses: u64,
}

impl Kept {
    pub(super) fn find(&mut self, digest: ModuleDigest) -> Option<Module> {
        self.uses += 1;
        let (module, used) = self.modules.get_mut(&digest)?;
        *used = self.uses;
        Some(module.clone())
    }

    pub(super) fn keep(&mut self, module: Module) {
        self.uses += 1;
        self.modules.insert(module.digest(), (module, self.uses));
        if self.modules.len() > KEPT_MAX {
            let oldest = self.modules.iter().min_by_key(|(_, (_, used))| *used);
            if let Some(digest) = oldest.map(|(digest, _)| *digest) {
                self.modules.remove(&digest);
            }
        }
    }
}
