//! Makes a documentation test of each page: see `lib.rs`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What every page may use.
const HEADER: &str = "use schemars::JsonSchema;\n\
    use serde::{Deserialize, Serialize};\n\
    use stepwell::prelude::*;\n\
    use stepwell_testing::{Cue, ExecutionState, TestHost, Value, json};\n";

/// A piece of Rust in a page, and the line it begins at.
struct Block {
    line: usize,
    code: String,
}

/// Where in a page a line stands.
enum Place {
    Prose,
    Rust(Block),
    Hidden(Block),
    Other,
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = out_folder();
    let mut modules = String::new();
    for page in pages(&root) {
        println!("cargo::rerun-if-changed={}", page.display());
        let text = fs::read_to_string(&page).expect("a page can be read");
        let blocks = blocks(&text);
        if blocks.is_empty() {
            continue;
        }
        let stem = page.file_stem().expect("a page has a name").to_string_lossy();
        let name = stem.to_lowercase().replace('-', "_");
        let file = page.strip_prefix(&root).unwrap_or(&page).display().to_string();
        let test = out.join(format!("{name}.md"));
        fs::write(&test, documentation_test(&file, &blocks)).expect("a test can be written");
        let path = test.display();
        // Writing into a `String` has no way to go wrong.
        writeln!(modules, "#[doc = include_str!(r#\"{path}\"#)]\npub mod {name} {{}}").ok();
    }
    println!("cargo::rerun-if-changed={}", root.join("docs").display());
    fs::write(out.join("pages.rs"), modules).expect("the list can be written");
}

#[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts by the environment")]
fn out_folder() -> PathBuf {
    env::var_os("OUT_DIR").expect("cargo sets OUT_DIR").into()
}

fn pages(root: &Path) -> Vec<PathBuf> {
    let docs = fs::read_dir(root.join("docs")).expect("docs/ can be read");
    let mut pages: Vec<_> = docs.filter_map(|entry| Some(entry.ok()?.path())).collect();
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.push(root.join("README.md"));
    pages.sort();
    pages
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut place = Place::Prose;
    for (number, line) in (1..).zip(text.lines()) {
        place = match (place, line.trim()) {
            (Place::Prose, "<!-- rust") => {
                Place::Hidden(Block { line: number, code: String::new() })
            }
            (Place::Prose, fence) if fence.starts_with("```") => match fence {
                "```rust" => Place::Rust(Block { line: number, code: String::new() }),
                _other => Place::Other,
            },
            (Place::Rust(block), "```") | (Place::Hidden(block), "-->") => {
                blocks.push(block);
                Place::Prose
            }
            (Place::Other, "```") => Place::Prose,
            (Place::Rust(block), _code) => Place::Rust(block.with(line)),
            (Place::Hidden(block), _code) => Place::Hidden(block.with(line)),
            (place @ (Place::Prose | Place::Other), _text) => place,
        };
    }
    blocks
}

impl Block {
    fn with(mut self, line: &str) -> Self {
        // What is compiled must not be left away because nothing runs the tests of a page.
        if line.trim() != "#[test]" {
            self.code.push_str(&line.replace('…', "todo!()"));
        }
        self.code.push('\n');
        self
    }
}

/// Each block opens a scope inside that of the block before: it sees what was defined, and may define it again.
fn documentation_test(file: &str, blocks: &[Block]) -> String {
    let mut code = format!("{HEADER}fn page() {{\n");
    for block in blocks {
        let Block { line, code: text } = block;
        let is_of_items = syn::parse_file(text).is_ok();
        let scope = if is_of_items {
            format!("{{ // line {line} of {file}\n{text}")
        } else {
            format!(
                "{{ // line {line} of {file}\nasync fn statements() -> Result<(), Failure> {{\n{text}\nOk(()) }}\n"
            )
        };
        code.push_str(&scope);
    }
    code.push_str(&"}".repeat(blocks.len() + 1));
    code.push_str("\nfn main() {}\n");
    format!("Of {file}.\n\n```no_run,standalone_crate\n{code}```\n")
}
