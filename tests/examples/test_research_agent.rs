use stepwell_testing::{TestHost, Value, json};

use crate::host;

fn question() -> Value {
    json!({ "question": "Which rivers cross three countries?", "service": "http://search.test" })
}

/// The service, as far as this test needs one.
fn with_service(host: &mut TestHost) {
    host.replace("search", |asked| {
        Ok(json!({ "query": asked["query"], "text": format!("about {}", asked["query"]) }))
    });
}

#[test]
fn it_searches_until_nothing_is_left() {
    let mut host = host("research_agent");
    with_service(&mut host);

    let id = host.start("research", question());
    let report = host.end(id).value();

    assert_eq!(report["rounds"], 3);
    let queries: Vec<_> =
        host.attempts("search").iter().map(|attempt| attempt.input["query"].clone()).collect();
    assert_eq!(json!(queries), json!(["Which", "rivers", "cross", "three", "countries?"]));
    assert_eq!(host.progress(id).len(), 3);
}

#[test]
fn it_searches_no_longer_than_it_was_told() {
    let mut host = host("research_agent");
    with_service(&mut host);
    let mut research = question();
    research["rounds"] = json!(1);

    let report = host.run("research", research).value();

    assert_eq!(report["rounds"], 1);
    assert_eq!(report["notes"].as_array().unwrap().len(), 2);
}

#[test]
fn a_crash_at_any_entry_cannot_be_seen_in_any_order() {
    for seed in 0..3 {
        let mut host = host("research_agent").shuffled(seed);
        with_service(&mut host);

        host.crash_everywhere(|host| host.run("research", question()).value());
    }
}
