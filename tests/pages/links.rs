//! Links within the repository lead somewhere.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::page::{Page, pages, root};

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let broken: Vec<_> = pages().iter().flat_map(broken_links).collect();

    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_link_to_nowhere_is_found() {
    let page = Page::of(
        "# A page: it is `one`\n[a](gone.md) [b](api.md#no-such) [c](#a-page-it-is-one) [d](#gone) [e](https://x.y/z)\n\
         `[f](gone.md)` [g](../README.md)\n",
    );

    let broken = broken_links(&page);

    assert_eq!(broken.len(), 3, "{broken:?}");
}

fn broken_links(page: &Page) -> Vec<String> {
    let mut broken = Vec::new();
    for (number, line) in page.prose() {
        for target in targets(line) {
            if let Some(why) = why_broken(page, target) {
                broken.push(format!("{}:{number}: {target}: {why}", page.path.display()));
            }
        }
    }
    broken
}

/// The targets of the links of a line, code left out.
fn targets(line: &str) -> Vec<&str> {
    let mut targets = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("](") {
        let in_code = line[..line.len() - rest.len() + at].matches('`').count() % 2 == 1
            && rest[at..].contains('`');
        rest = &rest[at + 2..];
        let Some(end) = rest.find(')') else { break };
        // A link's text may itself be code that ends right before its bracket.
        if !in_code {
            targets.push(&rest[..end]);
        }
        rest = &rest[end..];
    }
    targets
}

fn why_broken(page: &Page, target: &str) -> Option<&'static str> {
    if ["https://", "http://", "mailto:"].iter().any(|scheme| target.starts_with(scheme)) {
        return None;
    }
    let (file, heading) = target.split_once('#').map_or((target, None), |(f, h)| (f, Some(h)));
    let path = if file.is_empty() { page.path.clone() } else { beside(&page.path, file) };
    if !file.is_empty() && !root().join(&path).exists() {
        return Some("there is no such file");
    }
    let heading = heading?;
    let known = if file.is_empty() { headings(page) } else { headings(&Page::read(path)) };
    (!known.iter().any(|other| other == heading)).then_some("the page has no such heading")
}

fn beside(page: &Path, file: &str) -> PathBuf {
    let mut path = page.parent().map(Path::to_owned).unwrap_or_default();
    for part in Path::new(file).components() {
        if part == Component::ParentDir {
            path.pop();
        } else {
            path.push(part);
        }
    }
    path
}

/// The names by which forges link to headings: small letters, digits, `-` and `_`, blanks as `-`; a repeat is counted.
fn headings(page: &Page) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut headings = Vec::new();
    for (_number, line) in page.prose() {
        let Some(text) = line.strip_prefix('#').map(|rest| rest.trim_start_matches('#')) else {
            continue;
        };
        let name = text.trim().to_lowercase().replace(' ', "-");
        let name: String =
            name.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect();
        let count = seen.entry(name.clone()).or_insert(0);
        headings.push(if *count == 0 { name } else { format!("{name}-{count}") });
        *count += 1;
    }
    headings
}
