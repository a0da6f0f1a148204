//! The Markdown of the repository, read as far as the checks need it.

use std::fs;
use std::path::{Path, PathBuf};

/// One Markdown file.
pub(crate) struct Page {
    /// Where it lies, from the root of the repository.
    pub(crate) path: PathBuf,
    text: String,
}

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of its fence, from 1.
    pub(crate) line: usize,
    /// What stands behind the opening fence.
    pub(crate) language: String,
    /// What is in it.
    pub(crate) text: String,
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("host/ lies in the repository")
}

/// Every page that people are sent to.
pub(crate) fn pages() -> Vec<Page> {
    let mut paths: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "deploy/README.md"]
            .map(PathBuf::from)
            .into();
    paths.extend(markdown_in("docs"));
    paths.extend(markdown_in("docs/decisions"));
    for example in fs::read_dir(root().join("examples")).expect("examples/ can be read") {
        let name = example.expect("an entry can be read").file_name();
        paths.push(Path::new("examples").join(name).join("README.md"));
    }
    paths.retain(|path| root().join(path).is_file());
    paths.sort();
    paths.into_iter().map(Page::read).collect()
}

fn markdown_in(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("a folder of pages can be read");
    let names = entries.map(|entry| entry.expect("an entry can be read").file_name());
    let paths = names.map(|name| Path::new(folder).join(name));
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

impl Page {
    /// Reads one.
    pub(crate) fn read(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let text = fs::read_to_string(root().join(&path)).expect("a page can be read");
        Self { path, text }
    }

    /// A page that a test makes up.
    pub(crate) fn of(text: &str) -> Self {
        Self { path: PathBuf::from("docs/made-up.md"), text: text.to_owned() }
    }

    /// Its fenced blocks.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (number, line) in (1..).zip(self.text.lines()) {
            open = match (open, line.trim().strip_prefix("```")) {
                (None, Some(language)) => {
                    let language = language.to_owned();
                    Some(Block { line: number, language, text: String::new() })
                }
                (Some(block), Some(_fence)) => {
                    blocks.push(block);
                    None
                }
                (Some(mut block), None) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                    Some(block)
                }
                (None, None) => None,
            };
        }
        assert!(open.is_none(), "{}: a block is never closed", self.path.display());
        blocks
    }

    /// Its lines outside of blocks, with their numbers.
    pub(crate) fn prose(&self) -> Vec<(usize, &str)> {
        let mut inside = false;
        let mut prose = Vec::new();
        for (number, line) in (1..).zip(self.text.lines()) {
            if line.trim().starts_with("```") {
                inside = !inside;
            } else if !inside {
                prose.push((number, line));
            }
        }
        prose
    }

    /// The cells of every row of its tables, heads and rules left out, with the numbers of the lines.
    pub(crate) fn rows(&self) -> Vec<(usize, Vec<String>)> {
        let mut rows = Vec::new();
        let mut below_rule = false;
        for (number, line) in self.prose() {
            if !line.starts_with('|') {
                below_rule = false;
            } else if line.starts_with("|--") {
                below_rule = true;
            } else if below_rule {
                rows.push((number, cells(line)));
            }
        }
        rows
    }
}

fn cells(row: &str) -> Vec<String> {
    let inner = row.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

/// What stands between backticks.
pub(crate) fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}
