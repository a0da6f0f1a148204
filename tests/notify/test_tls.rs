//! Redis over TLS.

use std::process::Command;

use crate::host::{Host, execution, is_lost, within};
use stepwell_test_servers::redis::Redis;

/// Says to a process of this test where the Redis is whose certificate it trusts.
const TRUSTED: &str = "STEPWELL_TEST_TRUSTED_REDIS";

/// What a process trusts is in its environment, so a process of its own is the one that trusts.
#[tokio::test]
async fn over_tls_hints_go_to_a_redis_whose_certificate_is_trusted() {
    if let Some(url) = trusted() {
        return talk(&url).await;
    }
    let redis = Redis::with_tls().await;

    let wary = Host::begin(&redis.url());
    within(wary.watch_health().changed()).await.unwrap();
    let trusting = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "test_tls::over_tls_hints_go_to_a_redis_whose_certificate_is_trusted"])
        .env("SSL_CERT_FILE", redis.certificate())
        .env(TRUSTED, redis.url())
        .output()
        .unwrap();

    assert!(is_lost(stepwell::notify::Notifier::health(&*wary)));
    let said = String::from_utf8_lossy(&trusting.stdout);
    assert!(trusting.status.success() && said.contains("1 passed"), "{said}");
}

async fn talk(url: &str) {
    let (one, other) = (Host::join(url).await, Host::join(url).await);

    one.send(other.id, execution(1));

    assert_eq!(other.hear_arrivals().await, [execution(1)]);
}

#[expect(clippy::disallowed_methods, reason = "it is this test that says so to itself")]
fn trusted() -> Option<String> {
    std::env::var(TRUSTED).ok()
}
