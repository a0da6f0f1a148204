//! Keys, sessions and the audit log through the door.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use stepwell::app::App;
use stepwell::config::{AccessConfig, Config};

use crate::front::{Answer, Front};
use crate::house;

pub(crate) async fn made(front: &Front, body: Value, by: Option<&str>) -> Answer {
    let request = front.request(Method::POST, "/v1/keys").body(body.to_string());
    front.send(signed(request, by)).await
}

pub(crate) fn signed(request: RequestBuilder, key: Option<&str>) -> RequestBuilder {
    match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    }
}

/// An admin's key, made through a door that is open still.
pub(crate) async fn first_key(front: &Front) -> String {
    let answer = made(front, json!({ "name": "first", "roles": ["admin"] }), None).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.json()["key"].as_str().expect("the key").to_owned()
}

pub(crate) async fn read(front: &Front, path: &str, key: Option<&str>) -> Answer {
    front.send(signed(front.request(Method::GET, path), key)).await
}

#[tokio::test]
async fn the_first_key_closes_the_door() {
    let front = Front::open().await;
    assert_eq!(read(&front, "/v1/executions", None).await.status, 200);
    let refused = made(&front, json!({ "name": "r", "roles": ["read"] }), None).await;
    assert!(refused.problem(422, "invalid-request").contains("admin for the first key"));

    let key = first_key(&front).await;

    read(&front, "/v1/executions", None).await.problem(401, "unauthorized");
    assert_eq!(read(&front, "/v1/executions", Some(&key)).await.status, 200);
    let second = made(&front, json!({ "name": "r", "roles": ["read"] }), Some(&key)).await;
    assert_eq!(second.status, StatusCode::CREATED, "{second:?}");
}

#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_a_hash() {
    let front = Front::open().await;
    let key = first_key(&front).await;

    let listed = read(&front, "/v1/keys", Some(&key)).await;
    let rows = front.store.keys(10).await.expect("the keys");

    let secret = key.rsplit('_').next().expect("its secret");
    assert_eq!((key.len(), secret.len()), (84, 64));
    assert!(!listed.text.contains(secret) && listed.text.contains(&key[..19]), "{}", listed.text);
    assert_eq!(rows[0].hash.len(), 32);
    assert!(!format!("{rows:?}").contains(secret));
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_and_neither_does_the_last() {
    let front = Front::open().await;
    let key = first_key(&front).await;
    let delete = |id: &str| {
        let request = front.request(Method::DELETE, &format!("/v1/keys/{id}"));
        front.send(signed(request, Some(&key)))
    };

    delete("0123456789abcdef").await.problem(404, "unknown-key");
    delete("no-key").await.problem(400, "malformed-request");
    assert_eq!(delete(&key[3..19]).await.status, StatusCode::NO_CONTENT);

    read(&front, "/v1/executions", Some(&key)).await.problem(401, "unauthorized");
    read(&front, "/v1/executions", None).await.problem(401, "unauthorized");
}

#[tokio::test]
async fn orders_for_keys_that_make_no_sense_are_refused() {
    let front = Front::open().await;
    let key = first_key(&front).await;
    for (order, said) in [
        (json!({ "roles": ["read"] }), "name"),
        (json!({ "name": "a\nb", "roles": ["read"] }), "name"),
        (json!({ "name": "n".repeat(129), "roles": ["read"] }), "128 bytes"),
        (json!({ "name": "n" }), "one or more of"),
        (json!({ "name": "n", "roles": ["read", "start"], "workflows": ["w"] }), "start alone"),
        (json!({ "name": "n", "roles": ["start"], "workflows": vec!["w"; 101] }), "100 at most"),
        (json!({ "name": "n", "roles": ["root"] }), "unknown variant `root`"),
        (json!({ "name": "n", "roles": ["read"], "secret": "mine" }), "unknown field `secret`"),
    ] {
        let answer = made(&front, order.clone(), Some(&key)).await;
        assert!(matches!(answer.status.as_u16(), 400 | 422), "{order}: {answer:?}");
        assert!(answer.text.contains(said), "{order}: {}", answer.text);
    }
}

