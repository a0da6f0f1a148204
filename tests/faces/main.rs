//! The doors and what stands behind them, on a real database and without a worker: what is accepted, what is refused, and in
//! which words.

mod abuse;
mod control;
mod developing;
mod events;
mod front;
mod house;
mod many;
mod reading;
mod refusals;
mod starting;
mod tls;
mod watching;
mod web;
