//! The Rust of README.md and of every page in docs/ compiles: `cargo test -p stepwell-test-docs --doc`.
//!
//! `build.rs` makes one documentation test of each page, which is compiled and not run. How a page is written for that:
//!
//! - A block opened by three backticks and `rust` is compiled. `rust` with anything behind it is refused by `tests/pages`.
//! - The blocks of a page are read one after the other: each sees what those before it define, and may define a name again.
//!   The prelude of the SDK, `Serialize`, `Deserialize`, `JsonSchema`, `json!` and what `stepwell_testing` has are there already.
//! - A block of items (functions, structs, `stepwell::module!`) stands as it is. A block of statements is the body of an
//!   async function that returns `Result<(), Failure>`.
//! - `…` stands for what is left out: it compiles as `todo!()`.
//! - What a reader need not see stands in a comment, which no reader does: `<!-- rust`, the code, and `-->`, each on a line
//!   of its own.

include!(concat!(env!("OUT_DIR"), "/pages.rs"));
