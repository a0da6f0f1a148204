//! Requests: refused but where they were granted, and checked where they really go.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use serde_json::json;
use stepwell::model::{Limits, StepCall};
use stepwell::sandbox::Resolve;
use tokio_util::sync::CancellationToken;

use super::world::{Plan, own};
use crate::house;
use stepwell_test_servers::web::Web;

#[tokio::test]
async fn a_granted_request_goes_out_and_carries_its_trace() {
    let server = Web::start().await;
    let world = Plan::new(own(&["public.test"])).http(&["http://public.test:*"]).build().await;

    let url = format!("http://public.test:{}/path?a=b", server.port());
    let answer = world.fetch("GET", &url).await;

    assert_eq!(answer["status"], 200);
    let asked = answer["body"].as_str().unwrap().to_lowercase();
    assert!(asked.starts_with("get /path?a=b http/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: public.test:{}\r\n", server.port())), "{asked}");
    assert!(asked.contains("traceparent: 00-07070707070707070707070707070707-"), "{asked}");
}

#[tokio::test]
async fn an_ordinary_client_over_wasi_http_reaches_what_is_granted() {
    let server = Web::start().await;
    let world = Plan::new(own(&["public.test"])).http(&["http://public.test:*"]).build().await;
    let url = |host: &str| json!(format!("http://{host}:{}/path", server.port()));

    let told = world.value("fetch_by_wstd", url("public.test")).await;
    let refused = world.failure("fetch_by_wstd", url("other.test")).await;

    assert!(told.as_str().unwrap().starts_with("GET /path HTTP/1.1"), "{told}");
    assert!(refused.message.contains("http GET http://other.test"), "{refused}");
}

#[tokio::test]
async fn a_guest_may_set_a_trace_of_its_own() {
    let server = Web::start().await;
    let world = Plan::new(own(&["public.test"])).http(&["http://public.test:*"]).build().await;
    let own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    let answer = world
        .value(
            "fetch",
            json!({
                "method": "POST",
                "url": format!("http://public.test:{}/", server.port()),
                "headers": [["traceparent", own]],
                "body": "hello",
            }),
        )
        .await;

    let asked = answer["body"].as_str().unwrap();
    assert!(asked.contains(own) && asked.ends_with("hello"), "{asked}");
    assert_eq!(asked.matches("traceparent").count(), 1);
}

