//! Calls, children and endings.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use futures::future::join_all;
use futures::join;

use super::fake::Host;
use crate::executor::{Ending, run_step};
use crate::guest::conclude;
use crate::{Failure, Retry, continue_as_new, random, receive, sleep};

/// Doubles.
#[stepwell::step]
async fn double(number: u64) -> Result<u64, Failure> {
    Ok(2 * number)
}

#[stepwell::step(name = "add-up")]
async fn add(left: u64, right: String, keep: bool) -> Result<u64, Failure> {
    let sum = left + right.parse::<u64>()?;
    Ok(if keep { sum } else { 0 })
}

#[stepwell::step]
async fn double_twice(number: u64) -> Result<u64, Failure> {
    double(double(number).await?).await
}

#[stepwell::workflow]
async fn quiet() -> Result<String, Failure> {
    Ok("quiet".to_owned())
}

#[test]
fn a_call_is_made_when_it_is_first_polled() {
    let host = Host::answering([(0, "4"), (1, "2")]);

    let outcome = host.run(|| async {
        let (first, second) = (double(1), double(2));
        let second = second.await?;
        Ok(format!("{} {second}", first.await?))
    });

    assert_eq!(outcome.unwrap(), "2 4");
    assert_eq!(host.asked(), ["call double 2", "next", "call double 1", "next"]);
}

#[test]
fn joined_calls_are_made_together_and_settle_in_any_order() {
    let host = Host::answering([(1, "4"), (0, "2")]);

    let outcome = host.run(|| async {
        let (first, second) = join!(double(1), double(2));
        Ok(format!("{} {}", first?, second?))
    });

    assert_eq!(outcome.unwrap(), "2 4");
    assert_eq!(host.asked(), ["call double 1", "call double 2", "next", "next"]);
}

