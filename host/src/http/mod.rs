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

#![allow(unused_qualifications, reason = "the macros that describe routes write such")]

mod access;
mod audit;
mod body;
mod bulk;
mod caller;
mod changes;
mod cleanup;
mod control;
mod dead_letters;
mod door;
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
mod openapi;
mod order;
mod outcome;
mod path;
mod queues;
mod redrive;
mod rules;
mod schedules;
mod serve;
mod start;
mod tasks;
mod web;

pub use access::{Access, Keys, Line, Reach};
pub use door::{BadTls, Pem, Tls, serve};
pub use health::HostState;
pub use metrics::Render;
pub use rules::{Need, RULES, Rule};
pub use serve::Door;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Every route that the API has, with its description.
fn api() -> OpenApiRouter<Door> {
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::tell))
        .routes(routes!(modules::list))
        .routes(routes!(modules::deploy, modules::show))
        .routes(routes!(modules::activate))
        .routes(routes!(grants::show, grants::put))
        .routes(routes!(start::start, executions::list))
        .routes(routes!(executions::show))
        .routes(routes!(bulk::cancel))
        .routes(routes!(bulk::retry))
        .routes(routes!(bulk::pause))
        .routes(routes!(bulk::resume))
        .routes(routes!(changes::follow))
        .routes(routes!(journal::page))
        .routes(routes!(logs::page))
        .routes(routes!(events::follow))
        .routes(routes!(outcome::result))
        .routes(routes!(control::signal))
        .routes(routes!(control::cancel))
        .routes(routes!(control::retry))
        .routes(routes!(control::pause))
        .routes(routes!(control::resume))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::count))
        .routes(routes!(redrive::replay_all))
        .routes(routes!(redrive::discard_all))
        .routes(routes!(dead_letters::show, dead_letters::discard))
        .routes(routes!(dead_letters::replay))
        .routes(routes!(tasks::list))
        .routes(routes!(tasks::show))
        .routes(routes!(queues::list))
        .routes(routes!(queues::pause))
        .routes(routes!(queues::resume))
        .routes(routes!(schedules::list))
        .routes(routes!(schedules::put, schedules::show, schedules::remove))
        .routes(routes!(schedules::pause))
        .routes(routes!(schedules::resume))
        .routes(routes!(schedules::trigger))
        .routes(routes!(cleanup::clean_up))
        .routes(routes!(hosts::list))
        .routes(routes!(hosts::stats))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(audit::list))
}
