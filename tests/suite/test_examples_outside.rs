//! The example programs that reach the world, each once on a real host: a server, folders and a secret of the test's own.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use stepwell_test_servers::web::Web;
use tempfile::TempDir;

use crate::guests;
use crate::test_host::{Settings, TestHost};

async fn host(module: &str, policy: String) -> TestHost {
    let host = TestHost::start_with(Settings { policy: Some(policy), ..Settings::default() }).await;
    host.deploy(module, guests::wasm(module)).await;
    host
}

/// This machine under the name `site.test`, and what is granted.
fn policy(grant: &str, rest: &str) -> String {
    format!(
        "grant = {{ {grant} }}\n{rest}\n\
         [http]\nprivate = [\"http://*.test:*\"]\nresolve = {{ \"site.test\" = \"127.0.0.1\" }}\n"
    )
}

#[tokio::test]
async fn parallel_scraper_fetches_pages_and_names_those_that_are_missing() {
    let server = Web::start().await;
    let mut host = host("parallel_scraper", policy("http = [\"GET http://*.test:*\"]", "")).await;
    let site = format!("http://site.test:{}", server.port());
    let mut urls: Vec<_> = (0..20).map(|page| format!("{site}/page/{page}")).collect();
    urls.push(format!("{site}/redirect?http://elsewhere.test/"));

    let id = host.run("scrape", json!({ "urls": urls, "at_once": 4 })).await;
    let found = host.ended(&id).await.value();

    assert_eq!(found["pages"].as_array().unwrap().len(), 20, "{found}");
    assert_eq!(found["pages"][7]["url"], urls[7]);
    let missing = found["missing"].as_array().unwrap();
    assert_eq!(missing.len(), 1, "{found}");
    assert_eq!(missing[0]["url"], urls[20]);
    // What is redirected says no, and is tried four times.
    assert_eq!(server.requests(), 20 + 4);
    assert_eq!(host.execution(&id).await["counters"]["pages"], 20);
    host.audit().await;
}

fn picture(folder: &Path, name: &str, (width, height): (usize, usize), pixel: u8) {
    let mut bytes = format!("P5\n{width} {height}\n255\n").into_bytes();
    bytes.extend(vec![pixel; width * height]);
    fs::write(folder.join(name), bytes).unwrap();
}

#[tokio::test]
async fn media_pipeline_shrinks_pictures_from_one_directory_into_another() {
    let folders = TempDir::new().unwrap();
    let (taken, made) = (folders.path().join("in"), folders.path().join("out"));
    fs::create_dir_all(&taken).unwrap();
    fs::create_dir_all(&made).unwrap();
    picture(&taken, "dark.pgm", (8, 6), 10);
    picture(&taken, "light.pgm", (64, 2), 200);
    fs::write(taken.join("broken.pgm"), "P5 9 9 255\nno pixels").unwrap();
    fs::write(taken.join("notes.txt"), "no picture").unwrap();
    let dirs = format!("dirs = {{ \"/in\" = {taken:?}, \"/out\" = {made:?} }}");
    let mut host = host("media_pipeline", policy("dir = [\"/in:ro\", \"/out:rw\"]", &dirs)).await;

    let id = host.run("shrink_all", Value::Null).await;
    let catalogue = host.ended(&id).await.value();

    let dark = json!({ "name": "dark.pgm", "width": 4, "height": 3, "brightness": 10 });
    assert_eq!(catalogue["pictures"][0], dark);
    assert_eq!(catalogue["refused"].as_array().unwrap().len(), 1);
    let mut names: Vec<_> =
        fs::read_dir(&made).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["catalogue.csv", "dark.pgm", "light.pgm"]);
    let small = fs::read(made.join("light.pgm")).unwrap();
    assert_eq!(small, [b"P5 32 1 255\n".as_slice(), &[200; 32]].concat());
    host.audit().await;
}

#[tokio::test]
async fn research_agent_never_sees_its_key() {
    const KEY: &str = "key-7Hh2-never-to-be-seen";
    let server = Web::start().await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, KEY).unwrap();
    let secrets = format!(
        "[secrets]\nSEARCH_KEY = {{ from_file = {file:?}, hosts = [\"http://*.test:*\"] }}\n"
    );
    let granted = "http = [\"POST http://*.test:*\"], secret = [\"SEARCH_KEY\"]";
    let mut host = host("research_agent", policy(granted, &secrets)).await;
    let service = format!("http://site.test:{}/v1", server.port());
    let question = json!({ "question": "Which rivers cross countries?", "service": service });

    let id = host.run("research", question).await;
    let report = host.ended(&id).await.value();

    assert_eq!(report["rounds"], 2, "{report}");
    assert_eq!(server.requests(), 4);
    // The server says what it was told: the key was there, and the host took it out of the answer.
    let told = report["notes"][0]["text"].as_str().unwrap();
    assert!(told.contains("POST /v1/search") && told.contains(&"*".repeat(KEY.len())), "{told}");
    let everything = format!("{report} {:?} {:?}", host.journal(&id).await, host.logs(&id).await);
    assert!(!everything.contains(KEY));
    host.audit().await;
}
