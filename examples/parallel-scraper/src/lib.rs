//! Fetches many pages at the same time, never more of them in a second than the site allows, and says what it found.
//!
//! Where it may go is in `capabilities` below; an operator grants it (`stepwell deploy --grant`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stepwell::http;
use stepwell::prelude::*;

/// What to fetch.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Scrape {
    urls: Vec<String>,
    /// How many pages are fetched at once.
    #[serde(default = "eight")]
    at_once: usize,
}

fn eight() -> usize {
    8
}

/// What a page holds.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Page {
    url: String,
    bytes: u64,
    words: u64,
}

/// A page that could not be had.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Missing {
    url: String,
    why: String,
}

/// What was found, in the order of the addresses.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Found {
    pages: Vec<Page>,
    missing: Vec<Missing>,
    words: u64,
}

/// Fetches one page. What was answered with a status that says no is tried again, what is not granted is not.
#[stepwell::step(
    timeout = "20s",
    rate = "50/s",
    retry(max_attempts = 4, initial_delay = "200ms", never_for = ["not-granted", "invalid-request"])
)]
async fn fetch(url: String) -> Result<Page, Failure> {
    let text = http::get(&*url).header("accept", "text/*").send()?.ok()?.text()?;
    let (bytes, words) = (text.len() as u64, text.split_whitespace().count() as u64);
    stepwell::context::counter("pages").add(1);
    Ok(Page { url, bytes, words })
}

/// Fetches all pages; one that cannot be had stops no other.
#[stepwell::workflow]
async fn scrape(scrape: Scrape) -> Result<Found, Failure> {
    let outcomes = map_outcomes(fetch, &scrape.urls).in_flight(scrape.at_once).await;

    let mut found = Found { pages: Vec::new(), missing: Vec::new(), words: 0 };
    for (url, outcome) in scrape.urls.into_iter().zip(outcomes) {
        match outcome {
            Ok(page) => {
                found.words += page.words;
                found.pages.push(page);
            }
            Err(failure) if failure.is(Failure::CANCELLED) => return Err(failure),
            Err(failure) => found.missing.push(Missing { url, why: failure.to_string() }),
        }
    }
    Ok(found)
}

stepwell::module!(
    workflows: [scrape],
    steps: [fetch],
    // `example.com` and below it, over TLS; `*.test` on any port for the tests.
    capabilities(http = ["GET example.com", "GET *.example.com", "GET http://*.test:*"]),
);
