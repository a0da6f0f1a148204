//! Starting: keys, many at once, routing, lists, health.

use futures::future::join_all;
use serde_json::{Value, json};

use stepwell::model::Name;

use crate::test_host::{Settings, TestHost};

#[tokio::test]
async fn one_key_is_one_execution_and_one_answer() {
    let mut host = TestHost::start().await;
    let order = json!({ "workflow": "noop", "input": [1], "idempotency_key": "k" });

    let first = host.post("/v1/executions", &order).await;
    let again = host.post("/v1/executions", &order).await;
    host.kill_and_restart().await;
    let later = host.post("/v1/executions", &order).await;

    assert_eq!([first.status, again.status, later.status], [201, 200, 200]);
    assert_eq!(first.body["id"], again.body["id"]);
    assert_eq!(first.body["id"], later.body["id"]);
    host.ended(first.body["id"].as_str().unwrap()).await.value();
    host.audit().await;
}

#[tokio::test]
async fn the_same_key_with_another_input_is_refused() {
    let mut host = TestHost::start().await;
    let order = |input: u32| json!({ "workflow": "noop", "input": input, "idempotency_key": "k" });
    let id = host.start(order(1)).await;

    let answer = host.post("/v1/executions", &order(2)).await;

    assert_eq!((answer.status, answer.problem()), (409, "idempotency-conflict"));
    assert_eq!(host.ended(&id).await.value(), 1);
    host.audit().await;
}

#[tokio::test]
async fn twenty_first_calls_at_once_with_one_key_are_one_execution() {
    let mut host = TestHost::start().await;
    let order = json!({ "workflow": "ledgered", "input": 2, "idempotency_key": "k" });

    let answers = join_all((0..20).map(|_| host.post("/v1/executions", &order))).await;

    let created = answers.iter().filter(|answer| answer.status == 201).count();
    let found = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((created, found), (1, 19));
    let id = answers[0].body["id"].as_str().unwrap();
    assert!(answers.iter().all(|answer| answer.body["id"] == *id));
    host.ended(id).await.value();
    assert_eq!(host.execution(id).await["counters"]["ledger"], 2);
    host.audit().await;
}

#[tokio::test]
async fn what_is_accepted_for_queues_of_other_hosts_is_left_to_them() {
    let queues = vec![Name::new("here").unwrap()];
    let mut host = TestHost::start_with(Settings { queues, ..Settings::default() }).await;
    let order = |queue: &str| json!({ "workflow": "noop", "input": 1, "queue": queue });
    // When this has ended, the host gives birth to what it accepts.
    let served = host.start(order("here")).await;
    host.ended(&served).await.value();

    let id = host.start(order("elsewhere")).await;

    let execution = host.execution(&id).await;
    assert_eq!((&execution["state"], &execution["owner"]), (&json!("pending"), &Value::Null));
    host.kill().await;
    host.settings().queues.clear();
    host.restart().await;
    assert_eq!(host.ended(&id).await.value(), 1);
    host.audit().await;
}

#[tokio::test]
async fn many_orders_are_answered_one_by_one() {
    let mut host = TestHost::start().await;
    let orders = json!({ "executions": [
        { "workflow": "noop", "input": 1 },
        { "workflow": "nothing", "input": 2 },
        { "workflow": "chain", "input": 3 },
    ] });

    let answer = host.post("/v1/executions", &orders).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    let answers = &answer.body["executions"];
    assert_eq!(answers[1]["error"]["status"], 404, "{answers}");
    assert_eq!(host.ended(answers[0]["id"].as_str().unwrap()).await.value(), 1);
    assert_eq!(host.ended(answers[2]["id"].as_str().unwrap()).await.value(), 3);
    host.audit().await;
}

