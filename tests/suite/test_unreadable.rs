//! Rows that cannot be read: their execution waits for a person, and nobody else notices.

use serde_json::json;

use crate::test_host::TestHost;

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
