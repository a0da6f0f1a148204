//! Dead letters: which are listed, counted and removed.

use stepwell::model::{ExecutionState, Failure, Seq};
use stepwell::store::{Append, LetterFilter, NewDeadLetter, NewExecution, RowChange};

use crate::database::{Database, execution_id};
use crate::words::{at, call_many, dead_letter, execution, json, name, start, write};

/// A letter of that step, queue and kind of failure, so old.
fn letter(step: &str, queue: &str, kind: &str, made: i64) -> NewDeadLetter {
    NewDeadLetter {
        step: name(step),
        queue: Some(name(queue)),
        failure: Failure::new(kind, "it said so"),
        at: at(made),
        ..dead_letter(0)
    }
}

impl Database {
    /// Two workflows that failed by five steps between them.
    async fn with_letters(&self) {
        let letters = [
            vec![letter("charge", "slow", "declined", 10), letter("charge", "fast", "busy", 20)],
            vec![
                letter("charge", "slow", "declined", 30),
                letter("ship", "slow", "lost", 40),
                letter("ship", "slow", "busy", 50),
            ],
        ];
        for (number, dead_letters) in (1..).zip(letters) {
            let workflow = name(if number == 1 { "checkout" } else { "refund" });
            let owner = Some(self.host);
            let new = NewExecution { workflow, owner, ..execution(number) };
            self.commit(vec![start(new)]).await;
            let append = Append {
                entries: vec![call_many(2, 0, &["[1]", "[2]"])],
                dead_letters,
                row: RowChange::End { state: ExecutionState::Failed, failure_kind: None },
                ..self.append(execution_id(number))
            };
            self.commit(vec![write(append)]).await;
        }
    }

    /// When each was made that a filter lets through, newest first.
    async fn made(&self, filter: LetterFilter) -> Vec<i64> {
        let letters = self.store.dead_letters(&filter, None, 10).await.unwrap();
        letters.into_iter().map(|letter| letter.created_at.as_micros()).collect()
    }
}

on_both_databases! {
    async fn a_filter_lets_through_what_it_says(db: Database) {
        db.with_letters().await;
        let all = LetterFilter::default;

        assert_eq!(db.made(all()).await, [50, 40, 30, 20, 10]);
        assert_eq!(db.made(LetterFilter { workflow: Some(name("refund")), ..all() }).await, [50, 40, 30]);
        assert_eq!(db.made(LetterFilter { step: Some(name("charge")), ..all() }).await, [30, 20, 10]);
        assert_eq!(db.made(LetterFilter { queue: Some(name("fast")), ..all() }).await, [20]);
        assert_eq!(db.made(LetterFilter { kind: Some("busy".to_owned()), ..all() }).await, [50, 20]);
        assert_eq!(db.made(LetterFilter { execution: Some(execution_id(1)), ..all() }).await, [20, 10]);
        let between = LetterFilter { since: Some(at(20)), until: Some(at(40)), ..all() };
        assert_eq!(db.made(between).await, [30, 20]);
        let both = LetterFilter { step: Some(name("charge")), kind: Some("declined".to_owned()), ..all() };
        assert_eq!(db.made(both).await, [30, 10]);
    }

    async fn letters_are_counted_by_workflow_and_step(db: Database) {
        db.with_letters().await;

        let slow = LetterFilter { queue: Some(name("slow")), ..LetterFilter::default() };
        let counted = db.store.letter_counts(&slow, 10).await.unwrap();

        let told: Vec<_> = counted
            .iter()
            .map(|of| (of.workflow.as_str(), of.step.as_str(), of.count))
            .collect();
        assert_eq!(told, [("refund", "ship", 2), ("checkout", "charge", 1), ("refund", "charge", 1)]);
        assert_eq!((counted[0].oldest, counted[0].newest), (at(40), at(50)));
        assert_eq!(db.store.letter_counts(&slow, 1).await.unwrap().len(), 1);
    }

    async fn what_a_step_was_called_with_is_read_from_the_journal(db: Database) {
        db.with_letters().await;
        let argument = async |place| db.store.argument(execution_id(1), (Seq(2), place)).await.unwrap();

        assert_eq!(argument(1).await, Some(json("[2]")));
        assert_eq!(argument(2).await, None);
        assert_eq!(db.store.argument(execution_id(1), (Seq(9), 0)).await.unwrap(), None);
    }
}