#[tokio::test]
async fn where_it_goes_is_as_it_was_ordered() {
    let mut host = TestHost::start().await;
    let order = json!({
        "workflow": "noop", "input": null, "queue": "slow", "tags": ["gpu", "eu"], "priority": -3
    });

    let id = host.start(order).await;
    host.ended(&id).await.value();

    let execution = host.execution(&id).await;
    assert_eq!(execution["queue"], "slow");
    assert_eq!(execution["tags"], json!(["gpu", "eu"]));
    assert_eq!(execution["priority"], -3);
    host.audit().await;
}

#[tokio::test]
async fn a_list_is_read_page_by_page_and_filtered() {
    let mut host = TestHost::start().await;
    let mut started = Vec::new();
    for number in 0..7 {
        started.push(host.run("noop", json!(number)).await);
    }
    let waits = host.run("signals", json!(1)).await;
    for id in &started {
        host.ended(id).await.value();
    }

    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/executions?state=completed&workflow=noop&limit=3{cursor}");
        let page = host.get(&path).await.body;
        let ids = page["executions"].as_array().unwrap().iter();
        listed.extend(ids.map(|row| row["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }

    started.reverse();
    assert_eq!(listed, started);
    host.cancel(&waits, json!({})).await;
    host.ended(&waits).await;
    host.audit().await;
}

#[tokio::test]
async fn a_payload_is_carried_byte_for_byte() {
    let mut host = TestHost::start().await;
    let input = r#"{ "b": 1.50,  "a": [ ], "c": "\u00e9" }"#;
    let id = host.run("signals", json!(1)).await;

    let path = format!("/v1/executions/{id}/signals/message");
    host.send("POST", &path, input).await.unwrap();
    host.ended(&id).await.value();

    let journal = host.text(&format!("/v1/executions/{id}/journal")).await;
    assert!(journal.contains(input), "{journal}");
    host.audit().await;
}

#[tokio::test]
async fn a_host_says_that_it_lives_and_works() {
    let host = TestHost::start().await;

    let (health, ready) = (host.get("/health").await, host.get("/ready").await);

    assert_eq!((health.status, ready.status), (200, 200), "{} {}", health.body, ready.body);
    assert_eq!(host.get("/v1/stats").await.body["dead_letters"], 0);
    let hosts = host.get("/v1/hosts").await.body["hosts"].as_array().unwrap().clone();
    assert_eq!(hosts.iter().filter(|host| host["alive"] == true).count(), 1, "{hosts:#?}");
}

#[tokio::test]
async fn a_host_that_is_stopped_hands_over_what_it_has() {
    let mut host = TestHost::start().await;
    let waits = host.run("signals", json!(1)).await;
    let sleeps = host.run("sleeper", json!("300ms")).await;
    host.until_recorded(&waits, "receive", 1).await;

    host.stop().await;
    host.restart().await;
    host.signalled(&waits, "message", json!("hello")).await;

    assert_eq!(host.ended(&waits).await.value(), json!(["hello"]));
    assert_eq!(host.ended(&sleeps).await.value(), "300ms");
    assert_eq!(host.execution(&waits).await["losses"], 0);
    host.audit().await;
}

#[tokio::test]
async fn ten_thousand_items_are_worked_off_and_added_up() {
    // Where no instance is kept, each item replays all before it.
    let items: u64 = if TestHost::is_never_hot() { 300 } else { 10_000 };
    let mut host = TestHost::start().await;

    let end = host.run_to_end("fan_out", json!({ "items": items })).await;

    let sum: u64 = (0..items).map(|number| number * number).sum();
    assert_eq!(end.value(), json!({ "items": items, "sum": sum, "in_order": true }));
    host.audit().await;
}

#[tokio::test]
async fn a_chain_counts_to_its_length() {
    let mut host = TestHost::start().await;

    let ends = join_all([0, 1, 50].map(|length| host.run_to_end("chain", json!(length)))).await;

    let sums: Vec<Value> = ends.into_iter().map(crate::api::End::value).collect();
    assert_eq!(sums, [json!(0), json!(0), json!(1225)]);
    host.audit().await;
}
