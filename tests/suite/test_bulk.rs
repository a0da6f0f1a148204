//! Orders for many executions, on a host that runs them.

use serde_json::json;

use crate::test_host::TestHost;

async fn stepwell(host: &TestHost, line: &str) -> (i32, String) {
    let server = format!("http://{}", host.address());
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_stepwell"));
    command.args(["--server", &server]).args(line.split_whitespace());
    let output = command.output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap().trim().to_owned())
}

#[tokio::test]
async fn many_stand_still_go_on_and_end_from_the_command_line() {
    let mut host = TestHost::start().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(host.start(json!({ "workflow": "sleeper", "input": "3h", "tags": ["old"], "idempotency_key": format!("{number}") })).await);
    }
    let kept = host.run("sleeper", json!("3h")).await;
    for id in ids.iter().chain([&kept]) {
        host.until(id, |execution| execution["state"] == "waiting").await;
    }

    let (code, refused) = stepwell(&host, "bulk cancel").await;
    assert!(code == 2 && refused.contains("--all"), "{code} {refused}");
    let (_, would) = stepwell(&host, "bulk cancel --tag old --dry-run").await;
    assert_eq!(would, "cancel: 5 would be done, nothing was, 0 refused");
    let (_, paused) = stepwell(&host, "bulk pause --tag old").await;
    assert_eq!(paused, "pause: 5 done, 0 refused");
    let (_, resumed) = stepwell(&host, "bulk resume --workflow sleeper").await;
    assert_eq!(resumed, "resume: 5 done, 0 refused");
    let (_, cancelled) = stepwell(&host, "bulk cancel --tag old --reason tidy").await;
    assert_eq!(cancelled, "cancel: 5 done, 0 refused");
    for id in &ids {
        host.until(id, |execution| execution["state"] == "cancelled").await;
    }
    let (_, listed) = stepwell(&host, "list --failure cancelled --tag old --json").await;
    assert_eq!(listed.matches("\"state\": \"cancelled\"").count(), 5, "{listed}");
    let (_, retried) = stepwell(&host, "bulk retry --failure cancelled").await;
    assert_eq!(retried, "retry: 5 done, 0 refused");
    let (_, ended) = stepwell(&host, "bulk cancel --all --force").await;
    assert_eq!(ended, "cancel: 6 done, 0 refused");
    for id in ids.iter().chain([&kept]) {
        host.until(id, |execution| execution["state"] == "cancelled").await;
    }
    host.audit().await;
}
