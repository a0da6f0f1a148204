//! What an upload is, found out without compiling it: in linear time, without recursion on what it says, and before the
//! engine sees a byte. Everything that makes compiling or instantiating expensive is bounded here.

mod scan;
mod tree;

use super::Refusal;
use crate::model::Limits;

/// The interface that a module exports.
pub(super) const GUEST: &str = "stepwell:workflow/guest@0.1.0";

/// The interfaces that this host offers, without their versions.
const OFFERED: [&str; 32] = [
    "stepwell:workflow/context",
    "stepwell:workflow/durable",
    "stepwell:workflow/types",
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// What the scan keeps count of.
#[derive(Debug, Clone, Copy)]
struct Maxima {
    nesting: usize,
    modules: u64,
    components: u64,
    core_instances: u64,
    functions: u64,
    body_bytes: u64,
    locals: u64,
    memories: u64,
    memory_pages: u64,
    tables: u64,
    table_elements: u64,
    data_bytes: u64,
    imports: u64,
    exports: u64,
}

impl Maxima {
    fn of(limits: &Limits) -> Self {
        Self {
            nesting: 4,
            modules: 64,
            components: 16,
            core_instances: u64::from(super::engine::CORE_INSTANCES_MAX),
            functions: 50_000,
            // CPython's interpreter has one of 420 KiB. What takes too long all the same, the compiler's own limits end.
            body_bytes: 1 << 20,
            locals: 5_000,
            memories: u64::from(super::engine::MEMORIES_MAX),
            memory_pages: (limits.guest_memory_bytes_max >> 16) as u64,
            tables: u64::from(super::engine::TABLES_MAX),
            table_elements: limits.guest_table_elements_max as u64,
            data_bytes: limits.guest_memory_bytes_max as u64,
            imports: 512,
            exports: 1_024,
        }
    }
}

/// Lets an upload through to the compiler, or says why not.
pub(super) fn inspect(wasm: &[u8], limits: &Limits) -> Result<(), Refusal> {
    if wasm.len() > limits.module_bytes_max {
        return Err(Refusal::Large { bytes: wasm.len(), max: limits.module_bytes_max });
    }
    if wasm.starts_with(b"\x7fELF") {
        return Err(Refusal::Precompiled);
    }
    if !wasm.starts_with(b"\0asm") {
        return Err(Refusal::NotWasm);
    }
    if wasmparser::Parser::is_core_wasm(wasm) {
        return Err(Refusal::CoreModule);
    }
    let face = scan::scan(wasm, Maxima::of(limits))?;
    if let Some(import) = face.imports.iter().find(|import| !is_offered(import)) {
        return Err(Refusal::Import { import: import.clone() });
    }
    if !face.exports.iter().any(|export| export == GUEST) {
        return Err(Refusal::OtherWorld { wanted: GUEST, exports: list(&face.exports) });
    }
    Ok(())
}

fn is_offered(import: &str) -> bool {
    let Some((interface, version)) = import.split_once('@') else { return false };
    let wanted = if interface.starts_with("wasi:") { "0.2." } else { "0.1." };
    version.starts_with(wanted) && OFFERED.contains(&interface)
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let shown: Vec<&str> = names.iter().take(8).map(String::as_str).collect();
    let more = names.len().saturating_sub(shown.len());
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        inspect(bytes, &Limits::for_cores(1)).unwrap_err().to_string()
    }

    #[test]
    fn each_refusal_names_what_it_is() {
        assert!(refusal(b"hello").contains("no WebAssembly"));
        assert!(refusal(b"\0asm\x01\0\0\0").contains("core module"));
        assert!(refusal(b"\x7fELF\x02").contains("compiled artefact"));
        assert!(refusal(b"\0asm\x0d\0\x01\0").contains("exports nothing"));
        assert!(refusal(b"\0asm\x0d\0\x01\0\x01").contains("no valid component"));
        assert!(refusal(b"\0as").contains("no WebAssembly"));
    }

    #[test]
    fn what_is_too_long_is_not_looked_at() {
        let limits = Limits { module_bytes_max: 3, ..Limits::for_cores(1) };

        assert!(matches!(inspect(b"\0asm", &limits), Err(Refusal::Large { bytes: 4, max: 3 })));
    }

    #[test]
    fn any_minor_release_of_wasi_is_offered() {
        assert!(is_offered("wasi:cli/exit@0.2.0"));
        assert!(is_offered("wasi:cli/exit@0.2.99"));
        assert!(!is_offered("wasi:cli/exit@0.3.0"));
        assert!(!is_offered("wasi:http/types@0.2.0"));
        assert!(!is_offered("wasi:cli/exit"));
    }
}
