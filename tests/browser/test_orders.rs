//! Every order that the dashboard gives, given by clicks, and what came of it at the host.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_is_sent_and_the_page_follows_the_execution_to_its_end() {
    let house = House::with(&["approval"]).await;
    let browser = Browser::open().await;
    let id = house.api.run("approval", json!({ "subject": "a bridge", "timeout": "48h" })).await;
    house.api.until_state(&id, "waiting").await;
    browser.go(&house.page(&format!("/executions/{id}"))).await;
    browser.reads("It waits for the signal approval").await;

    browser.order(&format!("POST /v1/executions/{id}/signals/{{name}}")).await;
    browser.is_for_everybody("the dialog of a signal").await;
    browser.write("dialog[open] [name=name]", "approval").await;
    browser.write("dialog[open] [name=payload]", "{\"by\": ").await;
    browser.agree().await;
    assert_eq!(
        browser.run("return document.getElementById('ask').open").await,
        true,
        "no JSON, no signal"
    );
    browser.picture("dialog-wide-light").await;
    browser.write("dialog[open] [name=payload]", r#"{"by": "Ada", "approved": true}"#).await;
    browser.agree().await;

    browser.reads("The signal is on its way").await;
    browser
        .until("return document.querySelector('#head .badge').textContent === 'completed'")
        .await;
    browser.reads("\"Ada\"").await;
    let end = house.api.ended(&id).await.value();
    assert_eq!(end["by"], "Ada");
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_is_paused_resumed_cancelled_forced_and_retried() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let api = &house.api;
    let to = |id: &str, verb: &str| format!("POST /v1/executions/{id}/{verb}");
    let id = api.run("sleeper", json!("3h")).await;
    api.until_state(&id, "waiting").await;
    browser.go(&house.page(&format!("/executions/{id}"))).await;

    browser.order(&to(&id, "pause")).await;
    browser.until("return document.querySelector('#head [data-state=paused]') !== null").await;
    browser.order(&to(&id, "resume")).await;
    browser.until("return document.querySelector('#head [data-state=paused]') === null").await;
    browser.order(&to(&id, "cancel")).await;
    browser.write("dialog[open] [name=reason]", "no longer wanted").await;
    browser.agree().await;
    browser
        .until("return document.querySelector('#head .badge').textContent === 'cancelled'")
        .await;
    assert_eq!(api.ended(&id).await.message(), "no longer wanted");
    browser.order(&to(&id, "retry")).await;
    browser.agree().await;
    browser
        .until("return document.querySelector('#head .badge').textContent !== 'cancelled'")
        .await;
    browser
        .until("return document.querySelector('#timeline').textContent.includes('run 1 begins')")
        .await;
    api.until_state(&id, "waiting").await;
    browser.click("button[data-body*=force]").await;
    browser.agree().await;

    assert_eq!(api.ended(&id).await.state, "cancelled");
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_selected_and_ordered_at_once() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(house.api.run("sleeper", json!("3h")).await);
    }
    browser.go(&house.page("/executions?workflow=sleeper")).await;

    browser.click("td input[type=checkbox]").await;
    browser.reads("1 selected").await;
    browser.picture("selected-wide-light").await;
    browser.click("[data-all]").await;
    browser.reads("5 selected").await;
    browser.click("[data-each$='/pause']").await;
    browser
        .until("return document.querySelectorAll('#list [data-state=paused]').length === 5")
        .await;
    browser.click("[data-all]").await;
    browser.click("[data-each$='/resume']").await;
    browser
        .until("return document.querySelectorAll('#list [data-state=paused]').length === 0")
        .await;
    browser.click("[data-all]").await;
    browser.click("[data-each$='/cancel']").await;
    browser.agree().await;

    for id in &ids {
        assert_eq!(house.api.ended(id).await.state, "cancelled");
    }
    browser
        .until("return document.querySelectorAll('#list [data-state=cancelled]').length === 5")
        .await;
    browser.click("[data-all]").await;
    browser.click("[data-each$='/retry']").await;
    browser
        .until("return document.querySelectorAll('#list [data-state=cancelled]').length === 0")
        .await;
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_read_replayed_and_discarded() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(house.api.run("retried", json!("hopeless")).await);
    }
    for id in &ids {
        house.api.ended(id).await;
    }
    let letters = async || house.api.get("/v1/dead-letters").await.body["dead_letters"].clone();
    let rows = |count: usize| {
        format!("return document.querySelectorAll('#list tbody tr').length === {count}")
    };
    browser.go(&house.page("/dead-letters")).await;
    browser.until(&rows(3)).await;

    browser.click("details[data-load] summary").await;
    browser.reads("What the step was called with").await;
    browser.until("return document.querySelector('details[open] [data-input]') === null").await;
    let first = letters().await[0]["id"].as_str().unwrap().to_owned();
    browser.order(&format!("DELETE /v1/dead-letters/{first}")).await;
    browser.agree().await;
    browser.until(&rows(2)).await;
    let second = letters().await[0].clone();
    browser
        .order(&format!("POST /v1/dead-letters/{}/replay", second["id"].as_str().unwrap()))
        .await;
    browser.reads("The execution goes back to this step").await;
    let replayed = second["execution"].as_str().unwrap();
    house
        .api
        .until(replayed, |execution| execution["run"] == 1 && execution["state"] == "failed")
        .await;
    // It fails again, and is another letter then.
    let again = letters().await[0]["id"].as_str().unwrap().to_owned();
    let button = json!(format!("button[data-order='DELETE /v1/dead-letters/{again}']"));
    browser.until(&format!("return document.querySelector({button}) !== null")).await;
    let ids_of = |letters: Value| {
        let letters = letters.as_array().unwrap().clone();
        letters.into_iter().map(|letter| letter["id"].clone()).collect::<Vec<_>>()
    };
    let before = ids_of(letters().await);
    browser.click("[data-all]").await;
    browser.click("[data-each$=replay]").await;
    browser.is_for_everybody("the dialog that asks").await;
    browser.agree().await;
    // Each of them fails again.
    loop {
        let now = ids_of(letters().await);
        if now.len() == 2 && now.iter().all(|id| !before.contains(id)) {
            break;
        }
    }
    browser.go(&house.page("/dead-letters")).await;
    browser.click("[data-all]").await;
    browser.click("[data-each^=DELETE]").await;
    browser.agree().await;

    browser.reads("No dead letters").await;
    assert_eq!(letters().await, json!([]));
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_are_started_paused_resumed_and_removed() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let spec = json!({ "cron": "0 3 * * *", "workflow": "noop" }).to_string();
    house.api.send("PUT", "/v1/schedules/nightly", spec).await.unwrap();
    let shown = async || house.api.get("/v1/schedules/nightly").await;
    browser.go(&house.page("/schedules")).await;

    browser.order("POST /v1/schedules/nightly/trigger").await;
    browser.reads("Started").await;
    browser.order("POST /v1/schedules/nightly/pause").await;
    browser.until("return document.querySelector('.schedule [data-state=paused]') !== null").await;
    assert_ne!(shown().await.body["paused_at"], Value::Null);
    browser.order("POST /v1/schedules/nightly/resume").await;
    browser.until("return document.querySelector('.schedule [data-state=paused]') === null").await;
    browser.order("DELETE /v1/schedules/nightly").await;
    browser.agree().await;

    browser.reads("There is no schedule").await;
    assert_eq!(shown().await.status, 404);
    assert_eq!(
        house.api.get("/v1/executions?workflow=noop").await.body["executions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_are_paused_and_resumed_and_versions_activated_and_granted() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let first =
        house.api.get("/v1/modules/misbehaving").await.body["digest"].as_str().unwrap().to_owned();
    house.api.deploy("misbehaving", stepwell_test_witness::guests::wasm("changed")).await;
    house.api.start(json!({ "workflow": "changing", "queue": "night", "delay": "1h" })).await;
    // A queue stays on the list once it was paused.
    for verb in ["pause", "resume"] {
        house.api.post(&format!("/v1/queues/night/{verb}"), &json!({})).await;
    }

    browser.go(&house.page("/queues")).await;
    browser.order("POST /v1/queues/night/pause").await;
    browser.agree().await;
    browser
        .until("return document.querySelector(\"button[data-order='POST /v1/queues/night/resume']\") !== null")
        .await;
    let queues = house.api.get("/v1/queues").await.body["queues"].clone();
    let is_paused = |queue: &Value| queue["name"] == "night" && queue["paused_at"].is_string();
    assert!(queues.as_array().unwrap().iter().any(is_paused), "{queues}");
    browser.order("POST /v1/queues/night/resume").await;
    browser.reads("The queue goes on").await;
    browser.go(&house.page("/modules/misbehaving")).await;
    browser.order("POST /v1/modules/misbehaving/activate").await;
    browser.agree().await;
    browser.reads("It is the active version now").await;
    assert_eq!(house.api.get("/v1/modules/misbehaving").await.body["digest"], first);
    browser.go(&house.page("/modules/misbehaving")).await;
    browser.order("PUT /v1/modules/misbehaving/grants").await;
    browser.agree().await;
    browser.reads("Granted last by").await;

    let standing = house.api.get("/v1/modules/misbehaving/grants").await.body;
    assert_eq!(standing["granted"]["env"], json!(["REGION"]));
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_told_with_its_reason() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let id = house.api.run("sleeper", json!("3h")).await;
    browser.go(&house.page(&format!("/executions/{id}"))).await;
    // Somebody else ends it, and this page has not heard of it yet.
    browser.order(&format!("POST /v1/executions/{id}/signals/{{name}}")).await;
    browser.write("dialog[open] [name=name]", "go").await;
    house.api.cancel(&id, json!({ "force": true })).await;
    house.api.ended(&id).await;
    browser.agree().await;

    browser.reads("Already ended").await;
    assert_eq!(browser.run("return document.querySelector('.toast').dataset.tone").await, "bad");
    browser.picture("refused-wide-light").await;
    browser.close().await;
}
