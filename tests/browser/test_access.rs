//! Who is let in, and what is shown to whom.

use serde_json::{Value, json};
use stepwell_test_witness::api::Api;

use crate::browser::{Browser, Colours, Width};
use crate::house::{ADMIN_KEY, House};
use crate::test_pages::look_at;

/// Logs in on the page that is shown.
async fn log_in(browser: &Browser, key: &str) {
    browser.write("#key", key).await;
    browser.click("form.login button").await;
}

/// Opens a page, is sent to the login, and comes back from there.
async fn enter(browser: &Browser, house: &House, key: &str, path: &str) {
    browser.go(&house.page(path)).await;
    browser.until("return location.pathname === '/login'").await;
    log_in(browser, key).await;
    browser.until(&format!("return location.pathname === {}", json!(path))).await;
}

async fn make_key(api: &Api, name: &str, roles: &[&str]) -> Value {
    let made = api.post("/v1/keys", &json!({ "name": name, "roles": roles })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.body
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_key_logs_in_goes_where_he_wanted_and_logs_out() {
    let house = House::guarded(&[]).await;
    let browser = Browser::open().await;
    browser.go(&house.page("/executions?state=failed")).await;
    browser.until("return location.pathname === '/login'").await;
    browser.complained_of_nothing().await;

    log_in(&browser, "sw_0000000000000000_wrong").await;
    browser.reads("This key is not known, or was revoked.").await;
    browser.until("return document.querySelector('[role=alert]') !== null").await;
    browser.is_for_everybody("a wrong key").await;
    browser.picture("login-refused-wide-light").await;
    log_in(&browser, ADMIN_KEY).await;
    browser
        .until("return location.pathname + location.search === '/executions?state=failed'")
        .await;

    browser.reads("STEPWELL_ADMIN_KEY").await;
    assert_eq!(browser.run("return document.cookie").await, "", "no script reads the session");
    browser.click(".who button").await;
    browser.until("return location.pathname === '/login'").await;
    // What was shown before is not shown again.
    browser.back().await;
    let is_hidden = "return document.documentElement.hidden || location.pathname === '/login'";
    assert_eq!(browser.run(is_hidden).await, true);
    browser.until("return location.search.startsWith('?to=/executions')").await;
    browser.complained_of_nothing_but(&[401]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_shown_once_used_and_revoked_and_the_audit_log_has_it() {
    let house = House::guarded(&["misbehaving"]).await;
    let browser = Browser::open().await;
    enter(&browser, &house, ADMIN_KEY, "/keys").await;

    browser.click("#new-key").await;
    browser.write("#make-key [name=name]", "the shop").await;
    browser.click("#make-key .primary").await;
    browser.reads("Choose what it may do").await;
    browser.click("#make-key [value=start]").await;
    browser.write("#make-key textarea", "noop\n").await;
    browser.picture("key-form-wide-light").await;
    browser.click("#make-key .primary").await;
    browser.reads("it is not shown again").await;
    let key = browser.run("return document.getElementById('made-key-text').textContent").await;
    let key = key.as_str().unwrap().to_owned();
    browser.is_for_everybody("a key that was made").await;
    browser.click("#made-key-copy").await;
    browser.until("return document.getElementById('made-key-copy').textContent !== 'Copy'").await;
    browser.picture("key-made-wide-light").await;
    browser.click("#made-key [data-closes]").await;

    browser.reads("only noop").await;
    assert!(
        !browser.run("return document.documentElement.outerHTML").await.to_string().contains(&key)
    );
    let shop = house.api.showing(&key);
    shop.run("noop", json!(1)).await;
    let other = json!({ "workflow": "sleeper", "input": "1s" });
    assert_eq!(shop.post("/v1/executions", &other).await.status, 403);
    let id = key.split('_').nth(1).unwrap();
    browser.order(&format!("DELETE /v1/keys/{id}")).await;
    browser.agree().await;
    browser.reads("Revoked").await;
    assert_eq!(shop.get("/v1/keys").await.status, 401);

    browser.click("[data-go=a]").await;
    for action in ["key.create", "key.revoke", "execution.start", "module.deploy", "login"] {
        browser.reads(action).await;
    }
    browser.reads("refused 403").await;
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_key_is_an_admins_and_closes_the_door() {
    let house = House::with(&[]).await;
    let browser = Browser::open().await;
    browser.go(&house.page("/")).await;
    browser.click(".who a").await;
    browser.reads("There are no keys").await;
    browser.picture("keys-none-wide-light").await;

    browser.click("#new-key").await;
    browser.write("#make-key [name=name]", "Ada").await;
    browser.click("#make-key .primary").await;
    browser.reads("From now on everybody must show a key").await;
    // The page is read anew, by nobody who is known; what is shown once stays.
    browser.run("document.dispatchEvent(new Event('visibilitychange')); return true").await;
    browser.until("return document.getElementById('live').dataset.state === 'out'").await;
    let key = browser.run("return document.getElementById('made-key-text').textContent").await;
    browser.click("#made-key [data-closes]").await;
    browser.until("return location.pathname === '/login'").await;
    assert_eq!(house.api.get("/v1/executions").await.status, 401);
    log_in(&browser, key.as_str().unwrap()).await;

    browser.reads("yours").await;
    assert!(browser.address().await.ends_with("/keys"));
    browser.complained_of_nothing_but(&[401]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_read_is_told_so_and_led_to_nothing_that_is_closed() {
    let house = House::guarded(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let reader = make_key(&house.api, "Grace", &["read"]).await["key"].as_str().unwrap().to_owned();
    house.api.post("/v1/queues/night/pause", &json!({})).await;
    enter(&browser, &house, &reader, "/queues").await;

    browser.reads("Grace").await;
    assert_eq!(
        browser.run("return document.querySelectorAll('[data-go=k], [data-go=a]').length").await,
        0
    );
    browser.order("POST /v1/queues/night/resume").await;
    browser.reads("this needs a key with the role operate or admin").await;
    browser.complained_of_nothing_but(&[403]).await;
    for path in ["/keys", "/audit"] {
        browser.go(&house.page(path)).await;
        browser.reads("This needs a key with the role admin").await;
        browser.reads("Log out").await;
    }
    for (width, colours, name) in [
        (Width::Wide, Colours::Light, "forbidden-wide-light"),
        (Width::Narrow, Colours::Dark, "forbidden-narrow-dark"),
    ] {
        browser.draw(width, colours).await;
        browser.is_for_everybody(name).await;
        browser.fits(name).await;
        browser.picture(name).await;
    }
    browser.complained_of_nothing_but(&[403]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_session_has_ended_leads_to_the_login_and_back() {
    let house = House::guarded(&[]).await;
    let browser = Browser::open().await;
    let made = make_key(&house.api, "Grace", &["read"]).await;
    enter(&browser, &house, made["key"].as_str().unwrap(), "/hosts").await;
    browser.until("return document.getElementById('live').dataset.state === 'on'").await;

    house.api.delete(&format!("/v1/keys/{}", made["id"].as_str().unwrap())).await;
    browser.until("return location.pathname === '/login'").await;

    log_in(&browser, ADMIN_KEY).await;
    browser.until("return location.pathname === '/hosts'").await;
    browser.complained_of_nothing_but(&[401]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_who_is_logged_out_leads_to_the_login() {
    let house = House::guarded(&["misbehaving"]).await;
    let browser = Browser::open().await;
    let made = make_key(&house.api, "Alan", &["operate"]).await;
    house.api.post("/v1/queues/night/pause", &json!({})).await;
    enter(&browser, &house, made["key"].as_str().unwrap(), "/queues").await;
    browser.until("return document.getElementById('live').dataset.state === 'on'").await;
    house.api.delete(&format!("/v1/keys/{}", made["id"].as_str().unwrap())).await;

    browser.order("POST /v1/queues/night/resume").await;

    browser.until("return location.pathname + location.search === '/login?to=%2Fqueues'").await;
    browser.complained_of_nothing_but(&[401]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_on_another_sites_page_opens_a_page_for_who_is_logged_in() {
    let house = House::guarded(&[]).await;
    let browser = Browser::open().await;
    enter(&browser, &house, ADMIN_KEY, "/hosts").await;
    let other_name = house.page("/schedules").replace("127.0.0.1", "localhost");
    browser.go(&other_name).await;
    browser.until("return location.pathname === '/login'").await;

    let here = house.page("/queues");
    browser.run(&format!("location.href = {}; return true", json!(here))).await;

    browser.until(&format!("return location.href === {}", json!(here))).await;
    browser.complained_of_nothing().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_about_access_can_be_read_by_everybody_and_complain_of_nothing() {
    let house = House::guarded(&["misbehaving"]).await;
    let browser = Browser::open().await;
    look_at(&browser, &house, &[("login", "/login?to=/keys".to_owned())]).await;
    let api = &house.api;
    for (name, roles) in [
        ("Ada Lovelace", &["admin"][..]),
        ("on call", &["operate", "deploy"]),
        ("Grafana", &["read"]),
    ] {
        make_key(api, name, roles).await;
    }
    let shop = json!({ "name": "the shop", "roles": ["start"], "workflows": ["noop", "retried"] });
    let shop = api.post("/v1/keys", &shop).await.body["key"].as_str().unwrap().to_owned();
    let old = make_key(api, "a laptop that was lost", &["admin"]).await;
    api.delete(&format!("/v1/keys/{}", old["id"].as_str().unwrap())).await;
    let shop = api.showing(&shop);
    let id = shop.run("noop", json!(1)).await;
    api.ended(&id).await;
    shop.post(&format!("/v1/executions/{id}/cancel"), &json!({})).await;
    let sleeper = api.run("sleeper", json!("3h")).await;
    api.cancel(&sleeper, json!({})).await;
    api.post("/v1/queues/night/pause", &json!({})).await;

    enter(&browser, &house, ADMIN_KEY, "/keys").await;
    let pages = [
        ("keys", "/keys".to_owned()),
        ("audit", "/audit".to_owned()),
        ("overview-logged-in", "/".to_owned()),
    ];
    look_at(&browser, &house, &pages).await;
    browser.close().await;
}
