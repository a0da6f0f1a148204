//! What a browser is shown of who may do what.

use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::json;
use stepwell::dispatch::KeyOrder;
use stepwell::model::Role;

use crate::front::Front;

/// A browser, which follows to nowhere.
struct Browser {
    client: reqwest::Client,
    address: String,
}

impl Browser {
    fn before(front: &Front) -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(Policy::none());
        Self { client: client.build().expect("a client"), address: front.address().to_owned() }
    }

    fn asks(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.address));
        request.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
    }

    async fn opens(&self, path: &str) -> Response {
        self.asks(Method::GET, path).send().await.expect("an answer")
    }

    /// Sends the form of the login from a page of that origin.
    fn sends(&self, origin: &str, key: &str, to: &str) -> RequestBuilder {
        let form = format!("key={key}&to={to}");
        let request = self.asks(Method::POST, "/login").header("origin", origin);
        request.header("content-type", "application/x-www-form-urlencoded").body(form)
    }
}

async fn key(front: &Front, role: Role) -> String {
    let order = KeyOrder { name: role.to_string(), roles: vec![role], workflows: Vec::new() };
    front.dispatch.create_key(order).await.expect("it is made").0.reveal().to_string()
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).map_or("", |value| value.to_str().expect("a text")).to_owned()
}