#[tokio::test]
async fn who_shows_wrong_keys_has_to_wait_and_the_others_have_not() {
    let front = Front::open().await;
    let key = first_key(&front).await;
    assert_eq!(read(&front, "/v1/stats", Some(&key)).await.status, 200);
    let first = format!("sw_{}_{}", "0".repeat(16), "a".repeat(64));
    let wrong = format!("sw_{}_{}", "0".repeat(16), "b".repeat(64));

    for number in 0..9 {
        let other = format!("sw_{}_{}", "0".repeat(16), number.to_string().repeat(64));
        read(&front, "/v1/stats", Some(&other)).await.problem(401, "unauthorized");
    }
    for _ in 0..10 {
        read(&front, "/v1/stats", Some(&first)).await.problem(401, "unauthorized");
    }
    let request = signed(front.request(Method::GET, "/v1/stats"), Some(&wrong));
    let response = request.send().await.expect("an answer");

    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=6).contains(&wait), "{wait}");
    // A key that the host knows is not held up by who shares its address, also when it must be read again.
    assert_eq!(read(&front, "/v1/stats", Some(&key)).await.status, 200);
    tokio::time::sleep(Duration::from_secs(6)).await;
    read(&front, "/v1/stats", Some(&wrong)).await;
    let another = format!("sw_{}_{}", "0".repeat(16), "c".repeat(64));
    assert_eq!(read(&front, "/v1/stats", Some(&another)).await.status, 429);
    // That it is wrong is known still.
    read(&front, "/v1/stats", Some(&first)).await.problem(401, "unauthorized");
    assert_eq!(read(&front, "/v1/stats", Some(&key)).await.status, 200);
}

/// A browser's request for a form of the page at `origin`.
fn form(front: &Front, path: &str, origin: &str, body: &str) -> RequestBuilder {
    let request = front.request(Method::POST, path).header("origin", origin);
    request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned())
}

async fn logged_in(front: &Front, key: &str) -> String {
    let client = reqwest::Client::builder().no_proxy();
    let client = client.redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let request = form(front, "/login", front.address(), &format!("key={key}&to=/queues"));
    let request = request.build().expect("a request");
    let answer = client.execute(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()["location"], "/queues");
    let cookie = answer.headers()["set-cookie"].to_str().expect("a text").to_owned();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    cookie.split(';').next().expect("the cookie").to_owned()
}

