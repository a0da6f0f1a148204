//! Parking against arrivals, in every order that the two can meet.
//!
//! A verb of the store is one transaction under the lock of the execution's row, so what can interleave are verbs. Here an
//! owner that follows the protocol (look, admit, park) and a sender are stepped through all of their orders; whatever the
//! order, at the end nothing may lie in the inbox of an execution that nobody will look at.

use stepwell::model::{ExecutionId, Seq};
use stepwell::store::{Append, Inbox, RowChange, Written};

use crate::database::Database;
use crate::words::{received, signal, write};

/// What one of the two does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The sender brings a signal.
    Deliver,
    /// The owner reads its inbox.
    Look,
    /// The owner writes what it has read as entries.
    Admit,
    /// The owner gives the execution up, having seen what it last read; what it has not admitted yet goes with that write.
    Park,
}

const SIGNALS: usize = 3;
/// What an owner does while it is awake, told of nothing: a hint that is lost makes no difference.
const OWNER: [&[Step]; 4] = [
    &[Step::Park],
    &[Step::Look, Step::Park],
    &[Step::Look, Step::Admit, Step::Park],
    &[Step::Look, Step::Admit, Step::Look, Step::Park],
];

/// All orders in which so many deliveries can fall between the owner's steps.
fn orders(owner: &[Step], deliveries: usize) -> Vec<Vec<Step>> {
    if owner.is_empty() {
        return vec![vec![Step::Deliver; deliveries]];
    }
    let (first, rest) = (owner[0], &owner[1..]);
    (0..=deliveries)
        .flat_map(|before| {
            let begin = [vec![Step::Deliver; before], vec![first]].concat();
            let ends = orders(rest, deliveries - before).into_iter();
            ends.map(move |end| [begin.clone(), end].concat()).collect::<Vec<_>>()
        })
        .collect()
}

/// An owner, as far as it has come.
struct Owner<'a> {
    db: &'a Database,
    inbox: Inbox,
    last: u64,
}

impl Owner<'_> {
    async fn take(&mut self, number: u8, step: Step) {
        let id = crate::database::execution_id(number);
        match step {
            Step::Deliver => {
                self.db.store.deliver(self.db.host, id, &signal("1")).await.unwrap();
            }
            Step::Look => {
                let mut read = self.db.store.inbox(self.db.host, id).await.unwrap().unwrap();
                // What it holds already and has not admitted is read again.
                std::mem::swap(&mut self.inbox, &mut read);
            }
            Step::Admit => self.write(id, RowChange::Keep).await,
            Step::Park => {
                let row = RowChange::Park { seen: self.inbox.seq, next_timer: None };
                self.write(id, row).await;
            }
        }
    }

    async fn write(&mut self, id: ExecutionId, row: RowChange) {
        let mut append = Append { row, ..self.db.append(id) };
        for (arrival, _) in std::mem::take(&mut self.inbox.arrivals) {
            self.last += 1;
            append.admitted.push(arrival);
            append.entries.push(received(self.last, "approval"));
        }
        let written = self.db.commit(vec![write(append)]).await;
        assert!(matches!(written[..], [Written::Done(_)]));
    }
}

on_both_databases! {
    async fn nothing_lies_in_the_inbox_of_a_parked_execution_that_nobody_will_look_at(db: Database) {
        let all: Vec<_> = OWNER.iter().flat_map(|owner| orders(owner, SIGNALS)).collect();
        assert_eq!(all.len(), 4 + 10 + 20 + 35, "three deliveries among one to four steps");

        for (number, order) in all.into_iter().enumerate() {
            let number = u8::try_from(number + 1).unwrap();
            let id = db.born(number).await;
            let mut owner = Owner { db: &db, inbox: Inbox::default(), last: 1 };
            for step in &order {
                owner.take(number, *step).await;
            }

            let admitted = usize::try_from(owner.last - 1).unwrap();
            let claimed: Vec<_> = db.claim(100).await.into_iter().map(|one| one.inbox.arrivals.len()).collect();
            let left = SIGNALS - admitted;
            let expected = if left > 0 { vec![left] } else { Vec::new() };
            assert_eq!(claimed, expected, "{order:?}: {admitted} were admitted");
            assert_eq!(db.store.journal(id, Seq(0), 100).await.unwrap().entries.len(), admitted + 1);
        }
    }
}
