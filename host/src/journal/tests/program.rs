//! What a random workflow does.

use proptest::prelude::*;

/// One thing that a workflow does. Numbers choose among what there is, modulo how much there is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Op {
    Call(u8),
    /// Its input is made of random bytes.
    CallByChance,
    CallMany(u8),
    Sleep(u8),
    Receive(u8),
    Child {
        detached: bool,
    },
    /// Of promises that were made and whose value was not read, this one and the one after it.
    Cancel(u8),
    /// Reads the values of all settled receives.
    Read,
    Note,
    /// Waits for one settlement.
    Next,
    /// One of two ways, by the recorded time.
    Branch(Vec<Op>, Vec<Op>),
    ContinueAsNew,
    Return,
}

/// A deterministic workflow: a script, and what it does after each settlement.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) script: Vec<Op>,
    /// One after each settlement, in turn; none after the last.
    pub(super) reactions: Vec<Vec<Op>>,
    /// How many runs it may ask for.
    pub(super) runs_max: u32,
}

fn leaf() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => (0u8..4).prop_map(Op::Call),
        1 => Just(Op::CallByChance),
        1 => (0u8..4).prop_map(Op::CallMany),
        2 => (0u8..50).prop_map(Op::Sleep),
        4 => (0u8..2).prop_map(Op::Receive),
        2 => any::<bool>().prop_map(|detached| Op::Child { detached }),
        3 => any::<u8>().prop_map(Op::Cancel),
        1 => Just(Op::Read),
        2 => Just(Op::Note),
        5 => Just(Op::Next),
        1 => Just(Op::ContinueAsNew),
    ]
}

fn ops(most: usize) -> impl Strategy<Value = Vec<Op>> {
    let branch = (prop::collection::vec(leaf(), 0..3), prop::collection::vec(leaf(), 0..3))
        .prop_map(|(even, odd)| Op::Branch(even, odd));
    prop::collection::vec(prop_oneof![8 => leaf(), 1 => branch], 0..most)
}

pub(super) fn programs() -> impl Strategy<Value = Program> {
    let end = prop::option::weighted(0.3, Just(Op::Return));
    (ops(14), end, prop::collection::vec(ops(4), 0..8), 0u32..3).prop_map(
        |(mut script, end, reactions, runs_max)| {
            script.extend(end);
            Program { script, reactions, runs_max }
        },
    )
}