#[tokio::test]
async fn a_session_does_what_its_key_may_from_pages_of_this_host_alone() {
    let front = Front::open().await;
    let admin = first_key(&front).await;
    let cookie = logged_in(&front, &admin).await;
    let ask = |method, path: &str| front.request(method, path).header("cookie", &cookie);
    assert_eq!(front.send(ask(Method::GET, "/v1/executions")).await.status, 200);

    let pause = || ask(Method::POST, "/v1/queues/q/pause");
    let dashboard = ("x-stepwell-dashboard", "1");
    for request in [
        pause(),
        pause().header("origin", front.address()),
        pause().header(dashboard.0, dashboard.1),
        pause().header(dashboard.0, dashboard.1).header("origin", "http://evil.example"),
        pause().header(dashboard.0, dashboard.1).header("sec-fetch-site", "same-site"),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(front.send(request).await.status, StatusCode::FORBIDDEN, "{shown}");
    }
    let ours = pause().header(dashboard.0, dashboard.1).header("origin", front.address());
    assert_eq!(front.send(ours).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_session_ends_by_logging_out_and_with_its_key() {
    let front = Front::open().await;
    let admin = first_key(&front).await;
    let (one, other) = (logged_in(&front, &admin).await, logged_in(&front, &admin).await);
    let reads = async |cookie: &str| {
        let request = front.request(Method::GET, "/v1/executions").header("cookie", cookie);
        front.send(request).await.status.as_u16()
    };

    let elsewhere = form(&front, "/logout", "http://evil.example", "").header("cookie", &one);
    front.send(elsewhere).await.problem(403, "forbidden");
    assert_eq!(reads(&one).await, 200);
    front.send(form(&front, "/logout", front.address(), "").header("cookie", &one)).await;
    assert_eq!((reads(&one).await, reads(&other).await), (401, 200));
    let revoke = front.request(Method::DELETE, &format!("/v1/keys/{}", &admin[3..19]));
    front.send(signed(revoke, Some(&admin))).await;

    assert_eq!(reads(&other).await, 401);
}

#[tokio::test]
async fn nobody_logs_in_with_a_wrong_key_or_from_elsewhere() {
    let front = Front::open().await;
    let admin = first_key(&front).await;

    let wrong = front.send(form(&front, "/login", front.address(), "key=sw_1_2")).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.text.contains("role=\"alert\"") && !wrong.text.contains("sw_1_2"));
    let body = format!("key={admin}");
    let elsewhere = front.send(form(&front, "/login", "http://evil.example", &body)).await;
    elsewhere.problem(403, "forbidden");
}

#[tokio::test]
async fn a_host_without_keys_answers_to_no_name_that_another_may_own() {
    let front = Front::open().await;
    let named = |name: &str| front.request(Method::GET, "/v1/executions").header("host", name);

    front.send(named("rebound.example:7878")).await.problem(421, "misdirected");
    assert_eq!(front.send(named("localhost:7878")).await.status, 200);
    let from_page = front.request(Method::POST, "/v1/queues/q/pause");
    let from_page = from_page.header("origin", "http://evil.example");
    front.send(from_page).await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_stream_ends_when_its_key_is_revoked() {
    let front = Front::open().await;
    let admin = first_key(&front).await;
    let order = json!({ "name": "reader", "roles": ["read"] });
    let reader = made(&front, order, Some(&admin)).await.json();
    let reader = reader["key"].as_str().expect("the key");
    let request = signed(front.request(Method::GET, "/v1/events"), Some(reader));
    let mut stream = request.send().await.expect("an answer");
    assert_eq!(stream.status(), StatusCode::OK);

    let revoke = front.request(Method::DELETE, &format!("/v1/keys/{}", &reader[3..19]));
    assert_eq!(front.send(signed(revoke, Some(&admin))).await.status, StatusCode::NO_CONTENT);

    let ended = async { while stream.chunk().await.expect("it ends in order").is_some() {} };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it ends");
}

#[tokio::test]
async fn a_stream_that_needed_no_key_ends_when_there_is_one() {
    let front = Front::open().await;
    let request = front.request(Method::GET, "/v1/events");
    let mut stream = request.send().await.expect("an answer");
    assert_eq!(stream.status(), StatusCode::OK);

    first_key(&front).await;

    let ended = async { while stream.chunk().await.expect("it ends in order").is_some() {} };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it ends");
}

#[tokio::test]
async fn a_host_is_not_opened_to_others_without_a_key() {
    let data = tempfile::tempdir().unwrap();
    let everywhere = ([0, 0, 0, 0], 0).into();
    let start = async |access: AccessConfig| {
        let config = Config { listen: everywhere, access, ..Config::at(data.path()) };
        house::start_with(config).await
    };

    let refused = start(AccessConfig::default()).await.unwrap_err().to_string();
    assert!(
        refused.contains("STEPWELL_ADMIN_KEY") && refused.contains("--insecure-no-auth"),
        "{refused}"
    );
    let weak = AccessConfig { admin_key: Some("short".parse()), ..AccessConfig::default() };
    let refused = start(weak).await.unwrap_err().to_string();
    assert!(refused.contains("32 or more"), "{refused}");
    let secret = "0123456789abcdef0123456789abcdef";
    let strong = AccessConfig { admin_key: Some(secret.parse()), ..AccessConfig::default() };
    let app = start(strong).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{}/v1/keys", app.address().port());
    assert_eq!(client.get(&url).send().await.unwrap().status(), 401);
    let order = r#"{"name":"n","roles":["admin"]}"#;
    let made = client.post(&url).bearer_auth(secret).body(order).send().await.unwrap();
    assert_eq!(made.status(), 201);
    app.kill().await;

    // From now on there is one.
    let app = start(AccessConfig::default()).await.unwrap();
    app.kill().await;
}

#[tokio::test]
async fn a_host_is_opened_to_others_without_a_key_where_somebody_insists() {
    let data = tempfile::tempdir().unwrap();
    let access = AccessConfig { insecure_no_auth: true, ..AccessConfig::default() };
    let listen = ([0, 0, 0, 0], 0).into();
    let config = Config { listen, access, ..Config::at(data.path()) };

    let app = house::start_with(config).await.unwrap();

    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{}/v1/keys", app.address().port());
    let named = client.get(&url).header("host", "any.example").send().await.unwrap();
    assert_eq!(named.status(), 200);
    app.kill().await;
}

#[tokio::test]
async fn a_session_of_an_admins_key_ends_with_that_key() {
    let data = tempfile::tempdir().unwrap();
    let start = async |secret: &str| {
        let access = AccessConfig { admin_key: Some(secret.parse()), ..AccessConfig::default() };
        house::start_with(Config { access, ..Config::at(data.path()) }).await.unwrap()
    };
    let client = reqwest::Client::builder().no_proxy();
    let client = client.redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let (old, new) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
    let app = start(old).await;
    let host = format!("http://{}", app.address());
    let login = client.post(format!("{host}/login")).header("origin", &host);
    let opened = login.body(format!("key={old}")).send().await.unwrap();
    let cookie = opened.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let reads = async |app: &App| {
        let url = format!("http://{}/v1/executions", app.address());
        client.get(url).header("cookie", &cookie).send().await.unwrap().status().as_u16()
    };
    assert_eq!(reads(&app).await, 200);
    app.kill().await;

    let app = start(new).await;
    assert_eq!(reads(&app).await, 401);
    app.kill().await;
    let app = start(old).await;
    assert_eq!(reads(&app).await, 200);
    app.kill().await;
}
