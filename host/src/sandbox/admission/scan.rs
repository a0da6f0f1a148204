//! The scan: one pass over the bytes, in which each section is first held to the bounds and then validated.

use wasmparser::{
    ComponentAlias, ComponentAliasSectionReader, ComponentExportSectionReader,
    ComponentExternalKind, ComponentImportSectionReader, ComponentInstance,
    ComponentInstanceSectionReader, ComponentOuterAliasKind, ComponentTypeRef, Encoding,
    FuncValidatorAllocations, FunctionBody, Instance, InstanceSectionReader, MemorySectionReader,
    Parser, Payload, TableSectionReader, ValidPayload, Validator, WasmFeatures,
};

use super::Maxima;
use super::tree::Tree;
use crate::sandbox::Refusal;

/// What a component imports and exports.
#[derive(Debug, Default)]
pub(super) struct Face {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
}

const SPLIT: &str = "split the module in two";
const SMALLER: &str = "build it with --release and opt-level = \"s\"";

/// Reads the whole upload.
pub(super) fn scan(wasm: &[u8], maxima: Maxima) -> Result<Face, Refusal> {
    let mut scan =
        Scan { maxima, tree: Tree::default(), counts: Counts::default(), face: Face::default() };
    let mut validator = Validator::new_with_features(features());
    let mut allocations = FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(invalid)?;
        scan.bound(&payload)?;
        if let ValidPayload::Func(function, body) = validator.payload(&payload).map_err(invalid)? {
            let mut function = function.into_validator(std::mem::take(&mut allocations));
            function.validate(&body).map_err(invalid)?;
            allocations = function.into_allocations();
        }
    }
    Ok(scan.face)
}

/// What compilers of guests use, and no more. Several memories in one module are refused here and not in the engine, which
/// needs the feature for adapters of its own.
fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::BULK_MEMORY_OPT
        | WasmFeatures::CALL_INDIRECT_OVERLONG
        | WasmFeatures::SIMD
        | WasmFeatures::FLOATS
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::GC_TYPES
        | WasmFeatures::COMPONENT_MODEL
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err calls")]
fn invalid(error: wasmparser::BinaryReaderError) -> Refusal {
    Refusal::Invalid { why: format!("{} (at byte {})", error.message(), error.offset()) }
}

#[derive(Debug, Default)]
struct Counts {
    modules: u64,
    components: u64,
    functions: u64,
    memories: u64,
    tables: u64,
    data_bytes: u64,
    imports: u64,
    exports: u64,
}

struct Scan {
    maxima: Maxima,
    tree: Tree,
    counts: Counts,
    face: Face,
}

/// Refuses what is more than `max`.
fn at_most(found: u64, max: u64, what: &str, way_out: &'static str) -> Result<(), Refusal> {
    if found <= max {
        return Ok(());
    }
    Err(Refusal::Bounds { what: format!("has {found} {what}"), max, way_out })
}

