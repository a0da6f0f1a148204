//! The files that pages ask for, which lie in the program.

use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::http::error::Problem;

/// A page names the version of a file, so what it names never changes.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
/// Asked for without a version: kept, and asked for again.
const ASK_AGAIN: &str = "no-cache";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// One of them.
struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($name:literal is $kind:expr),+ $(,)?) => {
        &[$(Asset { name: $name, kind: $kind, bytes: include_bytes!(concat!("assets/", $name)) }),+]
    };
}

const ASSETS: &[Asset] = assets![
    "style.css" is "text/css; charset=utf-8",
    "icon.svg" is "image/svg+xml",
    "theme.js" is SCRIPT,
    "login.js" is SCRIPT,
    "main.js" is SCRIPT,
    "access.js" is SCRIPT,
    "orders.js" is SCRIPT,
    "live.js" is SCRIPT,
    "keys.js" is SCRIPT,
    "json.js" is SCRIPT,
    "start.js" is SCRIPT,
    "span.js" is SCRIPT,
    "promises.js" is SCRIPT,
    "attempts.js" is SCRIPT,
    "detail.js" is SCRIPT,
    "timeline.js" is SCRIPT,
];

/// The version of all of them together: one that imports another is not older than it.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut sha = Sha256::new();
    ASSETS.iter().for_each(|asset| sha.update(asset.bytes));
    sha.finalize()[..8].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
});

/// Where a page finds a file.
pub(super) fn path(name: &str) -> String {
    format!("/assets/{name}?v={}", *VERSION)
}

/// Answers with a file, or says that what the browser has is the same.
pub(super) async fn file(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(|| Problem::no_route(&format!("/assets/{name}")))?;
    let tag = format!("\"{}\"", *VERSION);
    let named = query.is_some_and(|query| query == format!("v={}", *VERSION));
    let keep = if named { FOR_GOOD } else { ASK_AGAIN };
    let head = [
        (header::CONTENT_TYPE, asset.kind.to_owned()),
        (header::CACHE_CONTROL, keep.to_owned()),
        (header::ETAG, tag.clone()),
    ];
    let known = headers.get(header::IF_NONE_MATCH);
    if known.is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    Ok((head, asset.bytes).into_response())
}
