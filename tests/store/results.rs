//! Results that answer later calls: who leads, who follows, who is answered at once.

use std::time::Duration;

use stepwell::journal::Arrival;
use stepwell::model::{
    ExecutionId, ExecutionState, Failure, Ids, Outcome, Payload, Promise, RandomIds, ResultKey,
    ResultOf, StepUsage,
};
use stepwell::store::{
    Append, Delivered, Keep, NewExecution, NewTask, Revival, RowChange, TaskEnd, TaskRef, Written,
};
use tokio::task::JoinSet;

use crate::database::{Database, everything};
use crate::words::{at, call, completed, execution, json, name, start, task, task_ref, write};

/// The result of one input, kept so long.
fn keep(input: &str, ttl: Option<Duration>) -> Keep {
    let (module, step) = (name("shop"), name("charge"));
    let of = ResultOf { module: &module, step: &step, version: "1" };
    let key = ResultKey::of_input(of, &Payload::from_checked(input));
    Keep { key, version: "1".to_owned(), ttl }
}

pub(crate) fn keeping(number: u8, ttl: Option<Duration>) -> NewTask {
    NewTask { keep: Some(keep("1", ttl)), ..task(number, 0, (2, 0)) }
}

fn failed(kind: &str) -> TaskEnd {
    let outcome = Err(Failure::new(kind, "it said so"));
    TaskEnd::Settled { outcome, usage: StepUsage::default(), dead_letter: None }
}

impl Database {
    /// An execution that has called the step with the one input; its number is that of the task, too.
    async fn asked(&self, number: u8) -> ExecutionId {
        self.called(number, keeping(number, None)).await
    }

    /// Claims all that is ready; says which tasks, by their execution's number.
    async fn begun(&self) -> Vec<u8> {
        let claimed = self.store.claim_tasks(self.host, &everything(), 100).await.unwrap();
        claimed.into_iter().map(|task| task.execution.as_bytes()[0]).collect()
    }

    /// What lies in an inbox: each outcome and its attempt.
    async fn heard(&self, id: ExecutionId) -> Vec<(Outcome, u32)> {
        let inbox = self.store.inbox(self.host, id).await.unwrap().unwrap();
        let settled = |(_, arrival)| match arrival {
            Arrival::Settled { outcome, attempt, .. } => (outcome, attempt),
            other => unreachable!("{other:?}"),
        };
        inbox.arrivals.into_iter().map(settled).collect()
    }

    async fn answer(&self) -> usize {
        self.store.answer_followers(self.host, 10).await.unwrap().count
    }
}

