//! Rows that cannot be read: their execution waits for a person, and nobody else notices.

use std::time::Duration;

use serde_json::json;
use stepwell_test_servers::web::Web;

use crate::guests;
use crate::test_host::{Settings, TestHost};

const POLICY: &str = r#"
    [http]
    private = ["http://public.test:*"]
    resolve = { "public.test" = "127.0.0.1" }
    [modules.reaching.grant]
    http = ["GET http://public.test:*"]
"#;

#[tokio::test]
async fn an_execution_whose_inbox_cannot_be_read_is_blocked_until_it_is_mended() {
    let mut host = TestHost::start().await;
    let id = host.run("signals", json!(1)).await;
    host.until_recorded(&id, "receive", 1).await;
    host.spoil(
        "insert into inbox (execution_id, run, kind, head, created_at) select id, 0, 99, x'', 0 from executions",
    )
    .await;

    host.signalled(&id, "message", json!("hello")).await;

    let blocked = host.until_state(&id, "blocked").await;
    assert_eq!(blocked["failure"]["kind"], "corrupt", "{blocked}");
    let why = blocked["failure"]["message"].as_str().unwrap();
    assert!(why.contains("inbox."), "{why}");
    assert_eq!(host.run_to_end("noop", json!(1)).await.value(), 1);
    host.spoil("delete from inbox where kind = 99").await;
    host.post(&format!("/v1/executions/{id}/resume"), &json!({})).await;
    assert_eq!(host.ended(&id).await.value(), json!(["hello"]));
    host.audit().await;
}

#[tokio::test]
async fn an_attempt_whose_grants_cannot_be_read_waits_for_better_weather_and_counts_as_no_loss() {
    let server = Web::start().await;
    let mut settings = Settings { policy: Some(POLICY.to_owned()), ..Settings::default() };
    settings.limits.losses_max = 1;
    settings.limits.poll_interval = (Duration::from_millis(10), Duration::from_millis(20));
    let mut host = TestHost::start_with(settings).await;
    host.deploy("reaching", guests::wasm("reaching")).await;
    host.spoil("alter table grants rename to grants_elsewhere").await;

    let url = format!("http://public.test:{}/", server.port());
    let id = host.run("fetched", json!({ "method": "GET", "url": url })).await;
    let meanwhile = host.stands(&id, "1s").await;

    assert!(["pending", "running", "waiting"].contains(&meanwhile.state.as_str()), "{meanwhile:?}");
    assert_eq!(server.requests(), 0);
    host.spoil("alter table grants_elsewhere rename to grants").await;
    assert_eq!(host.ended(&id).await.value()["status"], 200);
    host.audit().await;
}

#[tokio::test]
async fn a_module_that_cannot_be_read_starts_nothing_and_keeps_no_other_from_it() {
    let host = TestHost::start().await;
    let digest = host.deploy("reaching", guests::wasm("reaching")).await;
    host.spoil("update modules set manifest = '{' where name = 'reaching'").await;
    let each_second = |workflow: &str, module: &str| json!({ "every": "1s", "workflow": workflow, "module": module });

    for (name, spec) in [
        ("named", each_second("raw_in_workflow", "reaching")),
        ("pinned", each_second("raw_in_workflow", &digest)),
        ("whole", each_second("noop", "misbehaving")),
    ] {
        let put = host.send("PUT", &format!("/v1/schedules/{name}"), spec.to_string()).await;
        assert_eq!(put.unwrap().status, 201, "{name}");
    }

    for (name, failed, kind) in
        [("named", 2, "unknown-module"), ("pinned", 2, "corrupt"), ("whole", 0, "")]
    {
        let schedule = host
            .until_schedule(name, |one| {
                one["fired"].as_u64() >= Some(2) || one["failed"].as_u64() >= Some(2)
            })
            .await;
        assert_eq!(
            schedule["failed"].as_u64().map(|times| times.min(2)),
            Some(failed),
            "{schedule}"
        );
        assert_eq!(
            schedule["last_failure"]["failure"]["kind"].as_str().unwrap_or_default(),
            kind,
            "{schedule}"
        );
    }
    assert_eq!(host.run_to_end("noop", json!(1)).await.value(), 1);
}