#[tokio::test]
async fn nothing_goes_where_it_was_not_granted() {
    let server = Web::start().await;
    let port = server.port();
    let wants = ["GET http://public.test:*", "http://wanted.test:*"];
    let world = Plan::new(own(&["public.test", "other.test", "wanted.test"]))
        .http(&wants)
        .granted(json!({ "http": [format!("GET http://public.test:{port}")] }))
        .build()
        .await;
    let url = |host: &str, port: u16| format!("http://{host}:{port}/");

    assert_eq!(world.fetch("GET", &url("public.test", port)).await["status"], 200);
    world.refused(&url("public.test", port + 1), "is not granted to module reaching").await;
    world.refused(&url("wanted.test", port), "stepwell grant reaching").await;
    world.refused(&url("other.test", port), "is not declared").await;
    world.refused(&url("PUBLIC.test.", port), "is not declared").await;
    world.refused(&format!("https://public.test:{port}/"), "is not declared").await;
    let post = json!({ "method": "POST", "url": url("public.test", port) });
    let failure = world.failure("fetch", post).await;
    assert!(failure.message.contains("http POST http://public.test"), "{failure}");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_policy_bounds_what_people_may_grant() {
    let server = Web::start().await;
    let policy = format!("{}allow = {{ http = [\"*.example.com\"] }}\n", own(&["public.test"]));
    let world = Plan::new(policy).http(&["http://public.test:*"]).build().await;

    world.refused(&format!("http://public.test:{}/", server.port()), "allow.http").await;

    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn no_granted_name_leads_into_the_hosts_own_network() {
    let server = Web::start().await;
    let port = server.port();
    let addresses = [
        "127.0.0.1",
        "::1",
        "169.254.169.254",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "0.0.0.0",
        "::",
        "fd00:ec2::254",
        "fc00::1",
        "fe80::1",
        "224.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::ffff:169.254.169.254",
        "255.255.255.255",
    ];
    let names: Vec<String> =
        (0..addresses.len()).map(|number| format!("name{number}.test")).collect();
    let resolve: Vec<String> = names
        .iter()
        .zip(addresses)
        .map(|(name, address)| format!("\"{name}\" = [\"1.1.1.1\", \"{address}\"]"))
        .collect();
    let policy = format!("http = {{ resolve = {{ {} }} }}", resolve.join(", "));
    let literals = addresses.map(|address| match address.contains(':') {
        true => format!("http://[{address}]:{port}"),
        false => format!("http://{address}:{port}"),
    });
    let mut wants = vec!["http://*.test:*", "http://localhost:*"];
    wants.extend(literals.iter().map(String::as_str));
    let world = Plan::new(policy).http(&wants).build().await;

    world.refused(&format!("http://localhost:{port}/"), "a loopback address").await;
    for name in &names {
        world.refused(&format!("http://{name}:{port}/"), "http.private").await;
    }
    for literal in &literals {
        world.refused(&format!("{literal}/"), "http.private").await;
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_policy_may_name_what_lies_in_the_own_network() {
    let server = Web::start().await;
    let port = server.port();
    let world = Plan::new(own(&["localhost", "127.0.0.1", "internal.test"]))
        .http(&["http://localhost:*", "http://127.0.0.1:*", "http://internal.test:*"])
        .build()
        .await;

    for host in ["localhost", "127.0.0.1", "internal.test"] {
        assert_eq!(world.fetch("GET", &format!("http://{host}:{port}/")).await["status"], 200);
    }
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn a_private_name_does_not_lead_to_what_tells_of_the_machine() {
    let policy = "http = { private = [\"http://internal.test\"], resolve = { \"internal.test\" = \"169.254.169.254\" } }";
    let world = Plan::new(policy).http(&["http://internal.test"]).build().await;

    world.refused("http://internal.test/latest/meta-data", "tells of the machine").await;
}

#[tokio::test]
async fn a_redirect_is_judged_like_any_request() {
    let server = Web::start().await;
    let port = server.port();
    let world = Plan::new(own(&["public.test", "internal.test"]))
        .http(&["http://public.test:*", "http://localhost:*", "http://169.254.169.254"])
        .build()
        .await;
    let redirect = |to: &str| format!("http://public.test:{port}/redirect?{to}");

    let answer = world.fetch("GET", &redirect("http://internal.test/")).await;
    assert_eq!((answer["status"].as_u64(), server.requests()), (Some(302), 1));

    for (to, says) in [
        (format!("http://internal.test:{port}/"), "is not declared"),
        (format!("http://localhost:{port}/"), "a loopback address"),
        ("http://169.254.169.254/".to_owned(), "tells of the machine"),
    ] {
        let ask = json!({ "method": "GET", "url": redirect(&to) });
        let failure = world.failure("fetch_following", ask).await;
        assert!(failure.kind == "not-granted" && failure.message.contains(says), "{failure}");
    }
    let ask =
        json!({ "method": "GET", "url": redirect(&format!("http://public.test:{port}/end")) });
    assert_eq!(world.value("fetch_following", ask).await["status"], 200);
    assert_eq!(server.requests(), 6);
}

/// Answers once this, once that.
#[derive(Debug)]
struct Turning(Mutex<VecDeque<IpAddr>>);

impl Resolve for Turning {
    fn resolve(&self, _host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let next = self.0.lock().unwrap().pop_front();
        Box::pin(async move {
            next.map(|next| vec![next]).ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }
}

/// Who owns a name may answer with a public address when it is judged, and with a private one right after. The connection goes
/// to the judged address, so there is no second look-up to answer, and the next request is judged by its own.
#[tokio::test]
async fn a_name_that_turns_private_on_the_second_look_up_gains_nothing() {
    let server = Web::start().await;
    let mut limits = house::limits();
    limits.egress.connect_timeout = std::time::Duration::from_millis(300);
    let turning = ["1.1.1.1", "127.0.0.1", "127.0.0.1"].map(|text| text.parse().unwrap());
    let resolver = Arc::new(Turning(Mutex::new(turning.into())));
    let plan = Plan::new("").http(&["http://rebind.test:*"]);
    let left = Arc::clone(&resolver);
    let world = Plan { limits, resolver, ..plan }.build().await;
    let url = format!("http://rebind.test:{}/", server.port());

    let first = world.failure("fetch", json!({ "method": "GET", "url": url })).await;
    let looked_up = 3 - left.0.lock().unwrap().len();
    world.refused(&url, "leads to 127.0.0.1, a loopback address").await;

    assert_eq!((first.kind.as_str(), looked_up), ("http-failed", 1), "{first}");
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn tls_is_spoken_to_whoever_shows_a_trusted_certificate() {
    let server = Web::start_tls().await;
    let url = format!("https://tls.test:{}/", server.port());
    let other = format!("https://other.test:{}/", server.port());
    let plan = || Plan::new(own(&["tls.test", "other.test"])).http(&["*.test:*"]);
    let trusting = Plan { authority: server.authority.clone(), ..plan() }.build().await;
    let wary = plan().build().await;

    assert_eq!(trusting.fetch("GET", &url).await["status"], 200);
    for (world, url) in [(&wary, &url), (&trusting, &other)] {
        let failure = world.failure("fetch", json!({ "method": "GET", "url": url })).await;
        assert!(failure.message.contains("TlsCertificateError"), "{failure}");
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_name_may_have_an_address_of_the_sixth_version() {
    let server = Web::start_at("[::1]:0").await;
    let policy = "http = { private = [\"http://six.test:*\", \"http://[::1]:*\"], resolve = { \"six.test\" = \"::1\" } }";
    let world = Plan::new(policy).http(&["http://six.test:*", "http://[::1]:*"]).build().await;

    for host in ["six.test", "[::1]"] {
        let answer = world.fetch("GET", &format!("http://{host}:{}/", server.port())).await;
        assert_eq!(answer["status"], 200);
    }
}

#[tokio::test]
async fn what_hides_where_it_goes_is_refused() {
    let server = Web::start().await;
    let port = server.port();
    let world = Plan::new(own(&["public.test"])).http(&["http://public.test:*"]).build().await;

    for url in [
        format!("http://public.test:{port}@internal.test/"),
        format!("http://user:pass@public.test:{port}/"),
        format!("http://public.test:{port}:80/"),
        "http://public.test:0/".to_owned(),
    ] {
        let failure = world.failure("fetch", json!({ "method": "GET", "url": url })).await;
        assert!(
            ["invalid-request", "not-granted"].contains(&failure.kind.as_str()),
            "{url}: {failure}"
        );
    }
    for header in ["host", "transfer-encoding", "connection"] {
        let ask = json!({
            "method": "GET",
            "url": format!("http://public.test:{port}/"),
            "headers": [[header, "internal.test"]],
        });
        assert_eq!(world.failure("fetch", ask).await.kind, "invalid-request", "{header}");
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn an_attempt_that_is_stopped_drops_its_connection() {
    let server = Web::start().await;
    let world = Plan::new(own(&["public.test"])).http(&["http://public.test:*"]).build().await;
    let url = format!("http://public.test:{}/silence", server.port());
    let ask = json!({ "method": "GET", "url": url }).to_string();
    let stop = CancellationToken::new();

    let attempt = world.run_call(house::call("fetch", &ask), stop.clone());
    let (report, ()) = tokio::join!(attempt, async {
        server.until_open(1).await;
        stop.cancel();
    });
    server.until_open(0).await;

    assert_eq!(report.ending, stepwell::model::Ending::Stopped);
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn an_attempt_that_is_late_drops_its_connection() {
    let server = Web::start().await;
    let world = Plan::new(own(&["public.test"])).http(&["http://public.test:*"]).build().await;
    let url = format!("http://public.test:{}/silence", server.port());
    let ask = json!({ "method": "GET", "url": url }).to_string();
    let call =
        StepCall { timeout: std::time::Duration::from_millis(200), ..house::call("fetch", &ask) };

    let report = world.run_call(call, CancellationToken::new()).await;
    server.until_open(0).await;

    assert_eq!(report.ending.failure().unwrap().kind, "deadline-exceeded");
}

#[tokio::test]
async fn a_module_that_declares_nothing_reaches_nothing() {
    let limits = Limits { ..house::limits() };
    let plan = Plan::new("");
    let world = Plan { limits, ..plan }.build().await;

    world.refused("http://localhost:1/", "is not declared").await;
}