/// Holds an answer to be one that a browser draws from our own files alone, and keeps nothing of.
fn is_strict(response: &Response, what: &str) {
    let policy = header(response, "content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{what}: {policy}"
    );
    assert!(policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
    assert_eq!(header(response, "cache-control"), "no-store", "{what}");
    // With none at all, a browser would say of a form that it comes from nowhere.
    assert_eq!(header(response, "referrer-policy"), "same-origin", "{what}");
}

#[tokio::test]
async fn a_browser_that_nobody_knows_is_sent_to_the_login_from_every_page() {
    let front = Front::locked().await;
    let browser = Browser::before(&front);

    for (path, login) in [
        ("/", "/login"),
        ("/keys", "/login?to=/keys"),
        ("/audit?before=7", "/login?to=/audit%3Fbefore%3D7"),
        ("/executions", "/login?to=/executions"),
    ] {
        let answer = browser.opens(path).await;
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "location")),
            (303, login.to_owned())
        );
        let ended = browser.asks(Method::GET, path).header("cookie", "stepwell_session=sw_s1_2");
        let ended = ended.send().await.expect("an answer");
        assert_eq!(header(&ended, "location"), login, "a session that has ended");
        let cookie = header(&ended, "set-cookie");
        assert!(
            cookie.starts_with("stepwell_session=; ") && cookie.contains("Max-Age=0"),
            "{cookie}"
        );
        front.read(path).await.problem(401, "unauthorized");
    }
    let login = browser.opens("/login?to=/keys").await;
    is_strict(&login, "/login");
    assert!(login.text().await.expect("a page").contains(r#"name="to" value="/keys""#));
    let elsewhere = browser.opens("/login?to=//evil.example/").await;
    assert!(elsewhere.text().await.expect("a page").contains(r#"name="to" value="/""#));
}

#[tokio::test]
async fn what_a_key_may_not_see_is_a_page_for_a_browser_and_a_problem_for_a_program() {
    let front = Front::locked().await;
    let browser = Browser::before(&front);
    key(&front, Role::Admin).await;
    let reader = key(&front, Role::Read).await;

    for path in ["/keys", "/audit"] {
        let page = browser.asks(Method::GET, path).bearer_auth(&reader).send().await;
        let page = page.expect("an answer");
        assert_eq!(page.status(), StatusCode::FORBIDDEN);
        is_strict(&page, path);
        let text = page.text().await.expect("a page");
        assert!(text.contains("This needs a key with the role admin"), "{text}");
        assert!(
            text.contains(r#"action="/logout""#) && !text.contains(r#"href="/audit""#),
            "{text}"
        );
        let program = front.request(Method::GET, path).bearer_auth(&reader);
        front.send(program).await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn a_form_of_another_site_logs_nobody_in_or_out() {
    let front = Front::locked().await;
    let browser = Browser::before(&front);
    let admin = key(&front, Role::Admin).await;
    let port = front.address().rsplit(':').next().expect("a port").parse::<u16>().expect("one");
    let neighbour = format!("http://127.0.0.1:{}", port ^ 1);

    for request in [
        browser.sends("http://evil.example", &admin, "/"),
        browser.sends("null", &admin, "/"),
        browser.sends(&neighbour, &admin, "/"),
        browser.sends(front.address(), &admin, "/").header("sec-fetch-site", "same-site"),
        browser.asks(Method::POST, "/logout").header("origin", &neighbour),
        browser.asks(Method::POST, "/logout"),
    ] {
        let shown = format!("{request:?}");
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{shown}");
        assert!(answer.headers().get("set-cookie").is_none(), "{shown}");
        is_strict(&answer, &shown);
    }
}

#[tokio::test]
async fn a_login_that_was_refused_fills_no_log() {
    let front = Front::locked().await;
    let browser = Browser::before(&front);
    let admin = key(&front, Role::Admin).await;

    let refused = browser.sends(front.address(), "sw_1_2", "/").send().await.expect("an answer");

    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let log = front.send(front.request(Method::GET, "/v1/audit").bearer_auth(&admin)).await.json();
    assert_eq!(log["entries"], json!([]), "{log}");
}

#[tokio::test]
async fn a_cookie_is_for_encrypted_lines_where_the_browsers_is_one() {
    let front = Front::locked().await;
    let browser = Browser::before(&front);
    let admin = key(&front, Role::Admin).await;

    let plain = browser.sends(front.address(), &admin, "//evil.example").send().await;
    let plain = plain.expect("an answer");
    assert_eq!(header(&plain, "location"), "/");
    assert!(!header(&plain, "set-cookie").contains("Secure"));
    // The door trusts this machine to be a proxy.
    let behind = browser.sends(front.address(), &admin, "/").header("x-forwarded-proto", "https");
    let behind = behind.send().await.expect("an answer");
    assert!(header(&behind, "set-cookie").contains("; Secure"));
}

#[tokio::test]
async fn who_logs_in_anew_leaves_no_session_behind() {
    let front = Front::locked().await;
    let browser = Browser::before(&front);
    let admin = key(&front, Role::Admin).await;
    let opened = browser.sends(front.address(), &admin, "/").send().await.expect("an answer");
    let cookie = header(&opened, "set-cookie");
    let cookie = cookie.split(';').next().expect("a cookie");
    let sees = || browser.asks(Method::GET, "/keys").header("cookie", cookie).send();
    assert_eq!(sees().await.expect("an answer").status(), StatusCode::OK);

    let again = browser.sends(front.address(), &admin, "/").header("cookie", cookie);
    assert_eq!(again.send().await.expect("an answer").status(), StatusCode::SEE_OTHER);

    assert_eq!(sees().await.expect("an answer").status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn pages_about_access_tell_no_secret() {
    let front = Front::open().await;
    let browser = Browser::before(&front);
    let first = browser.opens("/keys").await.text().await.expect("a page");
    assert!(first.contains("There are no keys") && first.contains("Make the first key"));
    let order = json!({ "name": "<b>Ada</b>", "roles": ["admin"] }).to_string();
    let made = front.post("/v1/keys", order).await.json();
    let admin = made["key"].as_str().expect("the key");
    let secret = admin.rsplit('_').next().expect("its secret");

    for path in ["/keys", "/audit", "/hosts"] {
        let page = browser.asks(Method::GET, path).bearer_auth(admin).send().await;
        let text = page.expect("an answer").text().await.expect("a page");

        assert!(text.contains("&lt;b&gt;Ada&lt;/b&gt;") && !text.contains("<b>Ada"), "{path}");
        assert!(!text.contains(secret), "{path}");
    }
}
