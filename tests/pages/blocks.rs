//! Code blocks: each is in a language that something here checks, or that nobody can mistake for code that was checked.

use crate::page::{Page, pages};

/// Languages of blocks. `rust` is compiled by `tests/docs`, `json` is read here; the others are shown.
const LANGUAGES: [&str; 11] =
    ["rust", "json", "toml", "sh", "sql", "python", "js", "wit", "text", "yaml", ""];

#[test]
fn a_block_is_in_a_language_that_is_known() {
    let wrong: Vec<_> = pages().iter().flat_map(unknown_languages).collect();

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_says_that_it_is_json_is_json() {
    let wrong: Vec<_> = pages().iter().flat_map(bad_json).collect();

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_block_that_nobody_would_compile_is_found() {
    let page = Page::of("# A\n```rust,ignore\nfn f(\n```\n```rs\n```\n```json\n{\"a\": …}\n```\n");

    assert_eq!(unknown_languages(&page).len(), 2);
    assert_eq!(bad_json(&page).len(), 1);
}

/// `rust` with anything behind it would be left out by whoever compiles.
fn unknown_languages(page: &Page) -> Vec<String> {
    let blocks = page.blocks().into_iter();
    let wrong = blocks.filter(|block| !LANGUAGES.contains(&block.language.as_str()));
    wrong
        .map(|block| {
            let place = format!("{}:{}", page.path.display(), block.line);
            format!("{place}: `{}` is none of {LANGUAGES:?}", block.language)
        })
        .collect()
}

fn bad_json(page: &Page) -> Vec<String> {
    let blocks = page.blocks().into_iter().filter(|block| block.language == "json");
    blocks
        .filter_map(|block| {
            let error = serde_json::from_str::<serde_json::Value>(&block.text).err()?;
            Some(format!("{}:{}: {error}", page.path.display(), block.line))
        })
        .collect()
}
