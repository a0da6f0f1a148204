//! The timeline of a long execution.

use serde_json::json;

use crate::browser::{Browser, Colours, Width};
use crate::house::House;

const STEPS: u64 = 5_000;
/// Far beyond what it takes, since a machine may be busy with other tests; what it took is printed.
const OPENS_WITHIN_MILLIS: u64 = 5_000;

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_steps_open_at_once_and_stay_fluid() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let id = house.api.run("chain", json!(STEPS)).await;
    house.api.ended(&id).await;
    let page = house.page(&format!("/executions/{id}"));

    browser.go(&page).await;
    browser
        .until("return document.getElementById('timeline').dataset.readyAfter !== undefined")
        .await;

    let ready =
        browser.run("return Number(document.getElementById('timeline').dataset.readyAfter)").await;
    let ready = ready.as_u64().unwrap();
    println!("A timeline of {STEPS} steps was drawn {ready} ms after its page was asked for.");
    assert!(ready < OPENS_WITHIN_MILLIS, "{ready} ms");
    browser.reads("5,000 promises").await;
    let drawn = "return document.querySelectorAll('#timeline .row').length";
    assert!(browser.run(drawn).await.as_u64().unwrap() < 100, "only what is in view is drawn");
    browser.picture("timeline-wide-light").await;

    // Scrolled to its end in thirty steps, each drawn in a frame of its own.
    let frames = browser
        .run(
            "return new Promise((done) => { const view = document.querySelector('#timeline .view'); let step = 0, longest = 0, last = performance.now();
             const frame = (now) => { longest = Math.max(longest, now - last); last = now; step += 1;
             view.scrollTop = view.scrollHeight * step / 30; step < 31 ? requestAnimationFrame(frame) : done(Math.round(longest)); };
             requestAnimationFrame(frame); })",
        )
        .await;
    println!("While it was scrolled the longest frame took {frames} ms.");
    browser
        .until("return document.querySelector('#timeline').textContent.includes('run 0 ended')")
        .await;

    browser.click("[data-zoom=all]").await;
    for _ in 0..4 {
        browser.click("[data-zoom=in]").await;
    }
    browser.picture("zoomed-wide-light").await;
    let rows = browser.run(drawn).await.as_u64().unwrap();
    assert!(rows > 0 && rows < 100, "{rows}");
    browser.click("#timeline .row").await;
    browser.reads("The last attempt took").await;
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_has_a_bar() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let id = house.api.run("retried", json!({ "flaky": { "failures": 3 } })).await;
    browser.go(&house.page(&format!("/executions/{id}"))).await;
    let bars = |of: &str, count: usize| {
        format!("return document.querySelectorAll('#timeline .row rect.{of}').length === {count}")
    };

    browser.until(&bars("tried", 3)).await;
    browser.until(&bars("runs", 1)).await;
    browser.reads("4×").await;
    browser.click("#timeline .row").await;

    browser.reads("attempt 3 of 3 that fail").await;
    browser.picture("attempts-wide-light").await;
    browser.draw(Width::Narrow, Colours::Dark).await;
    browser.picture("attempts-narrow-dark").await;
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_grows_while_a_step_speaks() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let id = house.api.run("drawling", json!(12)).await;
    browser.go(&house.page(&format!("/executions/{id}?tab=logs"))).await;

    browser.reads("line 1").await;
    let badge = "return document.querySelector('#head .badge').textContent";
    assert_ne!(browser.run(badge).await, json!("completed"));
    browser.reads("line 12").await;

    // A step's name leads to what that step has said, and from there one comes back.
    browser.run("document.querySelector('.logs a').click()").await;
    browser.reads("Only what step drawl said.").await;
    browser.reads("line 12").await;
    browser.picture("logs-of-a-step").await;
    browser.complained_of_nothing().await;
    browser.go(&house.page(&format!("/executions/{id}?tab=logs&step=drawl&attempt=2"))).await;
    browser.reads("Only what step drawl said in attempt 2.").await;
    browser.reads("None here").await;
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_grows_while_its_execution_runs() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let id = house.api.run("signals", json!(2)).await;
    browser.go(&house.page(&format!("/executions/{id}"))).await;
    let received = |count: usize| {
        format!(
            "return document.querySelectorAll('#timeline [data-is=received]').length === {count}"
        )
    };

    browser
        .until("return document.querySelectorAll('#timeline [data-is=open]').length === 1")
        .await;
    house.api.signalled(&id, "message", json!(1)).await;
    browser.until(&received(1)).await;
    house.api.signalled(&id, "message", json!(2)).await;
    browser.until(&received(2)).await;

    browser
        .until("return document.querySelector('#head .badge').textContent === 'completed'")
        .await;
    browser.complained_of_nothing().await;
    browser.close().await;
}
