//! `docs/limits.md` against `model::Limits` and the flags that raise them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use clap::{Args, Command};
use stepwell::config::ServeFlags;
use stepwell::model::Limits;

use crate::page::{Page, quoted, root};

#[test]
fn the_page_lists_every_limit_with_its_default() {
    let page = limits_of_page();

    for (name, value) in limits_of_code() {
        let default = page.get(&name).unwrap_or_else(|| panic!("docs/limits.md lacks {name}"));
        // A group of its own defaults: each has a flag, whose default `configuration.rs` compares.
        if !value.contains('{') {
            let said = format!("{name} is {value} in the code, {default} in the page");
            assert_eq!(amounts(default), amounts(&value), "{said}");
        }
    }
}

#[test]
fn what_the_page_lists_is_somewhere_in_the_code() {
    let mut sources = String::new();
    for folder in ["host/src", "guest-sdk/src", "wit"] {
        read_all(&root().join(folder), &mut sources);
    }
    let sources = sources.to_lowercase();

    let field = |name: &str| name.rsplit('.').next().unwrap_or(name).to_lowercase();
    let known = |name: &str| sources.contains(&field(name));
    let extra: Vec<_> = limits_of_page().into_keys().filter(|name| !known(name)).collect();

    assert!(extra.is_empty(), "docs/limits.md lists what nothing bounds: {extra:?}");
}

#[test]
fn what_is_said_to_raise_a_limit_is_a_flag() {
    let command = ServeFlags::augment_args(Command::new("serve"));
    let flags: Vec<_> = command.get_arguments().filter_map(|flag| flag.get_long()).collect();

    for (line, cells) in Page::read("docs/limits.md").rows() {
        for flag in cells.iter().flat_map(|cell| quoted(cell)) {
            let Some(name) = flag.strip_prefix("--").filter(|name| *name != "release") else {
                continue;
            };
            assert!(flags.contains(&name), "docs/limits.md:{line}: a host has no --{name}");
        }
    }
}

#[test]
fn amounts_are_read_with_their_units() {
    assert_eq!(amounts("100 ms to 5 s"), amounts("(100ms, 5s)"));
    assert_eq!(amounts("1 MiB"), amounts("1048576"));
    assert_eq!(amounts("10 for each core"), amounts("10"));
    assert_eq!(amounts("5 min"), amounts("Lease(300s)"));
    assert_ne!(amounts("5 min"), amounts("300"));
}

/// Names and defaults: of a row that names several, each has the row's.
fn limits_of_page() -> BTreeMap<String, String> {
    let mut limits = BTreeMap::new();
    for (_line, cells) in Page::read("docs/limits.md").rows() {
        for name in quoted(&cells[0]) {
            limits.insert(name.to_owned(), cells[1].clone());
        }
    }
    limits
}

/// The fields of the limits of a host with one core.
fn limits_of_code() -> Vec<(String, String)> {
    let limits = Limits::for_cores(1);
    let egress = fields(&limits.egress).into_iter();
    let egress = egress.map(|(name, value)| (format!("egress.{name}"), value));
    let door = fields(&limits.door).into_iter();
    let door = door.map(|(name, value)| (format!("door.{name}"), value));
    let others = fields(&limits).into_iter();
    let others = others.filter(|(name, _)| name != "egress" && name != "door");
    others.chain(egress).chain(door).collect()
}

/// The fields of a struct, as `Debug` shows them.
fn fields(of: &impl std::fmt::Debug) -> Vec<(String, String)> {
    let shown = format!("{of:#?}");
    let mut limits: Vec<(String, String)> = Vec::new();
    for line in shown.lines().filter(|line| line.starts_with("    ")) {
        let line = line.strip_prefix("    ").unwrap_or(line);
        match line.split_once(": ").filter(|_field| !line.starts_with([' ', ')'])) {
            Some((name, value)) => limits.push((name.to_owned(), value.to_owned())),
            None => limits.last_mut().expect("a value follows its name").1.push_str(line),
        }
    }
    limits
}

/// The numbers of a text, each with the kind of its unit: bytes and counts as they are, times in nanoseconds.
fn amounts(text: &str) -> Vec<(&'static str, u128)> {
    let text = text.replace(',', "");
    let mut amounts = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        rest = &rest[at..];
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u128 = rest[..end].parse().expect("these are digits");
        rest = &rest[end..];
        let unit: String =
            rest.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
        let (kind, factor) = match unit.as_str() {
            "ms" => ("time", 1_000_000),
            "s" => ("time", 1_000_000_000),
            "min" => ("time", 60_000_000_000),
            "h" => ("time", 3_600_000_000_000),
            "d" => ("time", 86_400_000_000_000),
            "KiB" => ("count", 1 << 10),
            "MiB" => ("count", 1 << 20),
            "GiB" => ("count", 1 << 30),
            _none => ("count", 1),
        };
        amounts.push((kind, number * factor));
    }
    amounts
}

fn read_all(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder of sources can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            read_all(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "wit")
        {
            into.push_str(&fs::read_to_string(&path).expect("a source can be read"));
        }
    }
}
