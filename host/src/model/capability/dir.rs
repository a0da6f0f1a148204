//! Directories: `/in:ro`, `/out:rw`.

use std::fmt;
use std::str::FromStr;

use super::BadCapability;

/// What may be done in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Reading alone.
    ReadOnly,
    /// Everything.
    ReadWrite,
}

/// A directory as the guest sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DirWant {
    /// Absolute, without `.` and `..`, not `/` itself.
    pub path: String,
    /// What for.
    pub mode: Mode,
}

/// The longest path, in bytes.
const PATH_BYTES_MAX: usize = 255;

impl DirWant {
    /// Whether this one allows all that `other` allows.
    pub fn covers(&self, other: &Self) -> bool {
        self.path == other.path && self.mode >= other.mode
    }
}

impl FromStr for DirWant {
    type Err = BadCapability;

    fn from_str(text: &str) -> Result<Self, BadCapability> {
        let bad = |why: &str| BadCapability {
            what: "directory capability",
            text: text.to_owned(),
            why: why.to_owned(),
            example: "write for example \"/in:ro\" or \"/out:rw\"",
        };
        let (path, mode) = match text.rsplit_once(':') {
            Some((path, "ro")) => (path, Mode::ReadOnly),
            Some((path, "rw")) => (path, Mode::ReadWrite),
            Some(_) | None => return Err(bad("it does not end in :ro or :rw")),
        };
        checked_path(path).map_err(bad)?;
        Ok(Self { path: path.to_owned(), mode })
    }
}

fn checked_path(path: &str) -> Result<(), &'static str> {
    let Some(parts) = path.strip_prefix('/') else { return Err("its path does not begin with /") };
    let is_part =
        |part: &str| !matches!(part, "" | "." | "..") && !part.chars().any(char::is_control);
    if path.len() > PATH_BYTES_MAX || !parts.split('/').all(is_part) {
        return Err("its path has an empty part, a `.` or a `..`, ends in /, or is too long");
    }
    Ok(())
}

impl fmt::Display for DirWant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Mode::ReadOnly => "ro",
            Mode::ReadWrite => "rw",
        };
        write!(f, "{}:{mode}", self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_an_absolute_path_and_a_mode() {
        for text in ["/in:ro", "/out:rw", "/a/b c:ro"] {
            assert_eq!(text.parse::<DirWant>().unwrap().to_string(), text);
        }
        for text in ["in:ro", "/in", "/in:wo", "/:ro", "/a/../b:ro", "/a//b:ro", "/a/:ro", "/.:ro"]
        {
            assert!(text.parse::<DirWant>().is_err(), "{text}");
        }
    }

    #[test]
    fn who_may_write_may_read() {
        let (ro, rw): (DirWant, DirWant) = ("/a:ro".parse().unwrap(), "/a:rw".parse().unwrap());
        assert!(rw.covers(&ro) && ro.covers(&ro) && !ro.covers(&rw));
    }
}
