//! Orders to start, as JSON.

use axum::http::HeaderMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::body;
use super::error::Problem;
use super::path::Span;
use crate::dispatch::StartOrder;
use crate::model::{Name, Payload, TraceParent};

/// The most orders of one request.
pub(super) const STARTS_MAX: usize = 10_000;
/// The longest body of many orders.
pub(super) const STARTS_BYTES_MAX: usize = 64 << 20;

/// What to start. What is not given is left to the workflow's declaration.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(expecting = "a JSON object", deny_unknown_fields)]
pub(super) struct Order {
    workflow: Name,
    #[schema(format = "module-reference")]
    module: Option<String>,
    #[schema(value_type = Payload, required = false)]
    input: Option<Payload>,
    queue: Option<Name>,
    #[schema(max_items = 16)]
    tags: Option<Vec<Name>>,
    #[schema(minimum = -100, maximum = 100)]
    priority: Option<i32>,
    #[schema(value_type = Option<String>, format = "duration-text")]
    delay: Option<Span>,
    #[schema(value_type = Option<String>, format = "duration-text")]
    max_duration: Option<Span>,
    #[schema(min_length = 1, max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    idempotency_key: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(expecting = "a JSON object", deny_unknown_fields)]
pub(super) struct Many {
    /// Each an order; each is read and answered by itself.
    #[schema(value_type = Vec<serde_json::Value>, max_items = 10_000)]
    executions: Vec<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a JSON object")]
struct Peek {
    executions: Option<IgnoredAny>,
}

/// What one request asks for.
#[derive(Debug)]
pub(super) enum Orders {
    /// One execution, answered by its id or by why not.
    One(Box<Order>),
    /// Many, each read and answered by itself.
    Many(Vec<Box<RawValue>>),
}

impl Orders {
    /// Reads a body.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let peek: Peek = body::parse(bytes)?;
        if peek.executions.is_none() {
            return body::parse(bytes).map(Self::One);
        }
        let many: Many = body::parse(bytes)?;
        if many.executions.len() > STARTS_MAX {
            let given = many.executions.len();
            let detail = format!(
                "{given} executions are asked for, at most {STARTS_MAX} may be (starts_max)"
            );
            return Err(Problem::invalid(detail).at("starts_max"));
        }
        Ok(Self::Many(many.executions))
    }
}

impl TryFrom<Order> for StartOrder {
    type Error = Problem;

    fn try_from(order: Order) -> Result<Self, Problem> {
        let module = order.module.as_deref().map(str::parse).transpose();
        Ok(Self {
            workflow: order.workflow,
            module: module.map_err(|error| Problem::invalid(format!("module: {error}")))?,
            input: order.input.unwrap_or_else(Payload::null),
            queue: order.queue,
            tags: order.tags,
            priority: order.priority,
            delay: order.delay.map(|delay| delay.0),
            max_duration: order.max_duration.map(|most| most.0),
            idempotency_key: order.idempotency_key,
            traceparent: None,
        })
    }
}

/// Reads one order of many.
pub(super) fn of_many(order: &RawValue) -> Result<StartOrder, Problem> {
    body::parse::<Order>(order.get().as_bytes())?.try_into()
}

/// The key that a header brings.
pub(super) fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match str::from_utf8(value.as_bytes()) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(error) => Err(Problem::malformed(format!("the Idempotency-Key is no UTF-8: {error}"))),
    }
}

/// What caused a request, where it says so in a way that makes sense: what does not is as if it were not there.
pub(super) fn cause_of(headers: &HeaderMap) -> Option<TraceParent> {
    headers.get("traceparent")?.to_str().ok()?.parse().ok()
}

/// One order with the key of the header, where it brings one.
pub(super) fn with_key(mut order: StartOrder, key: Option<String>) -> Result<StartOrder, Problem> {
    order.idempotency_key = one_key(order.idempotency_key, key)?;
    Ok(order)
}

/// The key of the field or of the header. Where both are there, they must be one.
pub(super) fn one_key(
    field: Option<String>,
    header: Option<String>,
) -> Result<Option<String>, Problem> {
    match (field, header) {
        (Some(field), Some(header)) if field != header => {
            let detail = "the header Idempotency-Key and the field idempotency_key differ";
            Err(Problem::invalid(detail))
        }
        (field, header) => Ok(field.or(header)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(body: &str) -> Result<StartOrder, Problem> {
        match Orders::read(body.as_bytes())? {
            Orders::One(order) => (*order).try_into(),
            Orders::Many(many) => panic!("{many:?}"),
        }
    }

    #[test]
    fn the_input_is_kept_as_it_was_written() {
        let order = one(r#"{"workflow": "checkout", "input": {"b":1.0,  "a" :[]}}"#).unwrap();

        assert_eq!(order.input.as_str(), r#"{"b":1.0,  "a" :[]}"#);
    }

    #[test]
    fn what_is_not_given_is_left_open() {
        let order = one(r#"{"workflow":"checkout"}"#).unwrap();

        assert_eq!(order.input, Payload::null());
        assert!(order.queue.is_none() && order.delay.is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let told = |body: &str| serde_json::to_value(one(body).unwrap_err()).unwrap();

        for (body, status, word) in [
            ("", 400, "EOF"),
            ("{", 400, "EOF"),
            ("[]", 422, "object"),
            ("{}", 422, "workflow"),
            ("7", 422, "object"),
            (r#"{"workflow":""}"#, 422, "empty"),
            (r#"{"workflow":"w","inptu":1}"#, 422, "inptu"),
            (r#"{"workflow":"w","delay":"5x"}"#, 422, "position 1"),
            (r#"{"workflow":"w","priority":"high"}"#, 422, "high"),
            (r#"{"workflow":"w","input":{"a":}}"#, 400, "expected value"),
        ] {
            let problem = told(body);
            assert_eq!(problem["status"], status, "{body}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(word) && !detail.contains("struct"), "{body}: {problem}");
        }
    }

    #[test]
    fn one_order_of_many_is_wrong_by_itself() {
        let body = br#"{"executions":[{"workflow":"w"},7,{"workflow":"w","inptu":1}]}"#;
        let Ok(Orders::Many(many)) = Orders::read(body) else { panic!("they are many") };

        let read: Vec<_> = many.iter().map(|order| of_many(order).is_ok()).collect();

        assert_eq!(read, [true, false, false]);
    }

    #[test]
    fn no_more_than_ten_thousand_are_taken_at_once() {
        let body = |count| {
            let orders = vec![r#"{"workflow":"w"}"#; count].join(",");
            format!(r#"{{"executions":[{orders}]}}"#)
        };

        assert!(Orders::read(body(STARTS_MAX).as_bytes()).is_ok());
        assert!(Orders::read(body(STARTS_MAX + 1).as_bytes()).is_err());
    }

    #[test]
    fn two_keys_that_differ_are_refused() {
        let order = || one(r#"{"workflow":"w","idempotency_key":"a"}"#).unwrap();

        assert!(with_key(order(), Some("b".to_owned())).is_err());
        assert_eq!(with_key(order(), Some("a".to_owned())).unwrap().idempotency_key.unwrap(), "a");
    }
}
