//! The SDK against a host that is played here: what is asked, in which order, and who is woken.

mod describing;
mod executing;
mod fake;
mod mapping;
mod sagas;
mod waiting;
