//! `map` and `map_outcomes`.

use super::fake::Host;
use crate::executor::run_step;
use crate::{Failure, IN_FLIGHT_MAX, map, map_outcomes};

#[stepwell::step]
async fn repeat(text: String) -> Result<String, Failure> {
    Ok(text)
}

#[stepwell::step]
async fn number(number: u64) -> Result<u64, Failure> {
    if number == 13 {
        stepwell::bail!("unlucky", "{number}");
    }
    Ok(number)
}

#[test]
fn results_are_in_the_order_of_the_inputs() {
    let host = Host::answering([(2, "2"), (0, "0"), (1, "1")]);

    let outcome = host.run(|| async { Ok(format!("{:?}", map(number, 0..3_u64).await?)) });

    assert_eq!(outcome.unwrap(), "[0, 1, 2]");
    assert_eq!(host.asked(), ["call-many number x 3", "next", "next", "next"]);
}

#[test]
fn a_hundred_thousand_inputs_are_taken_as_there_is_room() {
    const INPUTS: usize = 100_000;
    let host = Host::echoing();

    let outcome = host.run(|| async {
        let numbers = map(number, (100..100 + INPUTS as u64).collect::<Vec<_>>()).await?;
        assert!(numbers.iter().copied().eq(100..100 + INPUTS as u64));
        Ok(numbers.len().to_string())
    });

    assert_eq!(outcome.unwrap(), INPUTS.to_string());
    let asked = host.asked();
    assert_eq!(asked[0], format!("call-many number x {IN_FLIGHT_MAX}"));
    // After the first, a command each time that half of the window is free.
    assert_eq!(asked.len(), 1 + (INPUTS - IN_FLIGHT_MAX) / (IN_FLIGHT_MAX / 2));
}

#[test]
fn the_window_is_never_larger_than_asked() {
    let host = Host::answering([(0, "0"), (1, "1"), (2, "2")]);

    host.run(|| async {
        map(number, 0..3_u64).in_flight(1).await?;
        Ok(String::new())
    })
    .unwrap();

    let one = "call-many number x 1";
    assert_eq!(host.asked(), [one, "next", one, "next", one, "next"]);
}

#[test]
fn one_command_takes_no_more_than_four_mebibytes() {
    let host = Host::echoing();
    let mebibyte = "x".repeat(1024 * 1024);

    host.run(|| async {
        map(repeat, vec![&mebibyte; 8]).await?;
        Ok(String::new())
    })
    .unwrap();

    // Three, since the quotes of four make it a little more.
    let asked = ["call-many repeat x 3", "call-many repeat x 3", "call-many repeat x 2"];
    assert_eq!(host.asked(), asked);
}

#[test]
fn calls_with_other_options_go_into_another_command() {
    let host = Host::echoing();

    host.run(|| async {
        map(|n: u64| if n < 2 { number(n).queue("slow") } else { number(n) }, 0..5).await?;
        Ok(String::new())
    })
    .unwrap();

    assert_eq!(host.asked(), ["call-many number x 2", "call-many number x 3"]);
    assert_eq!(host.options()[0].queue.as_deref(), Some("slow"));
}

#[test]
fn the_first_failure_to_arrive_is_returned_and_the_rest_is_cancelled() {
    let host = Host::answering([(3, "3")]).failing(2, "broken").failing(0, "also broken");

    let failure = host.run(|| async { map(number, 0..4_u64).await.map(|_| String::new()) });

    assert!(failure.unwrap_err().is("broken"));
    assert_eq!(host.asked(), ["call-many number x 4", "next", "next", "cancel [0, 1]"]);
}

#[test]
fn every_outcome_is_kept_in_the_order_of_the_inputs() {
    let host = Host::answering([(2, "2")]).failing(0, "broken").failing(1, "broken too");

    host.run(|| async {
        let outcomes = map_outcomes(number, 0..3_u64).await;
        assert!(outcomes[0].as_ref().unwrap_err().is("broken"));
        assert!(outcomes[1].as_ref().unwrap_err().is("broken too"));
        assert_eq!(outcomes[2], Ok(2));
        Ok(String::new())
    })
    .unwrap();
}

#[test]
fn nothing_more_is_called_once_the_execution_is_cancelled() {
    let host = Host::default().failing(0, "cancelled").failing(1, "cancelled");

    host.run(|| async {
        let outcomes = map_outcomes(number, 0..10_u64).in_flight(2).await;
        assert_eq!(outcomes.len(), 10);
        assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap_err().is("cancelled")));
        Ok(String::new())
    })
    .unwrap();

    assert_eq!(host.asked(), ["call-many number x 2", "next", "next"]);
}

#[test]
fn an_input_that_cannot_be_asked_fails_alone() {
    let host = Host::answering([(0, "0"), (1, "2")]);

    host.run(|| async {
        let step = |n: u64| number(n).timeout(if n == 1 { "never" } else { "1s" });
        let outcomes = map_outcomes(step, 0..3).await;
        assert_eq!((&outcomes[0], &outcomes[2]), (&Ok(0), &Ok(2)));
        assert!(outcomes[1].as_ref().unwrap_err().is(Failure::INVALID_DURATION));
        Ok(String::new())
    })
    .unwrap();
}

#[test]
fn no_inputs_ask_nothing() {
    let host = Host::default();

    let outcome =
        host.run(|| async { Ok(map(number, Vec::<u64>::new()).await?.len().to_string()) });

    assert_eq!(outcome.unwrap(), "0");
    assert_eq!(host.asked(), [""; 0]);
}

#[test]
fn inside_a_step_the_calls_run_in_place() {
    assert_eq!(run_step(map(number, [1_u64, 2, 3])), Ok(vec![1, 2, 3]));
    assert!(run_step(map(number, [1_u64, 13, 3])).unwrap_err().is("unlucky"));
}
