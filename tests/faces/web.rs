//! The dashboard, as a browser asks for it.

use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use crate::front::{Front, nobody};

async fn open(front: &Front, path: &str) -> Response {
    let request = front.request(Method::GET, path).header("accept", "text/html,*/*;q=0.8");
    request.send().await.expect("an answer")
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("a text"))
}

#[tokio::test]
async fn every_answer_lets_a_browser_run_nothing_but_our_own_files() {
    let front = Front::open().await;
    let gone = format!("/executions/{}", nobody());
    let pages = [
        ("/", 200),
        ("/executions?state=failed", 200),
        ("/executions?state=odd", 400),
        ("/executions/no-id", 400),
        (gone.as_str(), 404),
        ("/modules", 200),
        ("/modules/nothing", 404),
        ("/dead-letters", 200),
        ("/schedules", 200),
        ("/queues?queue=default", 200),
        ("/hosts", 200),
        ("/keys", 200),
        ("/audit", 200),
        ("/assets/style.css", 200),
        ("/assets/nothing.css", 404),
    ];

    for (path, status) in pages {
        let answer = open(&front, path).await;

        assert_eq!(answer.status().as_u16(), status, "{path}");
        let policy = header(&answer, "content-security-policy");
        assert!(policy.contains("default-src 'none'; script-src 'self'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        let is_page = !path.starts_with("/assets/");
        let text = answer.text().await.expect("a body");
        let inline =
            text.contains(" style=") || text.contains(" onclick=") || text.contains("<style");
        assert!(!is_page || text.contains("<main") && !inline, "{path}");
    }
}

#[tokio::test]
async fn a_file_is_kept_for_good_where_its_version_is_named_and_asked_for_again_where_not() {
    let front = Front::open().await;
    let page = open(&front, "/").await.text().await.expect("a body");
    let (_, rest) = page.split_once("href=\"/assets/style.css").expect("a style sheet");
    let (version, _) = rest.split_once('"').expect("its end");

    let named = open(&front, &format!("/assets/style.css{version}")).await;
    let unnamed = open(&front, "/assets/style.css?v=older").await;
    let tag = header(&unnamed, "etag").to_owned();
    let again = front.request(Method::GET, "/assets/style.css").header("if-none-match", &tag);
    let again = again.send().await.expect("an answer");

    assert!(header(&named, "cache-control").contains("immutable"));
    assert_eq!(header(&unnamed, "cache-control"), "no-cache");
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn filters_offer_the_names_that_there_are_and_are_open_where_they_are_used() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;

    let page = open(&front, "/executions").await.text().await.expect("a body");
    let narrow = open(&front, "/executions?module=shop").await.text().await.expect("a body");

    let offered = |field: &str, name: &str| {
        format!(r#"<datalist id="known-{field}"><option value="{name}"></option></datalist>"#)
    };
    assert!(page.contains(&offered("workflow", "checkout")), "{page}");
    assert!(page.contains(&offered("module", "shop")), "{page}");
    assert!(!page.contains(r#"class="more" open"#) && narrow.contains(r#"class="more" open"#));
}

#[tokio::test]
async fn a_timeline_is_told_without_payloads() {
    let front = Front::open().await;
    front.module("shop", &[("checkout", json!(true))]).await;
    let id = front.start(json!({ "workflow": "checkout", "input": "a secret" })).await;

    let entries = front.read(&format!("/executions/{id}/entries")).await;

    assert_eq!(entries.json()["entries"][0]["kind"], "started");
    assert!(!entries.text.contains("a secret"), "{}", entries.text);
}
