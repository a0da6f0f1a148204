//! The files of the repository, read into memory, so that the self-test can bring files of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

/// Folders whose files have rules.
const FOLDERS: [&str; 6] = ["host", "guest-sdk", "examples", "tests", "benches", "migrations"];

/// Paths from the root of the repository, with `/`, and what the files hold.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads every `.rs` and `.sql` file below `root` that a rule could be about.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        for folder in FOLDERS {
            if root.join(folder).is_dir() {
                tree.read_folder(&root.join(folder), folder)?;
            }
        }
        Ok(tree)
    }

    fn read_folder(&mut self, folder: &Path, name: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let entry_name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{name}/{entry_name}");
            if entry_name == "target" {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.read_folder(&entry.path(), &path)?;
            } else if is_a(&path, "rs") || is_a(&path, "sql") {
                self.files.insert(path, fs::read_to_string(entry.path())?);
            }
        }
        Ok(())
    }

    /// A tree of the given files, for the self-test.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Self { files: files.collect() }
    }

    /// What a file holds.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// All files, in the order of their paths.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The files below a folder (which ends in `/`), named from there on.
    pub(crate) fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files().filter_map(move |(path, text)| Some((path.strip_prefix(folder)?, text)))
    }

    /// The Rust sources below a folder.
    pub(crate) fn sources<'a>(
        &'a self,
        folder: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.below(folder).filter(|(path, _)| is_a(path, "rs"))
    }
}

/// Whether a path ends in this extension.
pub(crate) fn is_a(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}
