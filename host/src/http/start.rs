//! Starting executions: one, or many at once.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Door;
use super::access::Subject;
use super::body::{self, Bound};
use super::caller::Caller;
use super::error::Problem;
use super::order::{Many, Order, Orders, STARTS_BYTES_MAX, cause_of, key_of, of_many, with_key};
use crate::dispatch::{self, StartOrder};
use crate::model::{ExecutionId, TraceParent};

#[derive(Debug, Serialize, ToSchema)]
struct Started {
    id: ExecutionId,
    created: bool,
}

impl From<dispatch::Started> for Started {
    fn from(started: dispatch::Started) -> Self {
        let dispatch::Started { id, created } = started;
        Self { id, created }
    }
}

/// One order, or many.
#[derive(Debug, ToSchema)]
#[serde(untagged)]
#[schema(as = StartOrders)]
#[expect(dead_code, reason = "it is the description of a body that is read in two steps")]
enum Asked {
    One(Box<Order>),
    Many(Many),
}

/// What was started, or the answers to many.
#[derive(Debug, ToSchema)]
#[serde(untagged)]
#[schema(as = StartAnswer)]
#[expect(dead_code, reason = "it is the description of an answer")]
enum Told {
    One(Started),
    Many(Answers),
}

/// The answer to one order among many.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum Answer {
    Started(Started),
    Refused { error: Problem },
}

impl Answer {
    fn id(&self) -> Option<ExecutionId> {
        match self {
            Self::Started(started) => Some(started.id),
            Self::Refused { .. } => None,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct Answers {
    executions: Vec<Answer>,
}

/// Starts one execution (201 where it is new, 200 where its key had made it before), or many (200, each answered by itself).
#[utoipa::path(
    post, path = "/v1/executions", tag = "executions", operation_id = "start_executions",
    params(("idempotency-key" = Option<String>, Header, max_length = 256, pattern = "^[!-~]([ -~]*[!-~])?$")),
    request_body = Asked,
    responses(
        (status = 201, description = "One was started", body = Started),
        (status = 200, description = "Its key had started it before; or the answers to many", body = Told),
    ),
)]
pub(super) async fn start(
    State(door): State<Door>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (key, traceparent) = (key_of(&headers)?, cause_of(&headers));
    let bound = Bound { what: "the order", max: STARTS_BYTES_MAX, limit: "starts_bytes_max" };
    let orders = Orders::read(&body::read(body, bound).await?)?;
    match (orders, key) {
        (Orders::One(order), key) => {
            let order = with_key((*order).try_into()?, key)?;
            caller.may_start(&order.workflow)?;
            let workflow = order.workflow.clone();
            let order = StartOrder { traceparent, ..order };
            let started = Started::from(door.dispatch.start(order).await?);
            let status = if started.created { StatusCode::CREATED } else { StatusCode::OK };
            let subject = Subject(format!("{workflow} {}", started.id));
            Ok((status, Extension(subject), Json(started)).into_response())
        }
        (Orders::Many(_), Some(_)) => {
            let detail = "one Idempotency-Key cannot be that of many: give each order its own \
                          idempotency_key";
            Err(Problem::invalid(detail))
        }
        (Orders::Many(orders), None) => {
            let executions = start_many(&door, &caller, &orders, traceparent).await;
            let started = executions.iter().filter_map(Answer::id).collect::<Vec<_>>();
            let refused = executions.len() - started.len();
            let subject = Subject::of_many(&started, refused, "");
            Ok((Extension(subject), Json(Answers { executions })).into_response())
        }
    }
}

/// Starts those that can be read in one transaction.
async fn start_many(
    door: &Door,
    caller: &Caller,
    orders: &[Box<RawValue>],
    traceparent: Option<TraceParent>,
) -> Vec<Answer> {
    let (read, refused): (Vec<_>, Vec<_>) = orders
        .iter()
        .map(|order| match permitted(caller, order) {
            Ok(order) => (Some(StartOrder { traceparent, ..order }), None),
            Err(problem) => (None, Some(problem)),
        })
        .unzip();
    let mut started =
        door.dispatch.start_many(read.into_iter().flatten().collect()).await.into_iter();
    let answers = refused.into_iter().map(|refused| match refused {
        Some(error) => Answer::Refused { error },
        None => match started.next().expect("each order that was read is answered") {
            Ok(started) => Answer::Started(started.into()),
            Err(error) => Answer::Refused { error: error.into() },
        },
    });
    answers.collect()
}

/// One order of many, where it can be read and its key may start it.
fn permitted(caller: &Caller, order: &RawValue) -> Result<StartOrder, Problem> {
    let order = of_many(order)?;
    caller.may_start(&order.workflow)?;
    Ok(order)
}
