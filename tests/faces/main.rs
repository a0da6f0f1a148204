//! The doors and what stands behind them, on a real database and without a worker: what is accepted, what is refused, and in
//! which words.

mod abuse;
mod access;
mod at_once;
mod audit;
mod control;
mod developing;
mod doctor;
mod events;
mod front;
mod house;
mod keys;
mod many;
mod pipes;
mod reading;
mod refusals;
mod sessions;
mod starting;
mod tls;
mod typing;
mod typing_tls;
mod watching;
mod web;
