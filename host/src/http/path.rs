//! What a request's path and query say, refused by problem documents.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::IntoParams;

use super::error::Problem;
use crate::model::{format_duration, parse_duration};

/// How many rows a page has where nobody says.
const PAGE_DEFAULT: u32 = 100;

/// The one thing a path names.
#[derive(Debug)]
pub(super) struct Named<T>(pub(super) T);

impl<S: Send + Sync, T: FromStr<Err: Display>> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = path.map_err(|rejection| Problem::malformed(rejection.body_text()))?;
        text.parse().map(Self).map_err(Problem::malformed)
    }
}

/// The two things a path names.
#[derive(Debug)]
pub(super) struct NamedPair<T, U>(pub(super) T, pub(super) U);

impl<S, T, U> FromRequestParts<S> for NamedPair<T, U>
where
    S: Send + Sync,
    T: FromStr<Err: Display>,
    U: FromStr<Err: Display>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((first, second)) =
            path.map_err(|rejection| Problem::malformed(rejection.body_text()))?;
        let first = first.parse().map_err(Problem::malformed)?;
        Ok(Self(first, second.parse().map_err(Problem::malformed)?))
    }
}

/// What the query says.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, state).await;
        let Query(asked) = query.map_err(|rejection| {
            let text = rejection.body_text();
            // What comes before the first colon says what the server tried, which is nobody's business.
            let why = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            Problem::malformed(format!("the query: {why}"))
        })?;
        Ok(Self(asked))
    }
}

/// A part of a list that is read in its order.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageAfter {
    /// Read on behind this one.
    #[serde(default, deserialize_with = "place")]
    #[param(maximum = 9_223_372_036_854_775_807_i64)]
    pub(super) after: u64,
    /// How many.
    #[serde(default = "page_default")]
    #[param(minimum = 1, maximum = 1_000)]
    pub(super) limit: u32,
}

/// A place in a list, no further than any database counts.
pub(super) fn place<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let place = u64::deserialize(deserializer)?;
    i64::try_from(place).map(|_fits| place).map_err(D::Error::custom)
}

/// How many rows a page has where nobody says.
pub(super) fn page_default() -> u32 {
    PAGE_DEFAULT
}

/// A text that is read as it would be in a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<T>(pub(super) T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// A duration as text, such as `"30s"`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span(pub(super) Duration);

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        parse_duration(&text).map(Self).map_err(D::Error::custom)
    }
}
