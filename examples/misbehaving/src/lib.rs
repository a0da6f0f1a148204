//! Guests for the tests of the host. Most break a rule each, and the host must answer with a typed failure and go on;
//! the others are the plain workflows that tests of an engine need.

mod durability;
mod excess;
mod failing;
mod family;
mod keeping;
mod limiting;
mod observing;
mod plain;
mod trials;

use crate::durability::{compensate, ledger, ledgered, rounds, undo};
use crate::excess::{excess_in_step, excess_in_workflow, journal_flood};
use crate::failing::{deadlock, flaky, hopeless, retried, unreasonable};
use crate::family::{bereaved, child, deaf_parent, detaching, parent};
use crate::keeping::{asking, look_in_vain, look_up, once};
use crate::limiting::{limited, narrow, paced, served, single};
use crate::observing::{observe, observe_in_step};
use crate::plain::{chain, changing, echo, noop, signals, sleeper, wide};
use crate::trials::{
    balk, balking, drawl, drawling, forgiving, hasty, overriding, relay, stubborn, stumble,
    stumbling, talk, talking, tarry, tarrying,
};

stepwell::module!(
    workflows: [
        asking, balking, bereaved, chain, changing, child, compensate, deadlock, deaf_parent, detaching, drawling, excess_in_workflow, forgiving,
        hasty, journal_flood, ledgered, limited, noop, observe, overriding, parent, relay, retried, rounds, signals, sleeper, stubborn,
        stumbling, talking, tarrying, wide,
    ],
    steps: [
        balk, drawl, echo, excess_in_step, flaky, hopeless, ledger, look_in_vain, look_up, narrow, observe_in_step, once, paced, served, single, stumble, talk, tarry, undo, unreasonable,
    ],
    capabilities: { env = ["REGION"] },
);
