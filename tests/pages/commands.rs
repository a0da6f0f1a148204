//! `docs/cli.md` against what the program says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use stepwell::cli;

use crate::page::{Page, quoted};

fn help(command: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_stepwell"))
        .arg("help")
        .args(command)
        .env("COLUMNS", "200")
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "help {command:?}");
    String::from_utf8(output.stdout).expect("help is text")
}

/// The commands that a help lists.
fn commands(help: &str) -> BTreeSet<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // What a long line goes on in is indented further.
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !["", "help"].contains(name)).map(str::to_owned).collect()
}

/// The rows of the page's table of commands: the names, and all that is said.
fn rows() -> Vec<(Vec<String>, String)> {
    let page = Page::read("docs/cli.md");
    let rows = page.rows().into_iter().map(|(_line, cells)| cells);
    let is_command = |cells: &Vec<String>| {
        let names: Vec<_> = quoted(&cells[0]).collect();
        cells.len() == 3 && names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase()))
    };
    let rows = rows.filter(is_command).map(|cells| {
        let names = quoted(&cells[0]).map(str::to_owned).collect();
        (names, format!("{} {}", cells[1], cells[2]))
    });
    rows.collect()
}

#[test]
fn the_page_lists_every_command_and_no_other() {
    let page: BTreeSet<_> = rows().into_iter().flat_map(|(names, _)| names).collect();
    let code = commands(&help(&[]));

    assert!(code.len() > 25, "{code:?}");
    assert_eq!(page, code);
}

#[test]
fn what_the_page_says_of_a_command_is_so() {
    let mut compared = 0;
    for (names, said) in rows() {
        let command = names[0].as_str();
        let whole = help(&[command]);
        let of_group = commands(&whole);
        let below = of_group.iter().map(|below| help(&[command, below]));
        let flags: String = below.chain([whole.clone()]).collect();
        for word in quoted(&said) {
            if let Some(flag) = word.strip_prefix("--") {
                let flag = flag.split(' ').next().unwrap();
                assert!(flags.contains(&format!("--{flag}")), "{command} has no --{flag}");
                compared += 1;
            } else if !of_group.is_empty() {
                assert!(of_group.contains(word), "{command} has no {word}");
                compared += 1;
            }
        }
        let named: BTreeSet<_> = quoted(&said).map(str::to_owned).collect();
        let missing: Vec<_> = of_group.difference(&named).collect();
        assert!(missing.is_empty(), "docs/cli.md says nothing of {command} {missing:?}");
    }
    assert!(compared > 30, "only {compared} were compared");
}

#[test]
fn the_page_and_the_help_say_the_same_of_exit_codes() {
    let page = Page::read("docs/cli.md");
    let of_page = page.rows().into_iter().filter_map(|(_line, cells)| {
        let code: u8 = cells[0].parse().ok()?;
        Some((code, cells[1].clone()))
    });
    let of_page: BTreeMap<_, _> = of_page.collect();
    let of_code = cli::EXIT_CODES.lines().skip(1).map(|line| {
        let (code, says) = line.trim().split_once("  ").unwrap();
        (code.parse::<u8>().unwrap(), says.to_owned())
    });

    assert_eq!(of_page, of_code.collect());
    assert_eq!(of_page.len(), 7);
    assert!(help(&[]).contains(cli::EXIT_CODES));
}
