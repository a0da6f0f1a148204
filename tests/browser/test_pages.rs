//! Every page, as it looks full and as it looks empty: in both colours, wide and narrow.

use serde_json::{Value, json};

use crate::browser::{Browser, Colours, Width};
use crate::house::House;

const LOOKS: [(Width, Colours, &str); 4] = [
    (Width::Wide, Colours::Light, "wide"),
    (Width::Wide, Colours::Dark, "wide"),
    (Width::Narrow, Colours::Light, "narrow"),
    (Width::Narrow, Colours::Dark, "narrow"),
];

/// Looks at pages in both colours, wide and narrow, and takes a picture of each.
pub(crate) async fn look_at(browser: &Browser, house: &House, pages: &[(&str, String)]) {
    for (width, colours, wide) in LOOKS {
        browser.draw(width, colours).await;
        for (name, path) in pages {
            browser.go(&house.page(path)).await;
            if path.ends_with("?tab=timeline") {
                browser
                    .until(
                        "return document.getElementById('timeline').dataset.readIn !== undefined",
                    )
                    .await;
            }
            let what = format!("{name}-{wide}-{}", colours.word());
            browser.is_for_everybody(&what).await;
            browser.fits(&what).await;
            browser.picture(&what).await;
            browser.complained_of_nothing().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_host_that_has_nothing_say_what_to_do_next() {
    let house = House::with(&[]).await;
    let browser = Browser::open().await;
    let pages = ["", "executions", "schedules", "dead-letters", "modules", "queues"];
    let pages = pages.map(|page| {
        let name = if page.is_empty() { "overview" } else { page };
        (format!("empty-{name}"), format!("/{page}"))
    });
    let pages: Vec<_> = pages.iter().map(|(name, path)| (name.as_str(), path.clone())).collect();

    look_at(&browser, &house, &pages).await;

    browser.go(&house.page("/modules")).await;
    browser.reads("stepwell deploy").await;
    browser.close().await;
}

/// Something of everything: ended well and badly, waiting, in queues, scheduled.
async fn fill(house: &House) -> Value {
    let api = &house.api;
    for number in 0..12 {
        let fail_at = (number % 5 == 0).then_some("reserve");
        let order =
            json!({ "order": format!("A-{number}"), "amount": 100 * number, "fail_at": fail_at });
        api.run("checkout", order).await;
    }
    let approval = json!({ "subject": "a new bridge", "timeout": "48h" });
    let approval = api.run("approval", approval).await;
    let dead = api.run("retried", json!("hopeless")).await;
    let panics = json!({ "excess": "panic", "in_step": true });
    let panics = api.run("excess_in_workflow", panics).await;
    let parent = api.run("parent", json!(5)).await;
    let order =
        json!({ "workflow": "noop", "queue": "nobody-serves", "tags": ["gpu"], "priority": 5 });
    api.post("/v1/queues/nobody-serves/pause", &json!({})).await;
    api.start(order).await;
    let every = json!({ "every": "30s", "workflow": "noop" }).to_string();
    let nightly = json!({ "cron": "0 3 * * *", "time_zone": "Europe/Berlin", "workflow": "noop" })
        .to_string();
    api.send("PUT", "/v1/schedules/every-so-often", every).await.unwrap();
    api.send("PUT", "/v1/schedules/nightly", nightly).await.unwrap();
    api.post("/v1/schedules/nightly/pause", &json!({})).await;
    for id in [&dead, &panics, &parent] {
        api.ended(id).await;
    }
    api.until_state(&approval, "waiting").await;
    json!({ "approval": approval, "dead": dead, "panics": panics, "parent": parent })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everybody_and_complains_of_nothing() {
    let house = House::with(&["misbehaving", "checkout", "approval"]).await;
    let browser = Browser::open().await;
    let ids = fill(&house).await;
    let of =
        |name: &str, tab: &str| format!("/executions/{}?tab={tab}", ids[name].as_str().unwrap());
    let pages = [
        ("overview", "/".to_owned()),
        ("executions", "/executions".to_owned()),
        ("filtered", "/executions?state=failed&workflow=checkout".to_owned()),
        ("waiting", of("approval", "timeline")),
        ("failed", of("panics", "timeline")),
        ("parent", of("parent", "timeline")),
        ("journal", of("parent", "journal")),
        ("logs", of("approval", "logs")),
        ("tasks", of("approval", "tasks")),
        ("dead-letters", "/dead-letters".to_owned()),
        ("schedules", "/schedules".to_owned()),
        ("modules", "/modules".to_owned()),
        ("module", "/modules/checkout".to_owned()),
        ("module-that-wants", "/modules/misbehaving".to_owned()),
        ("queues", "/queues?queue=nobody-serves".to_owned()),
        ("hosts", "/hosts".to_owned()),
    ];

    look_at(&browser, &house, &pages).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_guests_and_people_have_written_is_text_and_nothing_else() {
    let house = House::with(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let attack =
        "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>";
    let id = house.api.run("noop", json!({ attack: attack })).await;
    house.api.ended(&id).await;
    let order = json!({ "workflow": "noop", "queue": attack, "tags": [attack], "delay": "1h" });
    house.api.start(order).await;

    for path in [format!("/executions/{id}"), "/executions".to_owned()] {
        browser.go(&house.page(&path)).await;
        browser.reads("onerror").await;

        assert_eq!(
            browser.run("return document.querySelectorAll('main img, main script').length").await,
            0
        );
        assert_ne!(browser.run("return document.title").await, "taken");
    }
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_page_that_leads_back() {
    let house = House::with(&[]).await;
    let browser = Browser::open().await;

    browser.go(&house.page("/executions/01a225e6-0000-7000-8000-000000000000")).await;
    browser.reads("Unknown execution").await;
    browser.picture("lost-wide-light").await;
    browser.is_for_everybody("lost").await;
    browser.click(".lost a[href='/executions']").await;

    browser.until("return location.pathname === '/executions'").await;
    browser.close().await;
}
