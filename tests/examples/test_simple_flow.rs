use std::time::Duration;

use stepwell_testing::{Value, json};

use crate::host;

fn ada() -> Value {
    json!({ "name": "Ada", "email": " Ada@example.com" })
}

#[test]
fn two_letters_are_sent_three_days_apart() {
    let mut host = host("simple_flow");

    let id = host.start("welcome", ada());
    host.advance("1d");
    assert_eq!(host.attempts("send_letter").len(), 1);
    let end = host.end(id);

    assert_eq!(end.value(), json!({ "account": "account-of-ada@example.com", "letters": 2 }));
    assert_eq!(host.passed(), Duration::from_hours(3 * 24));
    assert_eq!(host.counter(id, "letters"), 2);
    assert_eq!(host.log(id)[0].message, "Welcome, Ada");
}

#[test]
fn an_address_that_is_none_ends_it_and_no_letter_is_sent() {
    let mut host = host("simple_flow");
    host.replace("send_letter", |_| panic!("nobody is to be written to"));

    let end = host.run("welcome", json!({ "name": "Ada", "email": "nowhere" }));

    assert_eq!(end.failure().kind, "bad-email");
}

#[test]
fn a_crash_at_any_entry_sends_no_letter_twice() {
    let host = host("simple_flow");

    let letters = host.crash_everywhere(|host| {
        let id = host.start("welcome", ada());
        host.end(id).value();
        host.counter(id, "letters")
    });

    assert_eq!(letters, 2);
}
