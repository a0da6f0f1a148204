//! Hosts that claim and end tasks with limits at the same time, as fast as they can.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::Connection as _;
use stepwell::store::TaskFilter;
use tokio::task::JoinSet;

use crate::database::{Database, everything};
use crate::limits::{limits, retry};
use crate::words::completed;

const HOSTS: usize = 4;
const TASKS: usize = 150;
const SLOTS: u32 = 3;

#[derive(Debug, Default)]
struct Seen {
    running: AtomicUsize,
    most: AtomicUsize,
    ended: AtomicUsize,
}

/// Claims and ends until all have ended. What it has claimed runs from the answer on, and until before it asks for the end.
async fn work(db: Database, seen: Arc<Seen>, all: usize) {
    while seen.ended.load(Ordering::SeqCst) < all {
        let begun = db.store.claim_tasks(db.host, &everything(), 2).await.unwrap();
        let now = seen.running.fetch_add(begun.len(), Ordering::SeqCst) + begun.len();
        seen.most.fetch_max(now, Ordering::SeqCst);
        tokio::task::yield_now().await;
        for (place, task) in begun.iter().enumerate() {
            seen.running.fetch_sub(1, Ordering::SeqCst);
            let is_retried = place == 0 && task.attempt == 1;
            let end = if is_retried { retry(Duration::ZERO, &db) } else { completed() };
            seen.ended.fetch_add(usize::from(!is_retried), Ordering::SeqCst);
            db.end_one(task, end).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_run_than_there_are_slots_and_none_is_stuck() {
    let first = Database::postgres().await;
    let keys = ["ada", "bob", "eve"];
    let all: Vec<_> =
        (0..TASKS).map(|number| limits(Some(SLOTS), Some((keys[number % 3], 2)))).collect();
    first.called_with(1, &all).await;
    let seen = Arc::new(Seen::default());
    let mut hosts = JoinSet::new();
    for _ in 0..HOSTS {
        hosts.spawn(work(first.peer().await, Arc::clone(&seen), TASKS));
    }

    let all = tokio::time::timeout(Duration::from_secs(60), hosts.join_all());

    assert!(all.await.is_ok(), "{seen:?}");
    let most = seen.most.load(Ordering::SeqCst);
    assert!(most <= SLOTS as usize, "{most} ran at once");
    assert!(most > 1, "they never ran beside each other: {seen:?}");
}

/// How many wait for somebody who locked the table of limits.
const WAITING: &str =
    "select count(*) from pg_locks where relation = 'limits'::regclass and not granted";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_add_a_limit_at_once_the_later_counts_what_the_earlier_let_pass() {
    let first = Arc::new(Database::postgres().await);
    let second = Arc::new(first.peer().await);
    let mut outside = sqlx::PgConnection::connect(first.url().unwrap()).await.unwrap();
    // Both have seen that it is not there before either can add it.
    let mut held = outside.begin().await.unwrap();
    sqlx::raw_sql("lock table limits in share mode").execute(&mut *held).await.unwrap();
    let mut calls = JoinSet::new();
    for (number, host) in [(1, &first), (2, &second)] {
        let host = Arc::clone(host);
        calls.spawn(async move { host.called_with(number, &[limits(Some(1), None)]).await });
    }
    let both_wait = async {
        while sqlx::query_scalar::<_, i64>(WAITING).fetch_one(&mut *held).await.unwrap() < 2 {}
    };
    let both_wait = tokio::time::timeout(Duration::from_secs(30), both_wait).await;
    assert!(both_wait.is_ok(), "they do not add it");
    held.rollback().await.unwrap();
    calls.join_all().await;

    let tasks = first.store.tasks(&TaskFilter { limit: 10, ..TaskFilter::default() }).await;

    let blocked: Vec<_> = tasks.unwrap().into_iter().map(|task| task.blocked_on).collect();
    assert_eq!(blocked.iter().filter(|on| on.is_some()).count(), 1, "{blocked:?}");
}
