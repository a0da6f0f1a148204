//! One connection, listened to from both sides, and what of it is passed on. No I/O.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::deed::Deed;
use super::frames::{Frame, Frames, Kind};
use super::losses::{Chosen, Loss, Losses};

/// What is passed on of what has come, and whether that was all.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passage {
    pub(super) bytes: Vec<u8>,
    pub(super) then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    /// Both sides find the connection closed.
    Close,
}

impl Passage {
    pub(super) fn going_on(bytes: Vec<u8>) -> Self {
        Self { bytes, then: Then::GoOn }
    }

    fn closing(bytes: Vec<u8>) -> Self {
        Self { bytes, then: Then::Close }
    }
}

#[derive(Debug)]
pub(super) struct Talk {
    losses: Arc<Losses>,
    client: Frames,
    server: Frames,
    /// By the name of the statement, the unnamed one included.
    statements: HashMap<Bytes, Deed>,
    portals: HashMap<Bytes, Deed>,
    /// Whether what the client sends next runs in a block. What was sent tells it until the server has answered everything.
    in_block: bool,
    /// How often the server still has to say that it is ready.
    answers_due: u32,
    /// Something was written outside of a block: the next Sync commits it.
    unsynced: bool,
    doom: Option<Doom>,
}

/// A commit under way whose reply will be lost.
#[derive(Debug)]
struct Doom {
    chosen: Chosen,
    answers_due: u32,
    /// Passed on after all, should it turn out that nothing was committed.
    withheld: Vec<u8>,
    refused: bool,
}

impl Talk {
    pub(super) fn new(losses: Arc<Losses>) -> Self {
        Self {
            losses,
            client: Frames::of_client(),
            server: Frames::of_server(),
            statements: HashMap::new(),
            portals: HashMap::new(),
            in_block: false,
            answers_due: 0,
            unsynced: false,
            doom: None,
        }
    }

    pub(super) fn hear_client(&mut self, bytes: &[u8]) -> Passage {
        self.client.push(bytes);
        let mut passed = Vec::new();
        while let Some(frame) = self.client.next_frame() {
            let chosen = self.follow(&frame);
            if chosen.is_some_and(|chosen| chosen.loss == Loss::Request) {
                self.losses.count(Loss::Request);
                return Passage::closing(passed);
            }
            passed.extend_from_slice(&frame.bytes);
        }
        Passage::going_on(passed)
    }

    /// Whether this message commits, and is to be lost or answered in vain.
    fn follow(&mut self, frame: &Frame) -> Option<Chosen> {
        match frame.kind {
            kind if kind.asks_for_encryption() => self.server.expect_answer(),
            kind if kind.starts_up() => self.answers_due += 1,
            Kind::Tagged(b'Q') => {
                self.answers_due += 1;
                let commits = self.run(Deed::of(frame.text(0)));
                if std::mem::take(&mut self.unsynced) || commits {
                    return self.choose(self.answers_due);
                }
            }
            Kind::Tagged(b'P') => {
                let deed = Deed::of(frame.text(1));
                self.statements.insert(name(frame, 0), deed);
            }
            Kind::Tagged(b'B') => {
                let deed = self.statements.get(frame.text(1)).copied();
                self.portals.insert(name(frame, 0), deed.unwrap_or(Deed::Other));
            }
            Kind::Tagged(b'E') => {
                let deed = self.portals.get(frame.text(0)).copied();
                // The Sync that is still to come will be answered.
                if self.run(deed.unwrap_or(Deed::Other)) {
                    return self.choose(self.answers_due + 1);
                }
            }
            Kind::Tagged(b'S') => {
                self.answers_due += 1;
                if std::mem::take(&mut self.unsynced) {
                    return self.choose(self.answers_due);
                }
            }
            Kind::Opening(_) | Kind::Tagged(_) | Kind::Answer(_) => {}
        }
        None
    }

    /// Whether it commits at once.
    fn run(&mut self, deed: Deed) -> bool {
        match deed {
            Deed::Begin => self.in_block = true,
            Deed::Rollback | Deed::Commit => self.in_block = false,
            Deed::Write => self.unsynced |= !self.in_block,
            Deed::Other => {}
        }
        deed == Deed::Commit
    }

    fn choose(&mut self, answers_due: u32) -> Option<Chosen> {
        // One at a time: what comes after it is lost with the connection.
        if self.doom.is_some() {
            return None;
        }
        let chosen = self.losses.choose()?;
        if chosen.loss == Loss::Reply {
            self.doom = Some(Doom { chosen, answers_due, withheld: Vec::new(), refused: false });
        }
        Some(chosen)
    }

    pub(super) fn hear_server(&mut self, bytes: &[u8]) -> Passage {
        self.server.push(bytes);
        let mut passed = Vec::new();
        while let Some(frame) = self.server.next_frame() {
            if frame.kind == Kind::Tagged(b'Z') {
                self.end_answer(frame.body());
            }
            let Some(doom) = &mut self.doom else {
                passed.extend_from_slice(&frame.bytes);
                continue;
            };
            doom.hear(&frame);
            if doom.answers_due > 0 {
                continue;
            }
            if !doom.refused {
                self.losses.count(Loss::Reply);
                return Passage::closing(passed);
            }
            self.losses.give_back(doom.chosen);
            passed.append(&mut doom.withheld);
            self.doom = None;
        }
        Passage::going_on(passed)
    }

    /// The state is `I` outside of a block, `T` in one, `E` in one that has failed.
    fn end_answer(&mut self, state: &[u8]) {
        self.answers_due = self.answers_due.saturating_sub(1);
        if self.answers_due == 0 {
            self.in_block = state != b"I";
        }
    }
}

impl Doom {
    fn hear(&mut self, frame: &Frame) {
        self.withheld.extend_from_slice(&frame.bytes);
        match frame.kind {
            Kind::Tagged(b'E') => self.refused = true,
            // So a `commit` is answered in a block that had failed.
            Kind::Tagged(b'C') if frame.text(0) == b"ROLLBACK" => self.refused = true,
            Kind::Tagged(b'Z') => {
                self.answers_due -= 1;
                // What was refused before is another matter.
                self.refused &= self.answers_due == 0;
            }
            Kind::Opening(_) | Kind::Tagged(_) | Kind::Answer(_) => {}
        }
    }
}

fn name(frame: &Frame, index: usize) -> Bytes {
    Bytes::copy_from_slice(frame.text(index))
}
