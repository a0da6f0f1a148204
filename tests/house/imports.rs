//! Rooms import from the rooms below them, by the plan; no circle can be drawn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::Violation;
use crate::lexer;
use crate::paths::{self, CodePath};
use crate::plan::{self, ROOMS, SOURCES};
use crate::tree::Tree;

/// One path of a room's code that leads out of the room.
#[derive(Debug)]
struct Import<'a> {
    room: &'a str,
    file: &'a str,
    path: CodePath,
    leads: Leads,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
enum Leads {
    /// It stays in its room, or leads to another crate.
    Nowhere,
    /// To what has this name at the crate's root.
    ToRoot(String),
    /// By `super::` out of the room.
    Up,
}

/// The first import of one room by another.
type Edges<'a> = BTreeMap<(&'a str, &'a str), &'a Import<'a>>;

/// Every import that the plan does not allow, and every circle.
pub(crate) fn violations(tree: &Tree) -> Vec<Violation> {
    let imports = imports(tree);
    let mut found: Vec<_> = imports.iter().filter_map(Import::breach).collect();
    let mut edges = Edges::new();
    for import in &imports {
        if let Some(name) = import.imported_room() {
            edges.entry((import.room, name)).or_insert(import);
        }
    }
    found.extend(circles(&edges));
    found
}

fn imports(tree: &Tree) -> Vec<Import<'_>> {
    let mut found = Vec::new();
    for (file, text) in tree.sources(SOURCES) {
        let Some(room) = plan::room_of(file) else { continue };
        let all = paths::paths(&lexer::tokens(text)).into_iter();
        let with_ends = all.map(|path| Import { room, file, leads: leads(&path, file), path });
        found.extend(with_ends.filter(|import| import.leads != Leads::Nowhere));
    }
    found
}

impl Import<'_> {
    fn violation(&self, rule: &'static str, what: String) -> Violation {
        Violation { file: format!("{SOURCES}{}", self.file), line: self.path.line, rule, what }
    }

    fn breach(&self) -> Option<Violation> {
        match &self.leads {
            Leads::Nowhere => None,
            Leads::ToRoot(name) => {
                Some(self.violation("imports go downward", refusal(self.room, name)?))
            }
            Leads::Up => {
                let what = format!(
                    "`{}` climbs out of the room {}: begin with `crate::` and the room's name",
                    self.path.segments.join("::"),
                    self.room
                );
                Some(self.violation("no climbing out of a room", what))
            }
        }
    }

    /// The other room that it leads to.
    fn imported_room(&self) -> Option<&str> {
        let name = match &self.leads {
            Leads::Nowhere => None,
            Leads::ToRoot(name) => Some(name),
            Leads::Up => {
                self.path.segments.iter().find(|name| !["self", "super"].contains(&name.as_str()))
            }
        };
        name.map(String::as_str).filter(|name| plan::room(name).is_some() && *name != self.room)
    }
}

fn leads(path: &CodePath, file: &str) -> Leads {
    let mut segments =
        path.segments.iter().map(String::as_str).skip_while(|name| *name == "self").peekable();
    match segments.peek().copied() {
        Some("crate") => Leads::ToRoot(segments.nth(1).unwrap_or("crate").to_owned()),
        Some("super") => {
            let climbed = segments.take_while(|name| *name == "super").count();
            if climbed < depth(file) + path.inline_depth { Leads::Nowhere } else { Leads::Up }
        }
        Some(_) | None => Leads::Nowhere,
    }
}

/// How many modules deep a file's own module lies: `store/mod.rs` one, `store/committer.rs` two.
fn depth(file: &str) -> usize {
    let names = file.trim_end_matches(".rs").split('/');
    names.filter(|name| *name != "mod").count()
}

/// Why `room` may not import what has this name at the crate's root, if it may not.
fn refusal(room: &str, name: &str) -> Option<String> {
    if name == room {
        return None;
    }
    // A room that is not in the plan is told so by the rule on files.
    let allowed = plan::room(room)?.may_import;
    if allowed.contains(&name) {
        return None;
    }
    let list = if allowed.is_empty() { "no room".to_owned() } else { allowed.join(", ") };
    Some(match name {
        "*" | "crate" => format!("{room} takes the whole crate; it may import {list}"),
        name if plan::room(name).is_some() => {
            format!("{room} imports {name}; it may import {list}")
        }
        name => format!("{room} imports crate::{name}, which is no room; it may import {list}"),
    })
}

/// Each circle is told once, at the import that closes it.
fn circles(edges: &Edges<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for room in ROOMS.iter().map(|room| room.name) {
        let Some(circle) = way_back(edges, room) else { continue };
        let members: BTreeSet<&str> = circle.iter().copied().collect();
        let closing = edges.get(&(circle[circle.len() - 1], room));
        if let (true, Some(import)) = (told.insert(members), closing) {
            let what = format!("a circle of rooms: {} -> {room}", circle.join(" -> "));
            found.push(import.violation("no circles", what));
        }
    }
    found
}

/// The shortest way over the imports from a room back to itself, without its last step.
fn way_back<'a>(edges: &Edges<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        let here = way[way.len() - 1];
        if edges.contains_key(&(here, start)) {
            return Some(way);
        }
        let onward = edges.keys().filter(|(from, to)| *from == here && seen.insert(*to));
        ways.extend(onward.map(|(_, next)| [way.as_slice(), &[*next]].concat()));
    }
    None
}
