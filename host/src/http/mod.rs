//! The HTTP door: translates requests into orders and answers into JSON, and nothing else.
//!
//! Every route is on the screen below; each resource has a file. [`error`] is the only place that knows status codes: whatever
//! goes wrong, from a missing route to a handler that panics, is answered by a problem document (RFC 9457).
//!
//! Not here: what is allowed (`dispatch` checks it), and how the answers came to be.
//!
//! Invariants:
//! - A body is never read beyond a limit with a name.
//! - Payloads pass through byte for byte: what a client wrote is what a workflow reads, and back.
//! - A request ends when its host does.
//!
//! ```no_run
//! # async fn example(dispatch: stepwell::dispatch::Dispatch) -> std::io::Result<()> {
//! use stepwell::http::{Door, HostState, serve};
//!
//! let door = Door::new(dispatch, || HostState::Ready, std::sync::Arc::new(String::new));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:7878").await?;
//! serve(listener, door).await
//! # }
//! ```

mod access;
mod audit;
mod body;
mod cleanup;
mod control;
mod dead_letters;
mod error;
mod events;
mod execution;
mod executions;
mod grants;
mod health;
mod hosts;
mod journal;
mod keys;
mod logs;
mod metrics;
mod modules;
mod order;
mod outcome;
mod path;
mod queues;
mod schedules;
mod serve;
mod start;
mod tasks;

pub use access::{Access, Keys, Line, Need, RULES, Reach, Rule};
pub use health::HostState;
pub use metrics::Render;
pub use serve::{Door, serve};

use axum::Router;
use axum::routing::{delete, get, post, put};

/// Every route.
fn routes() -> Router<Door> {
    Router::new()
        .route("/", get(health::welcome))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/metrics", get(metrics::tell))
        .route("/v1/modules", get(modules::list))
        .route("/v1/modules/{module}", put(modules::deploy).get(modules::show))
        .route("/v1/modules/{module}/activate", post(modules::activate))
        .route("/v1/modules/{module}/grants", get(grants::show).put(grants::put))
        .route("/v1/executions", post(start::start).get(executions::list))
        .route("/v1/executions/{id}", get(executions::show))
        .route("/v1/executions/{id}/journal", get(journal::page))
        .route("/v1/executions/{id}/logs", get(logs::page))
        .route("/v1/executions/{id}/events", get(events::follow))
        .route("/v1/executions/{id}/result", get(outcome::result))
        .route("/v1/executions/{id}/signals/{name}", post(control::signal))
        .route("/v1/executions/{id}/cancel", post(control::cancel))
        .route("/v1/executions/{id}/retry", post(control::retry))
        .route("/v1/executions/{id}/pause", post(control::pause))
        .route("/v1/executions/{id}/resume", post(control::resume))
        .route("/v1/dead-letters", get(dead_letters::list))
        .route("/v1/dead-letters/counts", get(dead_letters::count))
        .route("/v1/dead-letters/replay", post(dead_letters::replay_all))
        .route("/v1/dead-letters/discard", post(dead_letters::discard_all))
        .route("/v1/dead-letters/{id}", get(dead_letters::show).delete(dead_letters::discard))
        .route("/v1/dead-letters/{id}/replay", post(dead_letters::replay))
        .route("/v1/tasks", get(tasks::list))
        .route("/v1/tasks/{id}", get(tasks::show))
        .route("/v1/queues", get(queues::list))
        .route("/v1/queues/{name}/pause", post(queues::pause))
        .route("/v1/queues/{name}/resume", post(queues::resume))
        .route("/v1/schedules", get(schedules::list))
        .route(
            "/v1/schedules/{name}",
            put(schedules::put).get(schedules::show).delete(schedules::remove),
        )
        .route("/v1/schedules/{name}/pause", post(schedules::pause))
        .route("/v1/schedules/{name}/resume", post(schedules::resume))
        .route("/v1/schedules/{name}/trigger", post(schedules::trigger))
        .route("/v1/cleanup", post(cleanup::clean_up))
        .route("/v1/hosts", get(hosts::list))
        .route("/v1/stats", get(hosts::stats))
        .route("/v1/keys", get(keys::list).post(keys::create))
        .route("/v1/keys/{id}", delete(keys::revoke))
        .route("/v1/audit", get(audit::list))
        .merge(access::routes())
}