#[test]
fn several_arguments_travel_by_name_and_none_as_null() {
    let host = Host::answering([(0, "3"), (1, "\"quiet\"")]);

    let outcome = host.run(|| async {
        add(1, "2", true).await?;
        quiet().await
    });

    assert_eq!(outcome.unwrap(), "quiet");
    let asked = host.asked();
    assert_eq!(asked[0], r#"call add-up {"left":1,"right":"2","keep":true}"#);
    assert_eq!(asked[2], "start quiet null");
}

#[test]
fn a_call_overrides_what_its_step_declares() {
    let host = Host::answering([(0, "2")]);

    host.run(|| async {
        let retry = Retry::attempts(7).initial_delay("2s").never_for(["declined"]);
        let call = double(1).queue("q").tags(["a", "b"]).priority(-3).retry(retry);
        call.timeout("5s").schedule_timeout("1m").cached(true).idempotency_key("k").await?;
        Ok(String::new())
    })
    .unwrap();

    let options = host.options().remove(0);
    assert_eq!(options.queue.as_deref(), Some("q"));
    assert_eq!(options.tags, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!((options.priority, options.timeout), (Some(-3), Some(5_000)));
    assert_eq!((options.schedule_timeout, options.cached), (Some(60_000), Some(true)));
    assert_eq!(options.idempotency_key.as_deref(), Some("k"));
    let retry = options.retry.unwrap();
    assert_eq!((retry.max_attempts, retry.initial_delay, retry.max_delay), (7, 2_000, 60_000));
    assert_eq!(retry.never_for, ["declined"]);
}

#[test]
fn an_override_that_makes_no_sense_fails_the_call_and_asks_nothing() {
    let host = Host::default();

    let outcome = host.run(|| async { double(1).timeout("5 s").await.map(|n| n.to_string()) });

    assert!(outcome.unwrap_err().is(Failure::INVALID_DURATION));
    assert_eq!(host.asked(), [""; 0]);
}

#[test]
fn what_is_dropped_is_cancelled_before_anything_else_is_asked() {
    let host = Host::answering([(0, "2"), (3, "4")]);

    host.run(|| async {
        stepwell::select! {
            first = double(1) => { first?; }
            waited = sleep("1h") => { waited?; }
            word = receive::<String>("word") => { word?; }
        }
        double(2).await.map(|n| n.to_string())
    })
    .unwrap();

    let asked = host.asked();
    let expected = [
        "call double 1",
        "sleep 3600000",
        "receive word",
        "next",
        "cancel [1, 2]",
        "call double 2",
        "next",
    ];
    assert_eq!(asked, expected);
}

#[test]
fn a_settled_promise_that_nobody_read_is_cancelled_too() {
    let host = Host::answering([(1, "\"hello\""), (0, "2")]);

    host.run(|| async {
        let mut signal = receive::<String>("word");
        let mut first = double(1);
        // Both are asked; the signal settles first, but nobody looks at it again.
        poll_once(&mut first).await;
        poll_once(&mut signal).await;
        first.await.map(|n| n.to_string())
    })
    .unwrap();

    assert_eq!(host.asked(), ["call double 1", "receive word", "next", "next", "cancel [1]"]);
}

#[test]
fn what_is_still_held_at_the_end_is_cancelled() {
    let host = Host::default();

    let outcome = host.run(|| async {
        let mut signal = receive::<String>("word");
        poll_once(&mut signal).await;
        Ok("done".to_owned())
    });

    assert_eq!(outcome.unwrap(), "done");
    assert_eq!(host.asked(), ["receive word", "cancel [0]"]);
}

/// Polls a future and does not wait for it.
async fn poll_once(future: &mut (impl Future + Unpin)) {
    poll_fn(|context| {
        assert!(pin!(&mut *future).poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[test]
fn waiting_for_what_is_no_promise_fails_with_what_to_do() {
    let host = Host::default();

    let failure = host.run(|| async { std::future::pending().await }).unwrap_err();

    assert!(failure.is(Failure::DEADLOCKED));
    assert!(failure.message.contains("await steps"), "{failure}");
    assert_eq!(host.asked(), ["next"]);
}

#[test]
fn only_the_task_whose_promise_settled_is_polled() {
    const TASKS: usize = 1_000;
    let host = Host::echoing();
    let polls = Rc::new(Cell::new(0));

    host.run(|| async {
        let tasks = (0..TASKS as u64).map(|number| {
            let mut call = double(number);
            let polls = Rc::clone(&polls);
            poll_fn(move |context| {
                polls.set(polls.get() + 1);
                pin!(&mut call).poll(context)
            })
        });
        join_all(tasks).await;
        Ok(String::new())
    })
    .unwrap();

    // Once to ask and once to read.
    assert_eq!(polls.get(), 2 * TASKS);
}

#[test]
fn a_future_that_wakes_itself_is_polled_again_without_waiting() {
    let host = Host::default();
    let mut yielded = false;

    let outcome = host.run(move || {
        poll_fn(move |context| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(Ok("done".to_owned()));
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
    });

    assert_eq!(outcome.unwrap(), "done");
    assert_eq!(host.asked(), [""; 0]);
}

#[test]
fn a_detached_child_is_started_at_once_and_never_cancelled() {
    let host = Host::answering([(0, "\"quiet\""), (1, "2")]);

    let outcome = host.run(|| async {
        quiet().detach()?;
        double(1).await.map(|n| n.to_string())
    });

    // The child's settlement comes first, and nobody minds.
    assert_eq!(outcome.unwrap(), "2");
    assert_eq!(host.asked(), ["start quiet null detached", "call double 1", "next", "next"]);
}

#[test]
fn continuing_as_new_unwinds_the_workflow_and_is_no_failure() {
    let host = Host::default();

    let ending = host.end(|| async { continue_as_new((1, "two")) });

    assert_eq!(host.asked(), [r#"continue-as-new [1,"two"]"#]);
    assert!(matches!(&ending, Ending::Continued(Err(_))));
    assert_eq!(conclude(ending), Ok("null".to_owned()));
}

#[test]
fn a_failure_of_that_kind_without_another_run_stays_a_failure() {
    let host = Host::default();

    let ending = host.end(|| async { Err(Failure::new("continued-as-new", "by hand")) });

    assert!(conclude(ending).is_err());
}

#[test]
fn more_random_bytes_than_fit_are_asked_for_in_parts() {
    let host = Host::default();

    host.run(|| async {
        assert_eq!(random(5_000).len(), 5_000);
        Ok(String::new())
    })
    .unwrap();

    assert_eq!(host.asked(), ["random 4096", "random 904"]);
}

#[test]
fn a_step_called_inside_a_step_runs_in_place() {
    assert_eq!(run_step(double_twice(3)), Ok(12));
    assert_eq!(run_step(add(1, "2", true)), Ok(3));
}

#[test]
fn durable_waiting_inside_a_step_fails_with_what_to_do() {
    for failure in [
        run_step(sleep("1s")).unwrap_err(),
        run_step(receive::<()>("word")).unwrap_err(),
        run_step(quiet()).unwrap_err(),
        quiet().detach().unwrap_err(),
        continue_as_new::<()>(1).unwrap_err(),
    ] {
        assert!(failure.is(Failure::MISPLACED), "{failure}");
        assert!(failure.message.contains("move it to the workflow"), "{failure}");
    }
}

#[test]
fn a_step_that_waits_for_what_cannot_wake_it_fails() {
    let failure = run_step(std::future::pending::<Result<(), Failure>>()).unwrap_err();

    assert!(failure.is(Failure::DEADLOCKED));
}

#[test]
fn a_result_of_another_type_is_a_failure_that_names_the_step() {
    let host = Host::answering([(0, "\"four\"")]);

    let failure = host.run(|| async { double(2).await.map(|n| n.to_string()) }).unwrap_err();

    assert!(failure.is(Failure::INVALID_OUTPUT));
    assert!(failure.message.contains("double"), "{failure}");
}
