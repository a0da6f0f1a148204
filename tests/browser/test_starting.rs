//! The form that a schema makes.

use serde_json::json;

use crate::browser::Browser;
use crate::house::House;

async fn started(browser: &Browser) -> String {
    browser.until("return location.pathname.startsWith('/executions/')").await;
    browser.address().await.rsplit('/').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_started_by_the_fields_of_its_schema() {
    let house = House::with(&["checkout"]).await;
    let browser = Browser::open().await;
    browser.go(&house.page("/modules/checkout")).await;

    browser.reads("amount").await;
    let [amount, order] =
        [1, 2].map(|place| format!(".start-fields label:nth-of-type({place}) input"));
    browser.write(&amount, "1200").await;
    browser.write(&order, "A-7").await;
    browser.click(".start .primary").await;
    let id = started(&browser).await;

    assert_eq!(house.api.ended(&id).await.value()["total"], 1_440);
    let input = &house.api.journal(&id).await[0]["input"];
    assert_eq!(*input, json!({ "amount": 1_200, "order": "A-7" }));
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_started_by_json_that_goes_as_it_was_written() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    browser.go(&house.page("/modules/misbehaving#workflow-noop")).await;
    let area = "#workflow-noop .start-fields textarea";

    browser.write(area, "{\"a\": ").await;
    browser.click("#workflow-noop .start .primary").await;
    assert!(browser.address().await.contains("/modules/"), "no JSON, no start");
    browser.write(area, "{\"b\": 12345678901234567890, \"a\":1.0}").await;
    browser.click("#workflow-noop .start .primary").await;
    let id = started(&browser).await;
    house.api.ended(&id).await;

    let text = house.api.text(&format!("/v1/executions/{id}/journal")).await;
    assert!(text.contains("{\"b\": 12345678901234567890, \"a\":1.0}"), "{text}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_does_not_fit_is_told_place_by_place() {
    let house = House::with(&["checkout"]).await;
    let browser = Browser::open().await;
    browser.go(&house.page("/modules/checkout")).await;

    browser.click(".start .quiet[type=button]").await;
    browser.write(".start textarea", r#"{"order": 7}"#).await;
    browser.click(".start .primary").await;

    browser.reads("Invalid input").await;
    browser.reads("/order").await;
    browser.close().await;
}
