//! Redis as its own client sees it.

use std::path::Path;
use std::process::Command;

use stepwell_test_servers::redis::Redis;

/// What `redis-cli` prints, or its complaint.
pub(crate) fn ask(url: &str, trust: Option<&Path>, command: &[&str]) -> Result<String, String> {
    let mut client = Command::new("redis-cli");
    client.args(["-u", url]);
    if let Some(certificate) = trust {
        client.arg("--cacert").arg(certificate);
    }
    let output = client.args(command).output().unwrap();
    let (said, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        Ok(said.trim().to_owned())
    } else {
        Err(format!("{said} {complaint}"))
    }
}

#[tokio::test]
async fn a_killed_redis_comes_back_empty_at_the_same_place() {
    let redis = Redis::private().await;
    let url = redis.url();
    assert_eq!(ask(&url, None, &["set", "key", "value"]).unwrap(), "OK");

    redis.kill().await;

    let refused = ask(&url, None, &["ping"]).unwrap_err();
    assert!(refused.contains("Connection refused"), "{refused}");
    redis.start().await;
    assert_eq!(ask(&url, None, &["ping"]).unwrap(), "PONG");
    assert_eq!(ask(&url, None, &["exists", "key"]).unwrap(), "0");
}

#[tokio::test]
async fn a_password_is_asked_for_and_stands_in_the_url() {
    let redis = Redis::with_password("open-sesame").await;

    let stranger = ask(&format!("redis://127.0.0.1:{}", redis.port()), None, &["ping"]);
    let friend = ask(&redis.url(), None, &["ping"]);

    let refused = stranger.unwrap_or_else(|complaint| complaint);
    assert!(refused.contains("NOAUTH"), "{refused}");
    assert_eq!(friend.unwrap(), "PONG");
}

#[tokio::test]
async fn over_tls_only_those_who_trust_its_certificate_are_served() {
    let redis = Redis::with_tls().await;

    let plain = ask(&format!("redis://127.0.0.1:{}", redis.port()), None, &["ping"]);
    let wary = ask(&redis.url(), None, &["ping"]);
    let trusting = ask(&redis.url(), Some(&redis.certificate()), &["ping"]);

    assert!(plain.is_err());
    assert!(wary.unwrap_err().contains("certificate"));
    assert_eq!(trusting.unwrap(), "PONG");
}
