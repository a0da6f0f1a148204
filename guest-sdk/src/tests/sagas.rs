//! `saga`: what is undone, in which order, and what is said about the rest.

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use futures::try_join;

use super::fake::Host;
use crate::saga::Unfinished;
use crate::{Failure, Place, saga};

#[stepwell::step]
async fn book(what: String) -> Result<String, Failure> {
    Ok(what)
}

#[stepwell::step]
async fn unbook(what: String) -> Result<(), Failure> {
    stepwell::log::info!("unbooked {what}");
    Ok(())
}

/// Books three things, the last one with its undoing registered first.
async fn trip() -> Result<String, Failure> {
    saga(async |saga| {
        let flight = book("flight").await?;
        saga.undo(unbook(&flight));
        let hotel = book("hotel").await?;
        saga.undo(unbook(&hotel));
        saga.undo(unbook("car"));
        book("car").await?;
        Ok(format!("{flight}, {hotel}"))
    })
    .await
}

/// The commands, without the waits between them.
fn asked(host: &Host) -> Vec<String> {
    host.asked().into_iter().filter(|asked| asked != "next").collect()
}

#[test]
fn what_succeeds_is_not_undone() {
    let host = Host::answering([(0, "\"flight\""), (1, "\"hotel\""), (2, "\"car\"")]);

    let outcome = host.run(trip);

    assert_eq!(outcome.unwrap(), "flight, hotel");
    assert_eq!(asked(&host).len(), 3);
}

#[test]
fn what_was_done_is_undone_in_reverse_order_one_after_another() {
    let host = Host::answering([(0, "\"flight\""), (1, "\"hotel\"")])
        .failing(2, "sold-out")
        .then([(3, "null"), (4, "null"), (5, "null")]);

    let failure = host.run(trip).unwrap_err();

    assert!(failure.is("sold-out"));
    assert_eq!(failure.places(), [Place::Step { step: "book".to_owned() }]);
    let undone = &host.asked()[6..];
    assert_eq!(
        undone,
        [
            r#"call unbook "car""#,
            "next",
            r#"call unbook "hotel""#,
            "next",
            r#"call unbook "flight""#,
            "next"
        ]
    );
}

#[test]
fn an_undoing_that_fails_stops_no_other_and_is_told() {
    let host = Host::answering([(0, "\"flight\""), (1, "\"hotel\"")])
        .failing(2, "sold-out")
        .failing(3, "no-answer")
        .then([(4, "null"), (5, "null")]);

    let failure = host.run(trip).unwrap_err();

    assert!(failure.is(Failure::NOT_UNDONE), "{failure}");
    let unfinished = failure.details::<Unfinished>().unwrap();
    assert_eq!(unfinished.kind, "sold-out");
    assert_eq!(unfinished.not_undone.len(), 1);
    assert_eq!(unfinished.not_undone[0].what, "unbook");
    assert_eq!(unfinished.not_undone[0].kind, "no-answer");
    assert_eq!(asked(&host)[5], r#"call unbook "flight""#);
}

#[test]
fn cancelling_undoes_too_and_what_it_interrupts_is_undone_again() {
    let host = Host::answering([(0, "\"flight\"")])
        .failing(1, "sold-out")
        .failing(2, "cancelled")
        .then([(3, "null")]);

    let failure = host.run(trip).unwrap_err();

    assert!(failure.is("sold-out"));
    let undone = asked(&host);
    assert_eq!(undone[2..], [r#"call unbook "flight""#, r#"call unbook "flight""#]);
}

#[stepwell::workflow]
async fn returned(what: String) -> Result<(), Failure> {
    unbook(&what).await
}

#[test]
fn a_child_with_a_key_that_was_interrupted_is_undone_by_another() {
    let host =
        Host::answering([]).failing(0, "sold-out").failing(1, "cancelled").then([(2, "null")]);

    let failure = host.run(|| async {
        saga(async |saga| {
            saga.undo(returned("car").idempotency_key("car"));
            book("car").await
        })
        .await
    });

    assert!(failure.unwrap_err().is("sold-out"));
    let undone = [r#"start returned "car" as car"#, r#"start returned "car" as car (again)"#];
    assert_eq!(asked(&host)[1..], undone);
}

#[test]
fn branches_share_a_saga() {
    let host = Host::answering([(1, "\"b\""), (0, "\"a\"")])
        .failing(2, "sold-out")
        .then([(3, "null"), (4, "null")]);

    let failure = host.run(|| async {
        saga(async |saga| {
            let one = async |what: &'static str| {
                let booked = book(what).await?;
                saga.undo(unbook(&booked));
                Ok::<_, Failure>(())
            };
            try_join!(one("a"), one("b"))?;
            book("c").await
        })
        .await
    });

    assert!(failure.unwrap_err().is("sold-out"));
    assert_eq!(asked(&host)[3..], [r#"call unbook "a""#, r#"call unbook "b""#]);
}

#[test]
fn several_steps_undo_under_one_name() {
    let host = Host::answering([]).failing(0, "sold-out").then([(1, "null")]).failing(2, "busy");

    let failure = host.run(|| async {
        saga(async |saga| {
            saga.undo_with("unbook every room", async || {
                unbook("one").await?;
                unbook("two").await
            });
            book("hotel").await
        })
        .await
    });

    let unfinished = failure.unwrap_err().details::<Unfinished>().unwrap();
    assert_eq!(unfinished.not_undone[0].what, "unbook every room");
    assert_eq!(asked(&host)[1..], [r#"call unbook "one""#, r#"call unbook "two""#]);
}

#[test]
fn a_call_that_was_awaited_cannot_undo() {
    let host = Host::answering([]).failing(1, "sold-out");

    let failure = host.run(|| async {
        saga(async |saga| {
            let mut awaited = unbook("hotel");
            poll_fn(|context| {
                assert!(Pin::new(&mut awaited).poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            saga.undo(awaited);
            book("car").await
        })
        .await
    });

    let unfinished = failure.unwrap_err().details::<Unfinished>().unwrap();
    assert_eq!(unfinished.not_undone[0].kind, Failure::MISPLACED);
}

#[test]
fn the_next_run_does_not_undo_what_this_one_did() {
    let host = Host::answering([(0, "\"flight\"")]);

    let ending = host.end(|| async {
        saga(async |saga| {
            book("flight").await?;
            saga.undo(unbook("flight"));
            stepwell::continue_as_new::<String>(1)
        })
        .await
    });

    assert!(matches!(ending, crate::executor::Ending::Continued(_)));
    assert_eq!(asked(&host)[1..], ["continue-as-new 1"]);
}

#[test]
fn nothing_is_undone_while_the_saga_is_pending() {
    let host = Host::answering([(0, "\"flight\"")]);

    let failure = host.run(|| async {
        saga(async |saga| {
            saga.undo(unbook("flight"));
            book("flight").await?;
            pending::<Result<String, Failure>>().await
        })
        .await
    });

    assert!(failure.unwrap_err().is(Failure::DEADLOCKED));
    assert_eq!(asked(&host), [r#"call book "flight""#]);
}
