//! `docs/configuration.md` against the flags of `stepwell serve`.

use std::collections::BTreeMap;

use clap::{Args, Command, Parser};
use stepwell::config::{Config, ServeFlags};

use crate::page::{Page, quoted};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    flags: ServeFlags,
}

/// What there is to say of a flag.
#[derive(Debug, PartialEq, Eq)]
struct Flag {
    variable: String,
    default: String,
    repeated: bool,
}

#[test]
fn the_page_lists_every_flag_of_a_host_with_its_variable_and_default() {
    let page = flags_of_page(&Page::read("docs/configuration.md"));
    let code = flags_of_code();

    for (name, flag) in &code {
        assert_eq!(page.get(name), Some(flag), "--{name} in docs/configuration.md");
    }
    let extra: Vec<_> = page.keys().filter(|name| !code.contains_key(*name)).collect();
    assert!(extra.is_empty(), "docs/configuration.md lists what no host takes: {extra:?}");
}

/// What help and page call the default is what a host does where nobody gives the flag.
#[test]
fn giving_a_flag_its_default_changes_nothing() {
    let undisturbed = config(&[]);
    let literal = |default: &str| default != "none" && !default.contains(' ') && default != "all";

    let mut compared = 0;
    for (name, flag) in flags_of_code().iter().filter(|(_, flag)| literal(&flag.default)) {
        let given = config(&[&format!("--{name}"), &flag.default]);
        assert_eq!(given, undisturbed, "--{name} {}", flag.default);
        compared += 1;
    }

    assert!(compared >= 14, "only {compared} flags have a default that can be given");
}

fn config(flags: &[&str]) -> String {
    let line = Line::try_parse_from(["serve"].iter().chain(flags)).expect("the flags are good");
    format!("{:?}", Config::from(line.flags))
}

fn flags_of_code() -> BTreeMap<String, Flag> {
    let command = ServeFlags::augment_args(Command::new("serve"));
    let flags = command.get_arguments().map(|argument| {
        let name = argument.get_long().expect("a host is set up by long flags").to_owned();
        let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let said = help.split_once("[default: ").map(|(_, rest)| rest.trim_end_matches(']'));
        let default = match argument.get_default_values() {
            [] => said.unwrap_or("none").to_owned(),
            [value, ..] => value.to_string_lossy().into_owned(),
        };
        let repeated = argument.get_value_delimiter() == Some(',');
        (name, Flag { variable: variable.unwrap_or_default(), default, repeated })
    });
    flags.collect()
}

fn flags_of_page(page: &Page) -> BTreeMap<String, Flag> {
    let rows = page.rows().into_iter().filter(|(_, cells)| cells[0].starts_with("`--"));
    let flags = rows.map(|(line, cells)| {
        let [flag, variable, default, _meaning] = cells.try_into().unwrap_or_else(|cells| {
            panic!("docs/configuration.md:{line}: four cells are wanted, not {cells:?}")
        });
        let name = quoted(&flag).next().expect("a flag is quoted").trim_start_matches("--");
        let name = name.to_owned();
        let repeated = flag.contains("(repeated)") && variable.contains("(commas)");
        let variable = quoted(&variable).next().unwrap_or_default().to_owned();
        (name, Flag { variable, default: default.replace('`', ""), repeated })
    });
    flags.collect()
}
