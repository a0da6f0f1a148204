//! Which commits are lost, and how many were.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::chance::Chance;

/// What the client hears is the same in both: nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The commit never reaches the server.
    Request,
    /// The server has committed.
    Reply,
}

/// How many were lost since the proxy began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lost {
    pub requests: u64,
    pub replies: u64,
}

/// A commit that is to be lost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chosen {
    pub(super) loss: Loss,
    /// It is one of the next few that were asked for, not one by chance.
    asked_for: bool,
}

#[derive(Debug, Default)]
pub(super) struct Losses {
    requests: Of,
    replies: Of,
}

#[derive(Debug, Default)]
struct Of {
    plan: Mutex<Plan>,
    lost: AtomicU64,
}

#[derive(Debug, Default)]
struct Plan {
    next: u32,
    odds: Option<(f64, Chance)>,
}

impl Losses {
    /// The next `commits`, before chance is asked.
    pub(super) fn plan_next(&self, loss: Loss, commits: u32) {
        self.of(loss).plan.lock().unwrap().next = commits;
    }

    pub(super) fn plan_odds(&self, loss: Loss, probability: f64, chance: Chance) {
        self.of(loss).plan.lock().unwrap().odds = Some((probability, chance));
    }

    pub(super) fn plan_none(&self) {
        for of in [&self.requests, &self.replies] {
            *of.plan.lock().unwrap() = Plan::default();
        }
    }

    /// Whether the commit that is about to be sent is lost.
    pub(super) fn choose(&self) -> Option<Chosen> {
        [Loss::Request, Loss::Reply].into_iter().find_map(|loss| {
            let mut plan = self.of(loss).plan.lock().unwrap();
            if plan.next > 0 {
                plan.next -= 1;
                return Some(Chosen { loss, asked_for: true });
            }
            let struck = plan
                .odds
                .as_mut()
                .is_some_and(|(probability, chance)| chance.strikes(*probability));
            struck.then_some(Chosen { loss, asked_for: false })
        })
    }

    /// What was chosen did not commit: another one is lost instead.
    pub(super) fn give_back(&self, chosen: Chosen) {
        self.of(chosen.loss).plan.lock().unwrap().next += u32::from(chosen.asked_for);
    }

    pub(super) fn count(&self, loss: Loss) {
        self.of(loss).lost.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn lost(&self) -> Lost {
        let count = |loss| self.of(loss).lost.load(Ordering::SeqCst);
        Lost { requests: count(Loss::Request), replies: count(Loss::Reply) }
    }

    fn of(&self, loss: Loss) -> &Of {
        match loss {
            Loss::Request => &self.requests,
            Loss::Reply => &self.replies,
        }
    }
}