on_both_databases! {
    async fn of_two_first_calls_one_runs_and_both_are_told(db: Database) {
        let (first, second) = (db.asked(1).await, db.asked(2).await);

        assert_eq!(db.begun().await, [1]);
        assert!(!db.renew().await.followers);
        assert_eq!(db.answer().await, 0);
        db.end_task(1, first, 1, completed()).await;

        assert!(db.renew().await.followers);
        let told = db.store.answer_followers(db.host, 10).await.unwrap();
        assert_eq!((told.count, told.wakes.len()), (1, 1));
        assert_eq!(db.heard(first).await, [(Ok(json("7")), 1)]);
        assert_eq!(db.heard(second).await, [(Ok(json("7")), 0)]);
        assert_eq!(db.view(second).await.tasks, 0);
        assert!(!db.renew().await.followers);
        assert_eq!(db.answer().await, 0);
    }

    async fn a_result_that_is_there_answers_in_the_commit_that_asks(db: Database) {
        let first = db.asked(1).await;
        db.begun().await;
        db.end_task(1, first, 1, completed()).await;

        let second = db.asked(2).await;

        assert_eq!(db.heard(second).await, [(Ok(json("7")), 0)]);
        assert_eq!(db.view(second).await.tasks, 0);
        assert!(db.begun().await.is_empty());
    }

    async fn an_answer_at_once_keeps_its_caller_from_parking(db: Database) {
        let first = db.asked(1).await;
        db.begun().await;
        db.end_task(1, first, 1, completed()).await;
        let second = db.born(2).await;
        let row = RowChange::Park { seen: 0, next_timer: None };
        let append = Append {
            entries: vec![call(2, 0)],
            tasks: vec![keeping(2, None)],
            row,
            ..db.append(second)
        };

        let written = db.commit(vec![write(append)]).await;

        let Written::Done(effects) = &written[0] else { unreachable!() };
        assert_eq!(effects.wakes.len(), 1);
        assert_eq!(db.claim(10).await[0].inbox.arrivals.len(), 1);
    }

    async fn calls_of_one_commit_share_a_result_as_well(db: Database) {
        let id = db.born(1).await;
        let tasks = (0..3).map(|number| NewTask {
            promise: Promise(u32::from(number)),
            ..keeping(number + 1, None)
        });
        let entries = (0..3).map(|promise| call(2 + u64::from(promise), promise)).collect();
        db.commit(vec![write(Append { entries, tasks: tasks.collect(), ..db.append(id) })]).await;

        assert_eq!(db.begun().await, [1]);
        db.end_task(1, id, 1, completed()).await;
        assert_eq!(db.answer().await, 2);

        assert_eq!(db.heard(id).await.len(), 3);
    }

    async fn a_result_past_its_ttl_is_brought_anew(db: Database) {
        let moment = Some(Duration::from_micros(1));
        let first = db.called(1, keeping(1, moment)).await;
        db.begun().await;
        db.end_task(1, first, 1, completed()).await;

        let second = db.called(2, keeping(2, Some(Duration::from_hours(1)))).await;
        assert_eq!(db.begun().await, [2]);
        db.end_task(2, second, 1, completed()).await;
        let third = db.called(3, keeping(3, moment)).await;

        assert!(db.begun().await.is_empty());
        assert_eq!(db.heard(third).await.len(), 1);
    }

    async fn a_failure_is_told_to_those_who_wait_and_not_kept(db: Database) {
        let (first, second) = (db.asked(1).await, db.asked(2).await);
        db.begun().await;
        db.end_task(1, first, 1, failed("declined")).await;

        assert_eq!(db.answer().await, 1);
        let heard = db.heard(second).await;
        assert_eq!((heard[0].0.as_ref().unwrap_err().kind.as_str(), heard[0].1), ("declined", 0));
        db.asked(3).await;

        assert_eq!(db.begun().await, [3]);
    }

    async fn a_retry_or_a_loss_of_the_leader_changes_nothing_for_those_who_wait(db: Database) {
        let (first, second) = (db.asked(1).await, db.asked(2).await);
        db.begun().await;
        let retry = TaskEnd::Retry { at: at(1), failure: Failure::new("busy", ""), heartbeat: None };
        db.end_task(1, first, 1, retry).await;
        assert_eq!((db.answer().await, db.begun().await), (0, vec![1]));
        db.end_task(1, first, 2, TaskEnd::Lost).await;
        assert_eq!((db.answer().await, db.begun().await), (0, vec![1]));
        db.end_task(1, first, 2, completed()).await;

        assert_eq!(db.answer().await, 1);
        assert_eq!(db.heard(second).await.len(), 1);
    }

    async fn where_the_leader_is_cancelled_one_of_those_who_wait_leads(db: Database) {
        let (first, second, third) = (db.asked(1).await, db.asked(2).await, db.asked(3).await);
        let dropped_tasks = vec![(stepwell::model::Run(0), Promise(0))];
        db.commit(vec![write(Append { dropped_tasks, ..db.append(first) })]).await;

        assert!(db.renew().await.followers);
        assert_eq!(db.answer().await, 1);
        assert_eq!(db.begun().await, [2]);
        db.end_task(2, second, 1, completed()).await;
        db.answer().await;

        assert_eq!(db.heard(third).await, [(Ok(json("7")), 0)]);
        assert!(db.heard(first).await.is_empty());
        assert!(!db.renew().await.followers);
    }

    async fn where_the_leaders_execution_ends_the_next_call_leads(db: Database) {
        let first = db.asked(1).await;
        db.begun().await;
        db.end(first, 3, ExecutionState::Completed).await;
        assert!(!db.renew().await.followers);

        let second = db.asked(2).await;

        assert_eq!(db.begun().await, [2]);
        db.end_task(2, second, 1, completed()).await;
        assert_eq!(db.heard(second).await, [(Ok(json("7")), 1)]);
    }

    async fn where_the_leaders_execution_is_revived_it_asks_like_any_other(db: Database) {
        let first = db.asked(1).await;
        let second = db.asked(2).await;
        db.end(first, 3, ExecutionState::Failed).await;
        db.answer().await;
        assert_eq!(db.begun().await, [2]);
        let revival = Revival {
            why: stepwell::journal::RunReason::Retry,
            redrive: None,
            of_run: None,
            module: None,
            at: at(5_000),
            dry_run: false,
        };
        db.store.revive(db.host, first, &revival).await.unwrap();
        db.claim(1).await;
        let run = stepwell::model::Run(1);
        let again = Append { tasks: vec![keeping(9, None)], run, ..db.append(first) };
        db.commit(vec![write(again)]).await;
        assert!(db.begun().await.is_empty());
        db.end_task(2, second, 1, completed()).await;

        assert_eq!(db.answer().await, 1);

        assert_eq!(db.heard(first).await, [(Ok(json("7")), 0)]);
    }

    async fn one_who_waits_and_ends_meanwhile_is_told_nothing(db: Database) {
        let (first, second, third) = (db.asked(1).await, db.asked(2).await, db.asked(3).await);
        db.begun().await;
        db.end(second, 3, ExecutionState::Completed).await;
        db.end_task(1, first, 1, completed()).await;

        assert_eq!(db.answer().await, 1);

        assert_eq!(db.heard(third).await.len(), 1);
        assert!(!db.renew().await.followers);
    }

    async fn one_who_waits_too_long_times_out_and_the_leader_goes_on(db: Database) {
        let first = db.asked(1).await;
        let late = NewTask { schedule_by: Some(at(5_000)), ..keeping(2, None) };
        let second = db.called(2, late).await;
        db.begun().await;

        assert_eq!(db.store.promote(db.host, at(5_000), 10).await.unwrap(), 1);

        let heard = db.heard(second).await;
        assert_eq!(heard[0].0.as_ref().unwrap_err().kind, stepwell::model::kind::TIMED_OUT);
        assert!(db.end_task(1, first, 1, completed()).await.is_some());
        assert_eq!(db.answer().await, 0);
        assert!(!db.renew().await.followers);
    }

    async fn one_who_waits_is_never_due(db: Database) {
        db.asked(1).await;
        db.asked(2).await;
        db.begun().await;

        assert_eq!(db.store.promote(db.host, at(i64::MAX - 1), 10).await.unwrap(), 0);
        assert!(db.begun().await.is_empty());
        assert!(!db.renew().await.work);
    }

    async fn what_waits_when_its_host_dies_still_waits(db: Database) {
        let (first, second) = (db.asked(1).await, db.asked(2).await);
        db.begun().await;
        let heir = db.die().await;

        let claimed = db.store.claim_tasks(heir, &everything(), 10).await.unwrap();
        assert_eq!(claimed.iter().map(|task| task.execution).collect::<Vec<_>>(), [first]);
        let ended = db.store.end_task(heir, &task_ref(1, first, 1), completed(), Vec::new()).await;
        assert_eq!(ended.unwrap(), Some(Delivered::To { owner: None }));
        assert_eq!(db.store.answer_followers(heir, 10).await.unwrap().count, 1);

        let snapshots = db.store.claim_executions(heir, &everything(), 10).await.unwrap();
        let of_second = snapshots.iter().find(|snapshot| snapshot.execution.id == second).unwrap();
        assert_eq!((of_second.inbox.arrivals.len(), of_second.tasks.len()), (1, 0));
    }

    async fn of_many_who_wait_each_transaction_tells_so_many(db: Database) {
        let first = db.asked(1).await;
        for number in 2..=26 {
            db.asked(number).await;
        }
        db.begun().await;
        db.end_task(1, first, 1, completed()).await;

        let mut told = Vec::new();
        while told.last() != Some(&0) {
            told.push(db.answer().await);
        }

        assert_eq!(told, [10, 10, 5, 0]);
    }

    async fn what_answers_nobody_any_more_is_pruned(db: Database) {
        let hour = Duration::from_hours(1);
        let brought = db.called(1, keeping(1, Some(hour))).await;
        let forever = NewTask { keep: Some(keep("2", None)), ..task(2, 0, (2, 0)) };
        let forever = db.called(2, forever).await;
        let awaited = NewTask { keep: Some(keep("3", None)), ..task(3, 0, (2, 0)) };
        let awaited = db.called(3, awaited).await;
        db.called(4, NewTask { keep: Some(keep("3", None)), ..task(4, 0, (2, 0)) }).await;
        db.begun().await;
        db.end_task(1, brought, 1, completed()).await;
        db.end_task(2, forever, 1, completed()).await;
        db.end_task(3, awaited, 1, failed("declined")).await;
        let prune = async |now| db.store.prune_results(db.host, now, 10).await.unwrap();

        assert_eq!(prune(db.now).await, 0);
        db.answer().await;
        assert_eq!(prune(db.now + hour / 2).await, 1, "a failure is not kept");
        assert_eq!(prune(db.now + hour * 2).await, 1, "its time is over");
        assert_eq!(prune(at(i64::MAX)).await, 0, "it is for ever");
    }
}

