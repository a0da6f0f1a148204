//! What files there may be, how long they are, and how they are named.

use std::collections::{BTreeMap, BTreeSet};

use crate::Violation;
use crate::plan::{self, NAMELESS, ROOF, ROOMS, SOURCES};
use crate::tree::{self, Tree};

const LINES_MAX: usize = 400;

const SDK_SOURCES: &str = "guest-sdk/src/";
const POSTGRES: &str = "migrations/postgres/";
const SQLITE: &str = "migrations/sqlite/";
const STATEMENTS: &str = "host/src/store/sql/";

/// Every file that is too long, wrongly named, out of step with its twin, or missing.
pub(crate) fn violations(tree: &Tree) -> Vec<Violation> {
    let mut found = long_files(tree);
    found.extend(nameless(tree));
    found.extend(strange_rooms(tree));
    found.extend(faces(tree));
    found.extend(migrations(tree));
    found.extend(statements(tree));
    found
}

fn violation(file: impl Into<String>, rule: &'static str, what: impl Into<String>) -> Violation {
    Violation { file: file.into(), line: 1, rule, what: what.into() }
}

fn long_files(tree: &Tree) -> Vec<Violation> {
    let is_source = |path: &str| ["rs", "js", "css"].iter().any(|kind| tree::is_a(path, kind));
    let sources = tree.files().filter(|(path, _)| is_source(path));
    let counted = sources.map(|(path, text)| (path, text.lines().count()));
    let long = counted.filter(|(_, lines)| *lines > LINES_MAX);
    long.map(|(path, lines)| Violation {
        file: path.to_owned(),
        line: LINES_MAX + 1,
        rule: "no file over 400 lines",
        what: format!("{lines} lines: two ideas or more in one file"),
    })
    .collect()
}

/// The first name of each path below a folder: a room's, or a file's at the top.
fn top_names<'a>(tree: &'a Tree, folder: &'a str) -> BTreeMap<&'a str, &'a str> {
    let mut names = BTreeMap::new();
    for (file, _) in tree.sources(folder) {
        let name = file.split('/').next().unwrap_or(file).trim_end_matches(".rs");
        names.entry(name).or_insert(file);
    }
    names
}

fn nameless(tree: &Tree) -> Vec<Violation> {
    let told = |folder: &'static str, allowed: &'static [&'static str]| {
        let names = top_names(tree, folder).into_iter();
        let bad = names.filter(|(name, _)| NAMELESS.contains(name) && !allowed.contains(name));
        bad.map(move |(name, file)| {
            let what = format!("`{name}` says nothing: what has no room has no name yet");
            violation(format!("{folder}{file}"), "no nameless rooms", what)
        })
        .collect::<Vec<_>>()
    };
    [told(SOURCES, &[]), told(SDK_SOURCES, &["prelude"])].concat()
}

/// Folders that are no room, and files beside the rooms that are not of the roof.
fn strange_rooms(tree: &Tree) -> Vec<Violation> {
    let names = top_names(tree, SOURCES).into_iter().filter(|(name, _)| !NAMELESS.contains(name));
    let strange = names.filter(|(name, file)| {
        !(ROOF.contains(name) || file.contains('/') && plan::room(name).is_some())
    });
    strange
        .map(|(name, file)| {
            let what = format!("`{name}` is neither a room of the plan nor a file of the roof");
            violation(format!("{SOURCES}{file}"), "only the rooms of the plan", what)
        })
        .collect()
}

/// Each room is there, and its `mod.rs` opens with its page of documentation.
fn faces(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for room in ROOMS {
        let face = format!("{SOURCES}{}/mod.rs", room.name);
        match tree.text(&face) {
            None => found.push(violation(face, "every room has a face", "this file is missing")),
            Some(text) if !text.starts_with("//!") => {
                let what = "it does not open with `//!`: what lives here, and what does not";
                found.push(violation(face, "every room has a face", what));
            }
            Some(_) => {}
        }
    }
    found
}

/// Forward only, one number each, and the same names for both databases.
fn migrations(tree: &Tree) -> Vec<Violation> {
    let rule = "both databases migrate in step";
    let names =
        |folder: &'static str| tree.below(folder).map(|(name, _)| name).collect::<BTreeSet<_>>();
    let (postgres, sqlite) = (names(POSTGRES), names(SQLITE));
    let mut found = Vec::new();
    for (folder, here, there) in [(POSTGRES, &postgres, &sqlite), (SQLITE, &sqlite, &postgres)] {
        if here.is_empty() {
            found.push(violation(folder, rule, "there are no migrations here"));
        }
        for name in here.difference(there) {
            found.push(violation(
                format!("{folder}{name}"),
                rule,
                "the other database has no such file",
            ));
        }
        found.extend(numbers(folder, here));
    }
    found
}

fn numbers(folder: &str, names: &BTreeSet<&str>) -> Vec<Violation> {
    let mut taken = BTreeMap::new();
    let mut found = Vec::new();
    for name in names {
        let number = name.split_once('_').and_then(|(digits, _)| digits.parse::<u32>().ok());
        let what = match number {
            None => Some("a migration is named by its number, `_`, and what it does".to_owned()),
            Some(number) => {
                taken.insert(number, *name).map(|other| format!("its number is taken by {other}"))
            }
        };
        if let Some(what) = what {
            found.push(violation(format!("{folder}{name}"), "migrations are numbered", what));
        }
    }
    found
}

/// `name.sql` for both databases, or a pair; never a third file, never half a pair.
fn statements(tree: &Tree) -> Vec<Violation> {
    let rule = "statements come alone or as a pair";
    let mut found = Vec::new();
    for (file, _) in tree.below(STATEMENTS).filter(|(file, _)| tree::is_a(file, "sql")) {
        let name = file.trim_end_matches(".sql");
        let twin = match name.rsplit_once('.') {
            None => continue,
            Some((statement, "postgres")) => (statement, "sqlite"),
            Some((statement, "sqlite")) => (statement, "postgres"),
            Some((_, dialect)) => {
                let what = format!("`{dialect}` is no database of ours");
                found.push(violation(format!("{STATEMENTS}{file}"), rule, what));
                continue;
            }
        };
        let (statement, other) = twin;
        if tree.text(&format!("{STATEMENTS}{statement}.{other}.sql")).is_none() {
            let what = format!("{statement}.{other}.sql is missing");
            found.push(violation(format!("{STATEMENTS}{file}"), rule, what));
        }
        if tree.text(&format!("{STATEMENTS}{statement}.sql")).is_some() {
            let what = format!("{statement}.sql serves both databases already");
            found.push(violation(format!("{STATEMENTS}{file}"), rule, what));
        }
    }
    found
}
