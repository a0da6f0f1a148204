//! Foreign crates live in their rooms, so that each can be replaced by rewriting one room.

use crate::Violation;
use crate::lexer;
use crate::paths;
use crate::plan::{Foreign, SOURCES};
use crate::tree::Tree;

/// Every use of a crate outside its room.
pub(crate) fn violations(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, text) in tree.sources(SOURCES) {
        for path in paths::paths(&lexer::tokens(text)) {
            let name = path.segments[0].as_str();
            let Some(foreign) = Foreign::of(name) else { continue };
            if !foreign.may_be_used_in(file) {
                let what =
                    format!("{name} is used here; it lives in {}", foreign.lives_in.join(", "));
                let file = format!("{SOURCES}{file}");
                found.push(Violation {
                    file,
                    line: path.line,
                    rule: "foreign crates in their rooms",
                    what,
                });
            }
        }
    }
    found
}