const HOSTS: u8 = 4;
const CALLS_OF_EACH: usize = 40;

/// An execution of this host that calls a step with one of a few inputs.
async fn ask(db: &Database, input: usize) -> ExecutionId {
    let id = RandomIds.execution();
    let new = NewExecution { id, owner: Some(db.host), ..execution(0) };
    db.commit(vec![start(new)]).await;
    let keep = Some(keep(&input.to_string(), None));
    let task = NewTask { id: RandomIds.task(), keep, ..task(0, 0, (2, 0)) };
    let append = Append {
        entries: vec![call(2, 0)],
        tasks: vec![task],
        ..Append::new(id, db.host, stepwell::model::Run(0))
    };
    db.commit(vec![write(append)]).await;
    id
}

/// Asks, runs what it may, and tells; says how many attempts it began.
async fn work(db: Database, inputs: usize) -> (Database, Vec<ExecutionId>, usize) {
    let (mut asked, mut begun) = (Vec::new(), 0);
    for call in 0..CALLS_OF_EACH {
        asked.push(ask(&db, call % inputs).await);
        begun += run_all(&db).await;
        db.answer().await;
    }
    (db, asked, begun)
}

async fn run_all(db: &Database) -> usize {
    let claimed = db.store.claim_tasks(db.host, &everything(), 10).await.unwrap();
    for task in &claimed {
        let of = TaskRef {
            id: task.id,
            execution: task.execution,
            run: task.run,
            promise: task.promise,
            attempt: task.attempt,
        };
        let ended = db.store.end_task(db.host, &of, completed(), Vec::new()).await.unwrap();
        assert!(ended.is_some());
    }
    claimed.len()
}

/// However calls of several hosts meet, each input is run once and everybody is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_calls_of_several_hosts_at_once_run_once() {
    let inputs = 5;
    let first = Database::postgres().await;
    let mut hosts = vec![];
    for _ in 1..HOSTS {
        hosts.push(first.peer().await);
    }
    hosts.push(first);

    let mut working: JoinSet<_> = hosts.into_iter().map(|db| work(db, inputs)).collect();
    let (mut done, mut begun) = (Vec::new(), 0);
    while let Some(worked) = working.join_next().await {
        let (db, asked, here) = worked.unwrap();
        done.push((db, asked));
        begun += here;
    }
    let (db, _) = &done[0];
    begun += run_all(db).await;
    while db.answer().await > 0 {}

    assert_eq!(begun, inputs);
    for (db, asked) in &done {
        for id in asked {
            assert_eq!(db.heard(*id).await.len(), 1, "{id}");
        }
    }
}