impl Scan {
    fn bound(&mut self, payload: &Payload<'_>) -> Result<(), Refusal> {
        match payload {
            Payload::Version { encoding, .. } => self.begin(*encoding),
            Payload::End(_) => self.end(),
            Payload::ModuleSection { .. } => {
                self.counts.modules += 1;
                at_most(self.counts.modules, self.maxima.modules, "core modules", SPLIT)
            }
            Payload::ComponentSection { .. } => {
                self.counts.components += 1;
                at_most(self.counts.components, self.maxima.components, "nested components", SPLIT)
            }
            Payload::FunctionSection(section) => {
                self.counts.functions += u64::from(section.count());
                at_most(self.counts.functions, self.maxima.functions, "functions", SMALLER)
            }
            Payload::CodeSectionEntry(body) => self.bound_body(body),
            Payload::MemorySection(section) => self.bound_memories(section.clone()),
            Payload::TableSection(section) => self.bound_tables(section.clone()),
            Payload::DataSection(section) => {
                for segment in section.clone() {
                    self.counts.data_bytes += segment.map_err(invalid)?.data.len() as u64;
                }
                let max = self.maxima.data_bytes;
                at_most(self.counts.data_bytes, max, "bytes of data segments", SMALLER)
            }
            Payload::InstanceSection(section) => self.count_modules(section.clone()),
            Payload::ComponentInstanceSection(section) => self.count_components(section.clone()),
            Payload::ComponentAliasSection(section) => self.follow_aliases(section.clone()),
            Payload::ComponentImportSection(section) => self.bound_imports(section.clone()),
            Payload::ComponentExportSection(section) => self.bound_exports(section.clone()),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, encoding: Encoding) -> Result<(), Refusal> {
        let depth = self.tree.depth() + 1;
        at_most(depth as u64, self.maxima.nesting as u64, "levels of nesting", SPLIT)?;
        self.tree.begin(encoding);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        let instances = self.tree.end().unwrap_or(0);
        at_most(instances, self.maxima.core_instances, "core instances", SPLIT)
    }

    fn count_modules(&mut self, section: InstanceSectionReader<'_>) -> Result<(), Refusal> {
        for instance in section {
            if let Instance::Instantiate { .. } = instance.map_err(invalid)? {
                self.tree.instantiate_module();
            }
        }
        Ok(())
    }

    fn count_components(
        &mut self,
        section: ComponentInstanceSectionReader<'_>,
    ) -> Result<(), Refusal> {
        for instance in section {
            let instance = instance.map_err(invalid)?;
            if let ComponentInstance::Instantiate { component_index, .. } = instance {
                self.tree.instantiate(component_index)?;
            }
        }
        Ok(())
    }

    fn bound_body(&self, body: &FunctionBody<'_>) -> Result<(), Refusal> {
        let bytes = body.range().len() as u64;
        at_most(bytes, self.maxima.body_bytes, "bytes in one function", "split that function")?;
        let mut locals = 0_u64;
        let mut groups = body.get_locals_reader().map_err(invalid)?;
        for _ in 0..groups.get_count() {
            locals += u64::from(groups.read().map_err(invalid)?.0);
        }
        at_most(locals, self.maxima.locals, "locals in one function", "split that function")
    }

    fn bound_memories(&mut self, section: MemorySectionReader<'_>) -> Result<(), Refusal> {
        at_most(u64::from(section.count()), 1, "memories in one core module", SPLIT)?;
        for memory in section {
            let memory = memory.map_err(invalid)?;
            if memory.shared || memory.memory64 {
                return Err(Refusal::Forbidden {
                    what: "has a memory that is shared or has 64-bit addresses".to_owned(),
                    way_out: "build it without threads, for a 32-bit target such as wasm32-wasip2",
                });
            }
            let pages = self.maxima.memory_pages;
            at_most(
                memory.initial,
                pages,
                "pages of memory from the start",
                "allocate less at first",
            )?;
            self.counts.memories += 1;
        }
        at_most(self.counts.memories, self.maxima.memories, "memories", SPLIT)
    }

    fn bound_tables(&mut self, section: TableSectionReader<'_>) -> Result<(), Refusal> {
        for table in section {
            let elements = table.map_err(invalid)?.ty.initial;
            at_most(elements, self.maxima.table_elements, "entries in one table", SMALLER)?;
            self.counts.tables += 1;
        }
        at_most(self.counts.tables, self.maxima.tables, "tables", SPLIT)
    }

    fn follow_aliases(&mut self, section: ComponentAliasSectionReader<'_>) -> Result<(), Refusal> {
        for alias in section {
            match alias.map_err(invalid)? {
                ComponentAlias::Outer {
                    kind: ComponentOuterAliasKind::Component,
                    count,
                    index,
                } => self.tree.alias_outer(count, index),
                ComponentAlias::InstanceExport {
                    kind: ComponentExternalKind::Component, ..
                } => self.tree.alias_unknown(),
                _ => {}
            }
        }
        Ok(())
    }

    fn bound_imports(&mut self, section: ComponentImportSectionReader<'_>) -> Result<(), Refusal> {
        self.counts.imports += u64::from(section.count());
        at_most(self.counts.imports, self.maxima.imports, "imports", SPLIT)?;
        for import in section {
            let import = import.map_err(invalid)?;
            if let ComponentTypeRef::Component(_) | ComponentTypeRef::Module(_) = import.ty {
                return Err(Refusal::Forbidden {
                    what: format!("imports {} as code", import.name.name),
                    way_out: "compose it with wac plug, which makes everything static",
                });
            }
            if self.tree.depth() == 1 {
                self.face.imports.push(import.name.name.to_owned());
            }
        }
        Ok(())
    }

    fn bound_exports(&mut self, section: ComponentExportSectionReader<'_>) -> Result<(), Refusal> {
        self.counts.exports += u64::from(section.count());
        at_most(self.counts.exports, self.maxima.exports, "exports", SPLIT)?;
        for export in section {
            let export = export.map_err(invalid)?;
            if export.kind == ComponentExternalKind::Component {
                self.tree.alias_unknown();
            }
            if self.tree.depth() == 1 {
                self.face.exports.push(export.name.name.to_owned());
            }
        }
        Ok(())
    }
}
