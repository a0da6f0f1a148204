//! Each rule broken on purpose, and each allowed thing that looks like a breach.

use crate::plan::{ROOMS, SOURCES};
use crate::tree::Tree;
use crate::{Violation, violations};

/// A house without a fault, with these files added or put in the place of its own.
fn house_with(files: &[(&str, &str)]) -> Vec<Violation> {
    let faces: Vec<String> =
        ROOMS.iter().map(|room| format!("{SOURCES}{}/mod.rs", room.name)).collect();
    let mut all: Vec<(&str, &str)> =
        faces.iter().map(|face| (face.as_str(), "//! A room.\n")).collect();
    all.push(("migrations/postgres/0001_first.sql", "-- Everything begins.\n"));
    all.push(("migrations/sqlite/0001_first.sql", "-- Everything begins.\n"));
    all.extend_from_slice(files);
    violations(&Tree::of(&all))
}

/// What is told of one file of `host/src` that holds `text`: line and rule.
fn told_of(file: &str, text: &str) -> Vec<(usize, &'static str)> {
    let path = format!("{SOURCES}{file}");
    let found = house_with(&[(path.as_str(), text)]);
    assert!(
        found.iter().all(|violation| violation.file == path),
        "another file was blamed: {found:?}"
    );
    found.into_iter().map(|violation| (violation.line, violation.rule)).collect()
}

const DOWNWARD: &str = "imports go downward";
const CLIMBING: &str = "no climbing out of a room";
const FOREIGN: &str = "foreign crates in their rooms";

#[test]
fn a_house_without_a_fault_is_not_blamed() {
    assert_eq!(house_with(&[]), []);
}

#[test]
fn an_import_from_above_is_told_with_its_line() {
    let told = house_with(&[(
        "host/src/store/rows.rs",
        "//! Rows.\n\nuse crate::worker::slots::Slots;\n",
    )]);

    let line = told.first().map(ToString::to_string);
    let expected = "host/src/store/rows.rs:3: store imports worker; it may import model, journal [imports go downward]";
    assert_eq!((told.len(), line.as_deref()), (1, Some(expected)));
}

#[test]
fn an_import_from_the_same_floor_is_told() {
    assert_eq!(told_of("dispatch/start.rs", "use crate::worker::Slots;"), [(1, DOWNWARD)]);
    assert_eq!(told_of("sandbox/engine.rs", "use crate::store::Store;"), [(1, DOWNWARD)]);
}

#[test]
fn rooms_may_import_what_the_plan_allows_and_the_roof_everything() {
    let text = "use crate::{model::ids::ExecutionId, journal, store::Store, notify::Notifier, sandbox, worker::slots};";
    assert_eq!(told_of("worker/claimer.rs", text), []);
    assert_eq!(told_of("app.rs", "use crate::{http, worker, cli};"), []);
}

#[test]
fn groups_renames_and_stars_hide_nothing() {
    let text = "use crate::{\n    model::{self, ids as names},\n    http::{error as e,\n    *}, cli,\n};\nuse crate as house;\nuse crate::*;\n";

    let told = told_of("worker/local.rs", text);

    assert_eq!(told, [(3, DOWNWARD), (4, DOWNWARD), (4, DOWNWARD), (6, DOWNWARD), (7, DOWNWARD)]);
}

#[test]
fn paths_in_code_tests_and_signatures_are_imports_too() {
    assert_eq!(
        told_of("model/task.rs", "fn f() -> Option<crate::store::Row> {\n    None\n}"),
        [(1, DOWNWARD)]
    );
    assert_eq!(
        told_of("model/task.rs", "fn f() {\n    let x = 0..crate::store::MAX;\n}"),
        [(2, DOWNWARD)]
    );
    assert_eq!(
        told_of("model/task.rs", "#[cfg(test)]\nmod tests {\n    use crate::store::Row;\n}"),
        [(3, DOWNWARD)]
    );
    assert_eq!(told_of("model/task.rs", "pub(in crate::store) fn f() {}"), [(1, DOWNWARD)]);
}

