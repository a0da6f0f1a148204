//! Answers a question by asking a search service, round after round, with a key that no guest ever sees.
//!
//! The step has a placeholder for the secret; the host puts the value into the request on its way out, and takes it out of
//! the answer. What the agent does next is decided from what it found, in a step of its own: there a language model could
//! stand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stepwell::http;
use stepwell::prelude::*;

/// What is to be found out.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Research {
    question: String,
    /// Where the search service is, such as `https://search.example.com/v1`.
    service: String,
    /// How many rounds of searching at most.
    #[serde(default = "three")]
    rounds: u32,
}

fn three() -> u32 {
    3
}

/// What a search brought.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Note {
    query: String,
    text: String,
}

/// What to search for next; nothing where enough is known.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Plan {
    queries: Vec<String>,
}

/// The end of it.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Report {
    answer: String,
    notes: Vec<Note>,
    rounds: u32,
}

/// Asks the service. The key of idempotency is the same in each attempt, so that the service need not count a repeat.
#[stepwell::step(timeout = "30s", rate = "20/s", retry(max_attempts = 5, never_for = ["not-granted"]))]
async fn search(service: String, query: String) -> Result<Note, Failure> {
    let text = http::post(format!("{service}/search"))
        .bearer(stepwell::secret("SEARCH_KEY")?)
        .header("idempotency-key", stepwell::context::idempotency_key("search"))
        .json(&serde_json::json!({ "query": query }))
        .send()?
        .ok()?
        .text()?;
    stepwell::context::counter("searches").add(1);
    Ok(Note { query, text })
}

/// Decides what to search for next.
#[stepwell::step(timeout = "1m")]
async fn think(question: String, notes: Vec<Note>) -> Result<Plan, Failure> {
    // The words of the question that nothing was found about yet, two at a time.
    let known = |word: &&str| notes.iter().any(|note| note.query.contains(*word));
    let words = question.split_whitespace().filter(|word| word.len() > 3 && !known(word));
    Ok(Plan { queries: words.take(2).map(str::to_owned).collect() })
}

/// Writes the answer down.
#[stepwell::step(timeout = "1m")]
async fn write_up(question: String, notes: Vec<Note>) -> Result<String, Failure> {
    let about: Vec<_> = notes.iter().map(|note| note.query.as_str()).collect();
    Ok(format!("{question} See what was found about {}.", about.join(", ")))
}

/// Plans, searches, and begins again until nothing is left to be searched for.
#[stepwell::workflow(max_duration = "1h")]
async fn research(research: Research) -> Result<Report, Failure> {
    let Research { question, service, rounds } = research;
    let mut notes = Vec::new();
    let mut round = 0;
    while round < rounds {
        let plan = think(&question, &notes).await?;
        if plan.queries.is_empty() {
            break;
        }
        round += 1;
        stepwell::context::progress(format!("round {round}: {}", plan.queries.join(", ")));
        notes.extend(map(|query| search(&service, query), plan.queries).await?);
    }
    let answer = write_up(&question, &notes).await?;
    Ok(Report { answer, notes, rounds: round })
}

stepwell::module!(
    workflows: [research],
    steps: [search, think, write_up],
    // `*.test` is for the tests.
    capabilities(http = ["POST search.example.com", "POST http://*.test:*"], secret = ["SEARCH_KEY"]),
);
