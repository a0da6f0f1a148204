//! The page of parity: each test that it names is there.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the tests of a place are.
fn folder(place: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match place {
        "lib" => root.join("host/src"),
        other => root.join("tests").join(other),
    }
}

fn functions(folder: &Path, found: &mut HashSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let names = text.split("fn ").skip(1).filter_map(|rest| rest.split('(').next());
            found.extend(names.map(str::to_owned));
        }
    }
}

#[test]
fn each_test_that_the_page_of_parity_names_is_there() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/parity.md");
    let page = fs::read_to_string(page).unwrap();
    let named: Vec<_> = page
        .split('`')
        .filter_map(|quoted| quoted.split_once("::"))
        .filter(|(place, test)| {
            !place.contains(['[', '(']) && test.contains('_') && !test.contains(['(', ' '])
        })
        .collect();
    assert!(named.len() > 80, "only {} tests are named", named.len());

    let missing: Vec<_> = named
        .into_iter()
        .filter(|(place, test)| {
            let mut found = HashSet::new();
            functions(&folder(place), &mut found);
            !found.contains(*test)
        })
        .map(|(place, test)| format!("{place}::{test}"))
        .collect();

    assert!(missing.is_empty(), "not there: {missing:#?}");
}

#[test]
fn each_row_says_what_shows_it() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/parity.md");
    let page = fs::read_to_string(page).unwrap();

    for row in page.lines().filter(|line| line.starts_with("| ") && !line.contains("shown by")) {
        assert!(row.contains("::"), "no test is named: {row}");
    }
}
