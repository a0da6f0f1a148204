use stepwell_testing::{Failure, json};

use crate::host;

#[test]
fn pages_come_in_the_order_of_their_addresses() {
    host("parallel_scraper").for_each_seed(0..10, |host| {
        host.replace("fetch", |url| {
            let words = url.as_str().unwrap().len();
            Ok(json!({ "url": url, "bytes": 7 * words, "words": words }))
        });

        let urls = json!(["http://a.test/1", "http://b.test/22", "http://c.test/333"]);
        let found = host.run("scrape", json!({ "urls": urls, "at_once": 2 })).value();

        let pages: Vec<_> =
            found["pages"].as_array().unwrap().iter().map(|page| page["url"].clone()).collect();
        assert_eq!(json!(pages), urls);
        assert_eq!(found["words"], 15 + 16 + 17);
    });
}

#[test]
fn a_page_that_cannot_be_had_stops_no_other() {
    let mut host = host("parallel_scraper");
    host.replace("fetch", |url| match url.as_str().unwrap() {
        "http://a.test/gone" => Err(Failure::new("http-status", "404 Not Found")),
        _ => Ok(json!({ "url": url, "bytes": 10, "words": 2 })),
    });

    let urls = json!(["http://a.test/gone", "http://a.test/there"]);
    let found = host.run("scrape", json!({ "urls": urls })).value();

    assert_eq!(found["missing"][0]["why"], "http-status: 404 Not Found");
    assert_eq!(found["pages"][0]["url"], "http://a.test/there");
    assert_eq!(host.attempts("fetch").len(), 4 + 1);
}

#[test]
fn what_is_not_granted_is_not_tried_again() {
    let mut host = host("parallel_scraper");

    let found = host.run("scrape", json!({ "urls": ["http://a.test/"] })).value();

    let why = found["missing"][0]["why"].as_str().unwrap();
    assert!(why.starts_with("not-granted"), "{why}");
    assert_eq!(host.attempts("fetch").len(), 1);
}
