//! `timeout` and `select!`.

use std::future::ready;

use super::fake::Host;
use crate::{Failure, drain, receive, sleep, timeout};

#[test]
fn a_future_that_is_in_time_stops_its_timer() {
    let host = Host::answering([(0, "\"yes\"")]);

    let outcome = host.run(|| async { timeout("1m", receive::<String>("answer")).await? });

    assert_eq!(outcome.unwrap(), "yes");
    assert_eq!(host.asked(), ["receive answer", "sleep 60000", "next", "cancel [1]"]);
}

#[test]
fn a_future_that_is_late_is_dropped() {
    let host = Host::answering([(1, "null")]);

    let outcome = host.run(|| async { timeout("1m", receive::<String>("answer")).await? });

    assert!(outcome.unwrap_err().is(Failure::TIMED_OUT));
    assert_eq!(host.asked(), ["receive answer", "sleep 60000", "next", "cancel [0]"]);
}

#[test]
fn cancelling_is_no_matter_of_time_and_reaches_the_future() {
    let host = Host::answering([(0, "\"first\"")]).failing(1, "cancelled").failing(2, "cancelled");

    let outcome = host.run(|| async {
        let both = async {
            receive::<String>("answer").await?;
            receive::<String>("answer").await
        };
        timeout("1m", both).await?
    });

    assert!(outcome.unwrap_err().is(Failure::CANCELLED));
}

#[test]
fn a_time_that_cannot_be_read_is_said() {
    let host = Host::default();

    let outcome = host.run(|| async { timeout("soon", receive::<String>("answer")).await? });

    assert!(outcome.unwrap_err().is(Failure::INVALID_DURATION));
}

#[test]
fn the_topmost_of_several_that_are_ready_wins() {
    let host = Host::default();

    let outcome = host.run(|| async {
        let won = stepwell::select! {
            _ = receive::<String>("answer") => 0,
            one = ready(1) => one,
            two = ready(2) => two,
        };
        Ok(won.to_string())
    });

    assert_eq!(outcome.unwrap(), "1");
}

#[test]
fn a_future_given_by_reference_survives() {
    let host = Host::answering([(1, "null"), (0, "null")]);

    let outcome = host.run(|| async {
        let mut long = sleep("1h");
        stepwell::select! {
            _ = &mut long => stepwell::bail!("wrong", "the long one is not over"),
            short = sleep("1s") => short?,
        }
        long.await?;
        Ok("both".to_owned())
    });

    assert_eq!(outcome.unwrap(), "both");
    assert_eq!(host.asked(), ["sleep 3600000", "sleep 1000", "next", "next"]);
}

#[test]
fn an_arm_may_return_and_break() {
    let host = Host::answering([(0, "1"), (1, "2"), (2, "3")]);

    let outcome = host.run(|| async {
        let mut sum = 0;
        loop {
            stepwell::select! {
                number = receive::<u64>("number") => match number? {
                    3 => break,
                    number => sum += number,
                },
                () = std::future::pending() => return Ok("never".to_owned()),
            }
        }
        Ok(sum.to_string())
    });

    assert_eq!(outcome.unwrap(), "3");
}

#[test]
fn a_signal_is_waited_for_no_longer_than_told() {
    let in_time = Host::answering([(0, "7")]);
    let late = Host::answering([(1, "null")]);
    let cancelled = Host::default().failing(0, "cancelled");
    let wait = || async {
        let received = receive::<u64>("number").timeout("1m").await?;
        Ok(format!("{received:?}"))
    };

    assert_eq!(in_time.run(wait).unwrap(), "Some(7)");
    assert_eq!(late.run(wait).unwrap(), "None");
    assert!(cancelled.run(wait).unwrap_err().is(Failure::CANCELLED));
    assert_eq!(late.asked(), ["receive number", "sleep 60000", "next", "cancel [0]"]);
}

#[test]
fn draining_takes_what_is_there_and_gives_the_last_receive_back() {
    let host = Host::answering([(0, "1"), (2, "2"), (1, "null")]);

    let outcome = host.run(|| async { Ok(format!("{:?}", drain::<u64>("number").await?)) });

    assert_eq!(outcome.unwrap(), "[1, 2]");
    assert_eq!(
        host.asked(),
        [
            "receive number",
            "sleep 0",
            "next",
            "receive number",
            "next",
            "receive number",
            "next",
            "cancel [3]"
        ]
    );
}
