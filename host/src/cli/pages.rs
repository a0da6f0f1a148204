//! Orders for many: a server carries them out page by page, and they are told of as one.

use serde::de::DeserializeOwned;
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::{Out, harmless};
use super::pretty::indented;
use super::progress::Progress;

/// Ids that people are shown of a dry run; pipes are given all of them.
const IDS_SHOWN: usize = 20;

/// An order that is given again until all of its pages are done.
#[derive(Debug)]
pub(super) struct Paged<'a> {
    /// What it does.
    pub(super) verb: &'static str,
    /// Where it is given.
    pub(super) path: &'a [&'a str],
    /// The order.
    pub(super) body: Map<String, Value>,
    /// How its pages follow each other.
    pub(super) goes_on: GoesOn,
}

/// How the next page is ordered.
#[derive(Debug, Clone, Copy)]
pub(super) enum GoesOn {
    /// What the answer has under the first name is given under the second one, until it is null.
    Behind(&'static str, &'static str),
    /// As before, while the answer says so under this name.
    Again(&'static str),
}

impl Paged<'_> {
    /// Carries it out. What was done is told also where not all of it was.
    pub(super) async fn carry_out<T: DeserializeOwned>(
        self,
        client: &Client,
        shown: Shown,
        out: &mut Out,
        people: impl FnOnce(T, &mut Out) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let mut whole = Map::new();
        let ended = self.gather(client, &mut whole).await;
        if !whole.is_empty() {
            let whole = Value::Object(whole);
            if shown.json {
                out.line(indented(&whole.to_string()))?;
            } else {
                people(serde_json::from_value(whole).map_err(|odd| client.strange(&odd))?, out)?;
            }
            out.flush()?;
        }
        ended
    }

    async fn gather(
        mut self,
        client: &Client,
        whole: &mut Map<String, Value>,
    ) -> Result<(), CliError> {
        let progress = Progress::of(self.verb);
        loop {
            let page = client.order(self.path, &self.body).await?.read()?;
            add(whole, page);
            progress.say(&how_far(whole));
            let (GoesOn::Behind(name, _) | GoesOn::Again(name)) = self.goes_on;
            let next = whole.get(name).filter(|next| !matches!(next, Value::Null));
            let Some(next) = next.filter(|next| **next != Value::Bool(false)) else {
                return Ok(());
            };
            if let GoesOn::Behind(_, field) = self.goes_on {
                self.body.insert(field.to_owned(), next.clone());
            }
        }
    }
}

/// Adds a page to those before it: lists grow, counts are summed up, and of anything else the last is kept.
fn add(whole: &mut Map<String, Value>, page: Map<String, Value>) {
    for (name, more) in page {
        match whole.entry(name) {
            Entry::Vacant(place) => {
                place.insert(more);
            }
            Entry::Occupied(mut place) => add_value(place.get_mut(), more),
        }
    }
}

fn add_value(so_far: &mut Value, more: Value) {
    match (so_far, more) {
        (Value::Array(so_far), Value::Array(more)) => so_far.extend(more),
        (Value::Object(so_far), Value::Object(more)) => add(so_far, more),
        (so_far, more) => {
            let sum = so_far.as_u64().zip(more.as_u64()).map(|(one, other)| one + other);
            *so_far = sum.map_or(more, Value::from);
        }
    }
}

/// How many of what there are by now.
fn how_far(whole: &Map<String, Value>) -> String {
    fn count(value: &Value) -> Option<u64> {
        match value {
            Value::Array(list) => u64::try_from(list.len()).ok(),
            Value::Object(fields) => Some(fields.values().filter_map(count).sum()),
            Value::Number(number) => number.as_u64(),
            Value::Null | Value::Bool(_) | Value::String(_) => None,
        }
    }
    let counted = whole.iter().filter_map(|(name, value)| Some((name, count(value)?)));
    let told = counted.map(|(name, count)| format!("{count} {}", name.replace('_', " ")));
    told.collect::<Vec<_>>().join(", ")
}

/// To what it was not done, and why, as people read it.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Refused {
    id: String,
    problem: Why,
}

#[derive(Debug, serde::Deserialize)]
struct Why {
    detail: String,
}

/// Tells of those that were refused, a line each.
pub(super) fn tell_refused(refused: &[Refused], out: &mut Out) -> Result<(), CliError> {
    let line = |one: &Refused| format!("{}: {}", one.id, harmless(&one.problem.detail));
    refused.iter().try_for_each(|one| out.line(line(one)))
}

/// Tells to which it would be done, a line each, up to a bound.
pub(super) fn tell_ids(ids: &[String], out: &mut Out) -> Result<(), CliError> {
    ids.iter().take(IDS_SHOWN).try_for_each(|id| out.line(harmless(id)))?;
    match ids.len().saturating_sub(IDS_SHOWN) {
        0 => Ok(()),
        more => out.line(format_args!("... and {more} more; --json has them all")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn pages_are_told_of_as_one() {
        let mut whole = fields(json!({
            "done": ["a"], "discarded": 2, "executions": { "failed": 1 }, "dry_run": true, "next_cursor": "x"
        }));

        add(
            &mut whole,
            fields(json!({
                "done": ["b"], "discarded": 3, "executions": { "failed": 2, "completed": 4 }, "dry_run": true,
                "next_cursor": null
            })),
        );

        let expected = json!({
            "done": ["a", "b"], "discarded": 5, "executions": { "failed": 3, "completed": 4 }, "dry_run": true,
            "next_cursor": null
        });
        assert_eq!(Value::Object(whole.clone()), expected);
        let told = how_far(&whole);
        for part in ["2 done", "5 discarded", "7 executions"] {
            assert!(told.contains(part), "{told}");
        }
    }
}
