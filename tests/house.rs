//! The house test: the rules of the rooms, checked on the text of the whole repository.
//!
//! Imports go downward only, foreign crates stay in their rooms, files stay short, and the two databases stay in step. The
//! checker reads tokens, not types: it needs nothing but `std` and says the file, the line and the rule. Every rule is broken
//! once on purpose in `house/self_test.rs`, so that it is known that it can fail.

#[path = "house/files.rs"]
mod files;
#[path = "house/foreign.rs"]
mod foreign;
#[path = "house/imports.rs"]
mod imports;
#[path = "house/lexer.rs"]
mod lexer;
#[path = "house/paths.rs"]
mod paths;
#[path = "house/plan.rs"]
mod plan;
#[path = "house/self_test.rs"]
mod self_test;
#[path = "house/tree.rs"]
mod tree;

use std::fmt;
use std::path::Path;

use tree::Tree;

/// One place that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    file: String,
    line: usize,
    rule: &'static str,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} [{}]", self.file, self.line, self.what, self.rule)
    }
}

/// Everything in the tree that breaks a rule of the house, in the order of the files.
fn violations(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    found.extend(imports::violations(tree));
    found.extend(foreign::violations(tree));
    found.extend(files::violations(tree));
    found.sort();
    found.dedup();
    found
}

#[test]
fn the_house_keeps_its_rules() {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("host/ lies in the repository");
    let tree = Tree::read(root).expect("the repository can be read");

    let broken = violations(&tree);

    let list: Vec<String> = broken.iter().map(ToString::to_string).collect();
    assert!(
        broken.is_empty(),
        "{} breaches of the house's rules:\n{}",
        list.len(),
        list.join("\n")
    );
}

#[test]
fn the_checker_sees_the_whole_repository() {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("host/ lies in the repository");
    let tree = Tree::read(root).expect("the repository can be read");

    for file in
        ["host/src/main.rs", "host/src/model/mod.rs", "tests/house.rs", "guest-sdk/src/lib.rs"]
    {
        assert!(tree.text(file).is_some(), "{file} was not read");
    }
}
