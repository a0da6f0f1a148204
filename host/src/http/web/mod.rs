//! The dashboard: pages made on the host, with a little script of our own.
//!
//! A page is read from `dispatch`, as every answer of this room is, and written by `maud`, which escapes whatever guests and
//! people have written. The script changes nothing by itself: it sends orders to the API under `/v1`, as any client does, and
//! reads the page anew when something has happened. Everything comes from this host, and from the program itself.
//!
//! Not here: orders, and who may give them. A page knows who looks at it, to say so, and to lead nobody to what is closed to them.
//!
//! Invariants:
//! - No answer lets a browser run or draw what this host has not sent as a file of its own: see [`answer::secure`].
//! - A page reads pages: nothing on it grows with the database.

mod answer;
mod assets;
mod audit;
mod board;
mod dead_letters;
mod execution;
mod executions;
mod graph;
mod hosts;
mod journal;
mod keys;
mod layout;
mod login;
mod logs;
mod modules;
mod overview;
mod parts;
mod queues;
mod schedules;
mod told;

pub(super) use answer::refusal;
pub(super) use board::Board;
pub(super) use login::page as login;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;

use super::Door;

/// Every page.
pub(super) fn routes() -> Router<Door> {
    Router::new()
        .route("/", get(overview::page))
        .route("/executions", get(executions::page))
        .route("/executions/{id}", get(execution::page))
        .route("/executions/{id}/entries", get(journal::entries))
        .route("/modules", get(modules::list))
        .route("/modules/{module}", get(modules::page))
        .route("/dead-letters", get(dead_letters::page))
        .route("/schedules", get(schedules::page))
        .route("/queues", get(queues::page))
        .route("/hosts", get(hosts::page))
        .route("/keys", get(keys::page))
        .route("/audit", get(audit::page))
        .route("/assets/{file}", get(assets::file))
        .layer(from_fn(answer::draw))
}
