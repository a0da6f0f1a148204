//! Batches: all of it or none, and only the culprit pays.

use stepwell::journal::Body;
use stepwell::model::{ExecutionState, Failure, Promise, Run, Seq, Wake};
use stepwell::store::{
    Append, Effects, LetterFilter, NewExecution, RowChange, StoreError, Written,
};

use crate::database::{Database, execution_id};
use crate::words::{
    call, cancel, child_of, counted, dead_letter, ended, execution, force, json, letters_of,
    logged, name, outcome_of, settled, signal, start, state_set, task, write,
};

fn done() -> Written {
    Written::Done(Effects::default())
}

on_both_databases! {
    async fn a_start_is_durable_with_its_first_entry(db: Database) {
        let new = execution(1);

        assert_eq!(db.commit(vec![start(new.clone())]).await, [done()]);

        let page = db.store.journal(new.id, Seq(0), 10).await.unwrap();
        assert_eq!(page.entries, [new.first_entry()]);
        let view = db.view(new.id).await;
        assert_eq!((view.row.state, view.owner), (ExecutionState::Pending, None));
    }

    async fn a_second_start_of_one_id_tells_the_hash_of_the_first_input(db: Database) {
        let first = execution(1);
        let second = NewExecution { input: json("2"), ..execution(1) };
        let exists = Written::Exists { input_hash: first.input.hash() };

        let together = db.commit(vec![start(first), start(second.clone())]).await;
        let again = db.commit(vec![start(second)]).await;

        assert_eq!(together, [done(), exists.clone()]);
        assert_eq!(again, [exists]);
        assert_eq!(db.store.journal(execution_id(1), Seq(0), 10).await.unwrap().entries.len(), 1);
    }

    async fn entries_are_read_back_as_they_were_written(db: Database) {
        let id = db.born(1).await;
        let entries = vec![call(2, 0), settled(3, 0, Ok("7")), settled(4, 0, Err("card-declined"))];

        let append = Append { entries: entries.clone(), ..db.append(id) };
        assert_eq!(db.commit(vec![write(append)]).await, [done()]);

        let page = db.store.journal(id, Seq(1), 10).await.unwrap();
        assert_eq!(page.entries, entries);
        assert!(!page.more);
    }

    async fn a_batch_of_any_size_is_written_whole(db: Database) {
        let starts = (0..200).map(|number| start(execution(number))).collect();

        let written = db.commit(starts).await;

        assert!(written.iter().all(|one| *one == done()));
        let pending = db.store.counts().await.unwrap().executions;
        assert_eq!(pending, [(ExecutionState::Pending, 200)]);
    }

    async fn answers_come_in_the_order_of_the_writes(db: Database) {
        let id = db.born(9).await;
        let writes = vec![
            write(Append { entries: vec![call(2, 0)], ..db.append(id) }),
            start(execution(9)),
            start(execution(3)),
        ];

        let written = db.commit(writes).await;

        assert_eq!(written[0], done());
        assert!(matches!(written[1], Written::Exists { .. }));
        assert_eq!(written[2], done());
    }

    async fn a_batch_with_a_culprit_writes_nothing_and_names_it(db: Database) {
        let (good, bad) = (db.born(1).await, db.born(2).await);
        let taken = Append { entries: vec![call(1, 0)], ..db.append(bad) };
        let fine = Append { entries: vec![call(2, 0)], ..db.append(good) };

        let refused = db.store.commit(db.host, &[write(fine), write(taken)]).await;

        assert!(matches!(refused, Err(StoreError::Refused { execution, .. }) if execution == bad));
        assert_eq!(db.store.journal(good, Seq(0), 10).await.unwrap().entries.len(), 1);
    }

    async fn an_append_by_another_than_the_owner_writes_nothing(db: Database) {
        let id = db.born(1).await;
        db.park(id, 0, None).await;
        let late = Append { entries: vec![call(2, 0)], row: RowChange::Release, ..db.append(id) };
        let other = db.born(2).await;
        let fine = Append { entries: vec![call(2, 0)], ..db.append(other) };

        let written = db.commit(vec![write(late), write(fine)]).await;

        assert_eq!(written, [Written::NotOwner, done()]);
        assert_eq!(db.store.journal(id, Seq(0), 10).await.unwrap().entries.len(), 1);
        assert_eq!(db.store.journal(other, Seq(0), 10).await.unwrap().entries.len(), 2);
    }

    async fn admission_takes_exactly_what_was_read(db: Database) {
        let id = db.born(1).await;
        db.store.deliver(db.host, id, &signal("1")).await.unwrap();
        db.store.deliver(db.host, id, &signal("2")).await.unwrap();
        let inbox = db.store.inbox(db.host, id).await.unwrap().unwrap();
        let admit = || {
            let admitted = vec![inbox.arrivals[0].0];
            write(Append { admitted, ..db.append(id) })
        };

        assert_eq!(db.commit(vec![admit()]).await, [done()]);
        let again = db.store.commit(db.host, &[admit()]).await;

        assert!(matches!(again, Err(StoreError::Refused { execution, .. }) if execution == id));
        let left = db.store.inbox(db.host, id).await.unwrap().unwrap();
        assert_eq!(left.arrivals, inbox.arrivals[1..]);
        assert_eq!(left.seq, 2);
    }

    async fn nobody_admits_the_arrivals_of_another(db: Database) {
        let (mine, other) = (db.born(1).await, db.born(2).await);
        db.store.deliver(db.host, other, &signal("1")).await.unwrap();
        let inbox = db.store.inbox(db.host, other).await.unwrap().unwrap();
        let admitted = vec![inbox.arrivals[0].0];

        let refused = db.store.commit(db.host, &[write(Append { admitted, ..db.append(mine) })]).await;

        assert!(matches!(refused, Err(StoreError::Refused { .. })));
        assert_eq!(db.store.inbox(db.host, other).await.unwrap().unwrap().arrivals.len(), 1);
    }

    async fn an_end_leaves_its_result_and_no_work(db: Database) {
        let id = db.called(1, task(1, 0, (2, 0))).await;
        db.store.deliver(db.host, id, &signal("1")).await.unwrap();

        db.end(id, 3, ExecutionState::Failed).await;

        let view = db.view(id).await;
        assert_eq!(view.row.state, ExecutionState::Failed);
        assert_eq!((view.owner, view.tasks, view.visible_at), (None, 0, None));
        assert_eq!(view.row.failure, Some(Failure::new("card-declined", "no funds")));
        assert_eq!(view.row.completed_at, Some(ended(3, ExecutionState::Failed).recorded_at));
        let Body::Ended(end) = ended(3, ExecutionState::Failed).body else { unreachable!() };
        assert_eq!(db.store.result(id).await.unwrap(), Some(end));
    }

    async fn what_goes_on_has_no_result(db: Database) {
        let id = db.born(1).await;

        assert_eq!(db.store.result(id).await.unwrap(), None);
        assert_eq!(db.store.result(execution_id(7)).await.unwrap(), None);
    }

    async fn children_are_born_with_their_parents_write_and_once(db: Database) {
        let parent = db.born(1).await;
        let child = NewExecution { parent: Some(child_of(parent, 0)), ..execution(2) };
        let append = || write(Append { children: vec![child.clone()], ..db.append(parent) });

        let first = db.commit(vec![append()]).await;
        let second = db.commit(vec![append()]).await;

        assert_eq!(first, [done()]);
        let existing = vec![child.id];
        assert_eq!(second, [Written::Done(Effects { existing, ..Effects::default() })]);
        assert_eq!(db.view(parent).await.children, [child.id]);
        assert_eq!(db.view(child.id).await.row.parent, child.parent);
    }

    async fn a_message_wakes_its_receiver_and_says_whom(db: Database) {
        let (child, hot, parked) = (db.born(1).await, db.born(2).await, db.born(3).await);
        db.park(parked, 0, None).await;
        let messages = vec![(hot, outcome_of(0)), (parked, outcome_of(0)), (execution_id(9), cancel())];

        let written = db.commit(vec![write(Append { messages, ..db.append(child) })]).await;

        let wakes = vec![
            Wake::Arrival { owner: db.host, execution: hot },
            Wake::Work { queue: name("default") },
        ];
        assert_eq!(written, [Written::Done(Effects { wakes, ..Effects::default() })]);
        assert_eq!(db.store.inbox(db.host, hot).await.unwrap().unwrap().arrivals.len(), 1);
        let woken = db.claim(10).await;
        assert_eq!(woken[0].inbox.arrivals[0].1, outcome_of(0));
    }

    async fn a_message_reaches_one_that_parks_in_the_same_batch(db: Database) {
        let (child, parent) = (db.born(1).await, db.born(2).await);
        let row = RowChange::Park { seen: 0, next_timer: None };
        let send = Append { messages: vec![(parent, outcome_of(0))], ..db.append(child) };

        db.commit(vec![write(send), write(Append { row, ..db.append(parent) })]).await;

        assert_eq!(db.claim(10).await[0].execution.id, parent);
    }

    async fn a_message_to_one_that_has_ended_is_dropped(db: Database) {
        let (child, parent) = (db.born(1).await, db.born(2).await);
        db.end(parent, 2, ExecutionState::Completed).await;
        let messages = vec![(parent, outcome_of(0))];

        let written = db.commit(vec![write(Append { messages, ..db.append(child) })]).await;

        assert_eq!(written, [done()]);
        assert_eq!(db.view(parent).await.row.state, ExecutionState::Completed);
    }

    async fn a_child_may_be_cancelled_by_the_write_that_starts_it(db: Database) {
        let parent = db.born(1).await;
        let child = execution(2);
        let messages = vec![(child.id, cancel())];
        let append = Append { children: vec![child.clone()], messages, ..db.append(parent) };

        db.commit(vec![write(append)]).await;

        let claimed = db.claim(1).await;
        assert_eq!(claimed[0].inbox.arrivals[0].1, cancel());
    }

    async fn notes_add_up(db: Database) {
        let id = db.born(1).await;
        let notes = vec![
            counted("sold", 2),
            counted("sold", 3),
            state_set("phase", "1"),
            state_set("phase", "2"),
            logged("hello"),
        ];
        db.commit(vec![write(Append { notes, ..db.append(id) })]).await;
        let notes = vec![counted("sold", -1), state_set("phase", "3")];

        db.commit(vec![write(Append { notes, ..db.append(id) })]).await;

        let view = db.view(id).await;
        assert_eq!(view.counters, [(name("sold"), 4)]);
        assert_eq!(view.custom_state, [(name("phase"), json("3"))]);
        let logs = db.store.logs(id, 0, 10).await.unwrap();
        assert_eq!(logs.len(), 1);
        assert_eq!(logs[0].message, "hello");
    }

    async fn tasks_come_and_go_with_their_callers_writes(db: Database) {
        let id = db.called(1, task(1, 0, (2, 0))).await;
        assert_eq!(db.snapshot(id).await.tasks, [(Run(0), Promise(0))]);
        let dropped_tasks = vec![(Run(0), Promise(0))];

        db.commit(vec![write(Append { dropped_tasks, ..db.append(id) })]).await;

        assert_eq!(db.snapshot(id).await.tasks, []);
    }

    async fn dead_letters_are_kept_and_discarded(db: Database) {
        let id = db.born(1).await;
        let dead_letters = vec![dead_letter(0), dead_letter(1)];
        db.commit(vec![write(Append { dead_letters, ..db.append(id) })]).await;

        let kept = db.store.dead_letters(&letters_of(id), None, 10).await.unwrap();
        assert_eq!(kept.len(), 2);
        assert_eq!(kept[0].promise, Promise(1));
        assert_eq!(kept[0].workflow, name("checkout"));
        let older = db.store.dead_letters(&LetterFilter::default(), Some(kept[0].id), 10).await.unwrap();
        assert_eq!(older.len(), 1);

        let ids = [kept[0].id, 999];
        assert_eq!(db.store.discard_dead_letters(db.host, &ids).await.unwrap(), [kept[0].id]);
        assert!(db.store.dead_letter(kept[0].id).await.unwrap().is_none());
        assert_eq!(db.store.counts().await.unwrap().dead_letters, 1);
    }

    async fn staying_changes_the_row_and_keeps_the_owner(db: Database) {
        let id = db.born(1).await;
        let expires_at = Some(db.now);
        let base = Some(Seq(1));
        let row = RowChange::Stay { state: ExecutionState::Cancelling, expires_at, base };

        db.commit(vec![write(Append { row, run: Run(4), ..db.append(id) })]).await;

        let view = db.view(id).await;
        assert_eq!((view.row.state, view.owner), (ExecutionState::Cancelling, Some(db.host)));
        assert_eq!((view.row.run, view.row.expires_at, view.row.base), (Run(4), expires_at, Seq(1)));
    }

    async fn what_is_blocked_says_why_and_waits_for_a_person(db: Database) {
        let id = db.born(1).await;
        let why = Failure::new("diverged", "entry 3");

        let row = RowChange::Block { why: why.clone() };
        db.commit(vec![write(Append { row, ..db.append(id) })]).await;
        db.store.deliver(db.host, id, &signal("1")).await.unwrap();

        let view = db.view(id).await;
        assert_eq!((view.row.state, view.owner), (ExecutionState::Blocked, None));
        assert_eq!(view.row.failure, Some(why));
        assert!(db.claim(10).await.is_empty());
        db.store.deliver(db.host, id, &force()).await.unwrap();
        assert_eq!(db.view(id).await.owner, Some(db.host));
    }

    async fn two_appends_of_one_execution_do_not_share_a_batch(db: Database) {
        let id = db.born(1).await;
        let append = |seq| write(Append { entries: vec![call(seq, 0)], ..db.append(id) });

        let refused = db.store.commit(db.host, &[append(2), append(3)]).await;

        assert!(matches!(refused, Err(StoreError::Refused { execution, .. }) if execution == id));
    }
}
