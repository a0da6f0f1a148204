//! The sandbox, held to its promises with real guests: `misbehaving` breaks a rule in each of its steps and workflows, and
//! whatever it does must end as a typed failure while the host goes on.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test is given must be there, or it fails"
)]

mod cache;
mod excess;
mod handmade;
mod house;
mod play;
mod reach;
mod speed;
mod uploads;
mod workflows;