#[test]
fn what_is_no_room_cannot_be_imported_by_one() {
    assert_eq!(told_of("store/connect.rs", "use crate::config::Config;"), [(1, DOWNWARD)]);
    assert_eq!(
        told_of("store/connect.rs", "use self::super::super::config::Config;"),
        [(1, CLIMBING)]
    );
}

#[test]
fn comments_strings_and_characters_are_no_code() {
    let text = concat!(
        "//! See crate::worker::Slots.\n/* use crate::http; /* sqlx::query */ */\n",
        "const A: &str = \"crate::http::x \\\" sqlx::y\";\nconst B: &str = r#\"use \"crate::cli\";\"#;\n",
        "fn f<'a>(x: &'a str) -> char {\n    '\"' // sqlx::query\n}\nconst C: u8 = b'\\'';\n"
    );
    assert_eq!(told_of("model/task.rs", text), []);
}

#[test]
fn code_after_strings_and_characters_is_still_seen() {
    let text = "const A: char = '\"';\nconst B: &[u8] = br##\"\"#\"##;\nfn f<'a>() -> &'a str { sqlx::query(\"\") }\n";
    assert_eq!(told_of("model/task.rs", text), [(3, FOREIGN)]);
}

#[test]
fn climbing_within_a_room_is_free_and_out_of_it_is_not() {
    assert_eq!(told_of("store/rows.rs", "use super::error::StoreError;\nuse super::*;"), []);
    assert_eq!(told_of("store/rows.rs", "mod tests {\n    use super::super::error::E;\n}"), []);
    assert_eq!(told_of("store/rows.rs", "use super::super::journal::Entry;"), [(1, CLIMBING)]);
    assert_eq!(told_of("store/sql_store/mod.rs", "use super::super::worker::X;"), [(1, CLIMBING)]);
    assert_eq!(
        told_of("store/rows.rs", "mod tests {\n    use super::super::super::x::Y;\n}"),
        [(2, CLIMBING)]
    );
}

#[test]
fn a_foreign_crate_outside_its_room_is_told() {
    assert_eq!(told_of("worker/task.rs", "use sqlx::Row;"), [(1, FOREIGN)]);
    assert_eq!(told_of("worker/task.rs", "use sqlx_core::Row;"), [(1, FOREIGN)]);
    assert_eq!(told_of("worker/task.rs", "extern crate sqlx as db;"), [(1, FOREIGN)]);
    assert_eq!(told_of("worker/task.rs", "fn f() {\n    ::wasmtime::x();\n}"), [(2, FOREIGN)]);
    assert_eq!(told_of("worker/task.rs", "use {std::fmt, hyper::Body};"), [(1, FOREIGN)]);
    assert_eq!(told_of("store/error.rs", "#[derive(minicbor::Encode)]\nstruct X;"), [(1, FOREIGN)]);
    assert_eq!(told_of("app.rs", "fn f() -> sqlx::Result<()> {}"), [(1, FOREIGN)]);
    assert_eq!(told_of("dispatch/error.rs", "use anyhow::Result;"), [(1, FOREIGN)]);
}

#[test]
fn foreign_crates_at_home_and_names_like_theirs_are_not_told() {
    assert_eq!(told_of("store/connect.rs", "use sqlx::Row;"), []);
    assert_eq!(told_of("sandbox/step/egress/connect.rs", "use hyper::body::Body;"), []);
    assert_eq!(told_of("sandbox/step/egress.rs", "use hyper_util::rt;"), []);
    assert_eq!(
        told_of("main.rs", "use clap::Parser;\nuse anyhow::Context;\nuse tracing_subscriber::fmt;"),
        []
    );
    assert_eq!(
        told_of(
            "worker/task.rs",
            "fn f(x: X) { x.tower.hyper::<u8>(); let fred = towering::x(); }"
        ),
        []
    );
    assert_eq!(
        told_of("worker/task.rs", "fn f() { Vec::<u8>::hyper::x(); tempfile::tempdir(); }"),
        []
    );
}

