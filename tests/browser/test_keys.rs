//! The keyboard, the colours, and what a browser is told about pages.

use serde_json::json;

use crate::browser::Browser;
use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn everything_can_be_reached_by_keys() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let id = house.api.run("noop", json!(1)).await;
    house.api.ended(&id).await;
    browser.go(&house.page("/")).await;

    browser.press("?").await;
    browser.until("return document.getElementById('keys').open").await;
    browser.picture("keyboard-wide-light").await;
    browser.press("\u{e00c}").await;
    browser.until("return !document.getElementById('keys').open").await;
    browser.press("ge").await;
    browser.until("return location.pathname === '/executions'").await;
    browser.until("return document.getElementById('live').dataset.state === 'on'").await;
    browser.press("/").await;
    browser.until("return document.activeElement.name === 'q'").await;
    browser.run("document.activeElement.blur(); return true").await;
    browser.press("jx").await;
    browser.reads("1 selected").await;
    browser.run("document.activeElement.blur(); return true").await;
    browser.press("\u{e007}").await;

    browser.until(&format!("return location.pathname === '/executions/{id}'")).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_place_has_a_key_and_so_have_colours_and_the_timeline() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let id = house.api.run("chain", json!(20)).await;
    house.api.ended(&id).await;
    for (key, place) in [
        ("o", "/"),
        ("e", "/executions"),
        ("s", "/schedules"),
        ("d", "/dead-letters"),
        ("m", "/modules"),
        ("q", "/queues"),
        ("h", "/hosts"),
        ("k", "/keys"),
        ("a", "/audit"),
    ] {
        browser.go(&house.page(&format!("/executions/{id}"))).await;
        browser.until("return document.getElementById('live').dataset.state === 'on'").await;
        browser.press(&format!("g{key}")).await;
        browser.until(&format!("return location.pathname === '{place}'")).await;
    }

    browser.go(&house.page(&format!("/executions/{id}"))).await;
    browser.reads("20 promises").await;
    let window =
        "return Number(document.querySelector('#timeline .mini-window').getAttribute('width'))";
    let whole = browser.run(window).await.as_f64().unwrap();
    browser.press("++").await;
    browser.until(&format!("{window} < {}", whole / 3.0)).await;
    browser.press("-").await;
    browser.until(&format!("{window} > {}", whole / 3.0)).await;
    browser.press("0").await;
    browser.until(&format!("{window} === {whole}")).await;
    browser.run("document.querySelector('#timeline .view').focus(); return true").await;
    // The second row, by the arrow down.
    browser.press("\u{e015}\u{e015}").await;
    browser
        .until("return document.querySelector('#timeline .row[data-at]')?.dataset.place === '1'")
        .await;
    browser.press("t").await;
    browser.until("return document.documentElement.dataset.theme === 'light'").await;
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_searched_for_leads_to_its_execution() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let id = house.api.run("noop", json!(1)).await;
    browser.go(&house.page("/executions")).await;

    browser.write("[name=q]", &format!("{id}\u{e007}")).await;

    browser.until(&format!("return location.pathname === '/executions/{id}'")).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_that_were_chosen_are_kept() {
    let house = House::with(&[]).await;
    let browser = Browser::open().await;
    browser.go(&house.page("/")).await;
    let ground = "return getComputedStyle(document.body).backgroundColor";
    let light = browser.run(ground).await;

    browser.click("#theme").await;
    browser.click("#theme").await;

    let dark = browser.run(ground).await;
    assert_ne!(dark, light);
    browser.go(&house.page("/hosts")).await;
    assert_eq!(browser.run(ground).await, dark);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_thing_that_tab_reaches_leads_past_the_navigation() {
    let house = House::with(&[]).await;
    let browser = Browser::open().await;
    browser.go(&house.page("/hosts")).await;

    browser.press("\u{e004}").await;
    assert_eq!(browser.run("return document.activeElement.className").await, "skip");
    browser.press("\u{e007}").await;

    browser.until("return document.activeElement.id === 'main'").await;
    browser.close().await;
}
