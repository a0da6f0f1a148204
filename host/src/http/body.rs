//! Reading bodies, never beyond a limit.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use serde::de::{DeserializeOwned, Error, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::door::BodyFault;
use super::error::Problem;
use crate::model::Payload;

/// A client that sends too much is heard out up to this many bytes, because one that is cut off never reads the answer.
const DISCARDED_BYTES_MAX: usize = 64 << 20;
/// What is set aside for a body before any of it has come.
const PREPARED_BYTES_MAX: usize = 64 << 10;
/// The longest body of an order that holds no payload.
const ORDER_BYTES_MAX: usize = 64 << 10;

/// How long a body may be, and the name of that limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    /// What the body is, for people.
    pub(super) what: &'static str,
    /// In bytes.
    pub(super) max: usize,
    /// The limit's name.
    pub(super) limit: &'static str,
}

/// Reads a body whole, if it keeps its bound.
pub(super) async fn read(body: Body, bound: Bound) -> Result<Bytes, Problem> {
    read_hearing_out(body, bound, DISCARDED_BYTES_MAX).await
}

/// The same of a stranger: who sends too much, or for longer than that, is heard out no further.
pub(super) async fn read_briefly(
    body: Body,
    bound: Bound,
    (within, limit): (Duration, &'static str),
) -> Result<Bytes, Problem> {
    let read = tokio::time::timeout(within, read_hearing_out(body, bound, 0)).await;
    read.unwrap_or_else(|_elapsed| Err(Problem::too_slow(limit)))
}

async fn read_hearing_out(
    mut body: Body,
    bound: Bound,
    discarded_max: usize,
) -> Result<Bytes, Problem> {
    let refused = || Problem::too_large(bound.what, bound.max, bound.limit);
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > bound.max.saturating_add(discarded_max) {
        return Err(refused());
    }
    // Whoever only announces much is given little.
    let mut whole = Vec::with_capacity(announced.min(bound.max).min(PREPARED_BYTES_MAX));
    let mut seen = 0_usize;
    while let Some(frame) =
        std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await
    {
        let frame = frame.map_err(broken)?;
        let Ok(bytes) = frame.into_data() else { continue };
        seen = seen.saturating_add(bytes.len());
        if seen <= bound.max {
            append(&mut whole, &bytes, bound.max);
        } else if seen > bound.max.saturating_add(discarded_max) {
            break;
        } else {
            whole = Vec::new();
        }
    }
    if seen > bound.max { Err(refused()) } else { Ok(Bytes::from(whole)) }
}

/// Makes room as a vector does, but never for more than the bound.
fn append(whole: &mut Vec<u8>, bytes: &[u8], max: usize) {
    if bytes.len() > whole.capacity() - whole.len() {
        let as_much_again = whole.len().min(max - whole.len());
        whole.reserve_exact(as_much_again.max(bytes.len()));
    }
    whole.extend_from_slice(bytes);
}

/// Why a body was not read to its end.
fn broken(error: axum::Error) -> Problem {
    let error = error.into_inner();
    match error.downcast_ref::<BodyFault>() {
        Some(BodyFault::Slow { limit }) => Problem::too_slow(limit),
        Some(BodyFault::Crowded) => Problem::crowded(),
        Some(BodyFault::Broken(_)) | None => {
            Problem::malformed(format!("the body broke off: {error}"))
        }
    }
}

/// Reads a small order; a body of nothing, or `null`, is an order that leaves everything open.
pub(super) async fn order<T: DeserializeOwned + Default>(body: Body) -> Result<T, Problem> {
    let bound = Bound { what: "the order", max: ORDER_BYTES_MAX, limit: "order_bytes_max" };
    let bytes = read(body, bound).await?;
    if matches!(bytes.trim_ascii(), b"" | b"null") { Ok(T::default()) } else { parse(&bytes) }
}

/// Reads an object within one, for `#[serde(deserialize_with)]`: a list is none, however many fields it may have.
pub(super) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None => Ok(None),
        Some(object @ Value::Object(_)) => {
            serde_json::from_value(object).map(Some).map_err(D::Error::custom)
        }
        Some(_) => Err(D::Error::custom("a JSON object is expected here")),
    }
}

/// Reads a JSON object.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let refused = |error: serde_json::Error| {
        let detail = format!("the body: {error}");
        if error.is_data() { Problem::invalid(detail) } else { Problem::malformed(detail) }
    };
    // Or a list would be taken for an object whose fields come in the order of their declaration.
    if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        serde_json::from_slice::<IgnoredAny>(bytes).map_err(refused)?;
        return Err(Problem::invalid("the body is something else, it must be a JSON object"));
    }
    serde_json::from_slice(bytes).map_err(refused)
}

/// Reads a body that is one payload; a body of nothing is `null`.
pub(super) async fn payload(body: Body, bytes_max: usize) -> Result<Payload, Problem> {
    let bound = Bound { what: "the payload", max: bytes_max, limit: "payload_bytes_max" };
    let bytes = read(body, bound).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(Payload::null());
    }
    let text = str::from_utf8(&bytes)
        .map_err(|error| Problem::malformed(format!("the payload is no UTF-8: {error}")))?;
    Payload::new(text, bytes_max).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        Problem::malformed(format!("{error}{}", cause.unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(max: usize) -> Bound {
        Bound { what: "the module", max, limit: "module_bytes_max" }
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_bound_and_no_further() {
        assert_eq!(read(Body::from("12345"), bound(5)).await.unwrap(), "12345");

        let refused = read(Body::from("123456"), bound(5)).await.unwrap_err();

        assert!(format!("{refused:?}").contains("module_bytes_max"));
    }

    #[tokio::test]
    async fn a_payload_is_kept_byte_for_byte() {
        let text = "{ \"b\": 1.0,  \"a\": [ ] }";

        let payload = payload(Body::from(text), 100).await.unwrap();

        assert_eq!(payload.as_str(), text);
    }

    #[tokio::test]
    async fn what_is_no_payload_is_refused() {
        for bad in [&b"{"[..], b"\xff", b"nul"] {
            assert!(payload(Body::from(bad), 100).await.is_err());
        }
        assert_eq!(payload(Body::empty(), 100).await.unwrap(), Payload::null());
    }

    #[test]
    fn a_list_is_no_object() {
        #[derive(Debug, serde::Deserialize)]
        struct Order {
            #[expect(dead_code, reason = "only its reading matters")]
            reason: String,
        }

        for other in [&b" [\"x\"]"[..], b"7", b"null", b"\"x\""] {
            let told = format!("{:?}", parse::<Order>(other).unwrap_err());
            assert!(told.contains("must be a JSON object"), "{told}");
        }
        let told = format!("{:?}", parse::<Order>(b"nul").unwrap_err());
        assert!(told.contains("malformed-request"), "{told}");
        assert!(parse::<Order>(b"{\"reason\":\"x\"}").is_ok());
    }
}