#[test]
fn hyper_elsewhere_in_the_sandbox_is_told() {
    assert_eq!(told_of("sandbox/step/wasi.rs", "use hyper::body::Body;"), [(1, FOREIGN)]);
}

#[test]
fn a_circle_is_told_once() {
    let told = house_with(&[
        ("host/src/store/a.rs", "use crate::journal::Entry;"),
        ("host/src/journal/b.rs", "\nuse crate::store::Row;"),
    ]);

    let circles: Vec<_> = told.iter().filter(|violation| violation.rule == "no circles").collect();
    assert_eq!(circles.len(), 1, "{told:?}");
    assert_eq!(circles[0].what, "a circle of rooms: journal -> store -> journal");
}

#[test]
fn a_file_over_400_lines_is_told_wherever_it_lies() {
    for file in [
        "host/src/model/x.rs",
        "guest-sdk/macros/src/x.rs",
        "examples/a/src/lib.rs",
        "tests/x.rs",
        "benches/x.rs",
    ] {
        assert_eq!(house_with(&[(file, &"// a line\n".repeat(400))]), []);
        let told = house_with(&[(file, &"// a line\n".repeat(401))]);
        assert_eq!(
            (told.len(), told[0].rule, told[0].file.as_str()),
            (1, "no file over 400 lines", file)
        );
    }
}

#[test]
fn nameless_and_unknown_rooms_are_told() {
    assert_eq!(told_of("utils/mod.rs", "//! Things."), [(1, "no nameless rooms")]);
    assert_eq!(told_of("helpers.rs", ""), [(1, "no nameless rooms")]);
    assert_eq!(told_of("engine/mod.rs", "//! Things."), [(1, "only the rooms of the plan")]);
    assert_eq!(told_of("engine.rs", ""), [(1, "only the rooms of the plan")]);
    assert_eq!(house_with(&[("guest-sdk/src/prelude.rs", "")]), []);
    assert_eq!(house_with(&[("guest-sdk/src/common.rs", "")]).len(), 1);
}

#[test]
fn a_room_without_its_page_is_told() {
    assert_eq!(told_of("worker/mod.rs", "mod slots;\n"), [(1, "every room has a face")]);
    let told = violations(&Tree::of(&[]));
    assert_eq!(
        told.iter().filter(|violation| violation.rule == "every room has a face").count(),
        ROOMS.len()
    );
}

#[test]
fn migrations_out_of_step_are_told() {
    let told = house_with(&[("migrations/sqlite/0002_more.sql", "")]);
    assert_eq!((told.len(), told[0].rule), (1, "both databases migrate in step"));

    let told = house_with(&[
        ("migrations/sqlite/0001_other.sql", ""),
        ("migrations/postgres/0001_other.sql", ""),
    ]);
    assert_eq!((told.len(), told[0].rule), (2, "migrations are numbered"));
    assert_eq!(
        violations(&Tree::of(&[]))
            .iter()
            .filter(|violation| violation.file.starts_with("migrations"))
            .count(),
        2
    );
}

#[test]
fn half_a_pair_of_statements_is_told() {
    let rule = "statements come alone or as a pair";
    let pair = [
        ("host/src/store/sql/claim.postgres.sql", ""),
        ("host/src/store/sql/claim.sqlite.sql", ""),
    ];
    assert_eq!(house_with(&pair), []);
    assert_eq!(house_with(&[("host/src/store/sql/park.sql", "")]), []);

    assert_eq!(told_of("store/sql/claim.postgres.sql", ""), [(1, rule)]);
    assert_eq!(told_of("store/sql/claim.mysql.sql", ""), [(1, rule)]);
    let third = house_with(&[pair[0], pair[1], ("host/src/store/sql/claim.sql", "")]);
    assert_eq!(third.iter().map(|violation| violation.rule).collect::<Vec<_>>(), [rule, rule]);
}
