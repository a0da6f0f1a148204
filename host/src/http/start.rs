//! Starting executions: one, or many at once.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Door;
use super::access::{Caller, Subject};
use super::body::{self, Bound};
use super::error::Problem;
use super::order::{Orders, STARTS_BYTES_MAX, key_of, of_many, with_key};
use crate::dispatch;
use crate::model::ExecutionId;

#[derive(Debug, Serialize)]
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

/// The answer to one order among many.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    Started(Started),
    Refused { error: Problem },
}

#[derive(Debug, Serialize)]
struct Answers {
    executions: Vec<Answer>,
}

/// Starts one execution (201 where it is new, 200 where its key had made it before), or many (200, each answered by itself).
pub(super) async fn start(
    State(door): State<Door>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = key_of(&headers)?;
    let bound = Bound { what: "the order", max: STARTS_BYTES_MAX, limit: "starts_bytes_max" };
    let orders = Orders::read(&body::read(body, bound).await?)?;
    match (orders, key) {
        (Orders::One(order), key) => {
            let order = with_key((*order).try_into()?, key)?;
            caller.may_start(&order.workflow)?;
            let workflow = order.workflow.clone();
            let started = Started::from(door.dispatch.start(order).await?);
            let status = if started.created { StatusCode::CREATED } else { StatusCode::OK };
            let subject = Subject(format!("{workflow} {}", started.id));
            let mut response = (status, Json(started)).into_response();
            response.extensions_mut().insert(subject);
            Ok(response)
        }
        (Orders::Many(_), Some(_)) => {
            let detail = "one Idempotency-Key cannot be that of many: give each order its own \
                          idempotency_key";
            Err(Problem::invalid(detail))
        }
        (Orders::Many(orders), None) => {
            // As many as one commit takes are under way at once, so that one client cannot fill the committer's queue.
            let at_once = door.dispatch.limits().commit_batch_max;
            let answers = stream::iter(orders).map(|order| start_one(&door, &caller, order));
            let executions: Vec<_> = answers.buffered(at_once).collect().await;
            let subject = Subject(format!("{} orders", executions.len()));
            let mut response = Json(Answers { executions }).into_response();
            response.extensions_mut().insert(subject);
            Ok(response)
        }
    }
}

async fn start_one(door: &Door, caller: &Caller, order: Box<RawValue>) -> Answer {
    let started = match of_many(&order) {
        Ok(order) => match caller.may_start(&order.workflow) {
            Ok(()) => door.dispatch.start(order).await.map_err(Problem::from),
            Err(problem) => Err(problem),
        },
        Err(problem) => Err(problem),
    };
    match started {
        Ok(started) => Answer::Started(started.into()),
        Err(error) => Answer::Refused { error },
    }
}
