//! How many core instances a component would make, computed over the tree of its instantiations: a kilobyte of nested
//! components can ask for millions.

use wasmparser::Encoding;

use crate::sandbox::Refusal;

/// A component or core module that is being read.
#[derive(Debug)]
struct Scope {
    encoding: Encoding,
    /// For each component in its index space: the core instances that one instantiation makes, where that is known.
    costs: Vec<Option<u64>>,
    core_instances: u64,
}

/// The scopes that are open, outermost first.
#[derive(Debug, Default)]
pub(super) struct Tree {
    open: Vec<Scope>,
}

impl Tree {
    /// How deep the scope being read lies; 1 for the upload itself.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// A component or core module begins.
    pub(super) fn begin(&mut self, encoding: Encoding) {
        self.open.push(Scope { encoding, costs: Vec::new(), core_instances: 0 });
    }

    /// It ends; the core instances that it makes, where it is a component.
    pub(super) fn end(&mut self) -> Option<u64> {
        let scope = self.open.pop()?;
        if scope.encoding == Encoding::Module {
            return None;
        }
        if let Some(outer) = self.open.last_mut() {
            outer.costs.push(Some(scope.core_instances));
        }
        Some(scope.core_instances)
    }

    /// A core module is instantiated.
    pub(super) fn instantiate_module(&mut self) {
        if let Some(scope) = self.open.last_mut() {
            scope.core_instances = scope.core_instances.saturating_add(1);
        }
    }

    /// A component is instantiated.
    pub(super) fn instantiate(&mut self, index: u32) -> Result<(), Refusal> {
        let Some(scope) = self.open.last_mut() else { return Ok(()) };
        let Some(Some(cost)) = scope.costs.get(index as usize) else {
            return Err(Refusal::Forbidden {
                what: "instantiates a component that it was handed from elsewhere".to_owned(),
                way_out: "compose it with wac plug, which makes everything static",
            });
        };
        scope.core_instances = scope.core_instances.saturating_add(*cost);
        Ok(())
    }

    /// A component of an outer scope gets an index in this one.
    pub(super) fn alias_outer(&mut self, count: u32, index: u32) {
        let outer = self.open.len().checked_sub(1 + count as usize);
        let cost = outer.and_then(|at| self.open[at].costs.get(index as usize).copied()).flatten();
        self.push(cost);
    }

    /// A component that is exported by an instance gets an index; what it costs is not known.
    pub(super) fn alias_unknown(&mut self) {
        self.push(None);
    }

    fn push(&mut self, cost: Option<u64>) {
        if let Some(scope) = self.open.last_mut() {
            scope.costs.push(cost);
        }
    }
}
