//! Orders for many executions, on a host that runs them.

use serde_json::{Value, json};

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
    assert!(would.ends_with("cancel: 5 would be done, nothing was, 0 refused"), "{would}");
    assert!(ids.iter().all(|id| would.contains(id.as_str())) && !would.contains(&kept), "{would}");
    let (_, would) = stepwell(&host, "bulk cancel --all --dry-run --json").await;
    let would: Value = serde_json::from_str(&would).unwrap();
    assert_eq!((would["done"].as_array().unwrap().len(), &would["dry_run"]), (6, &json!(true)));
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

#[tokio::test]
async fn many_dead_letters_are_named_before_they_are_replayed_or_discarded() {
    let mut host = TestHost::start().await;
    let stumbling = host.run("stumbling", Value::Null).await;
    host.ended(&stumbling).await;
    let letter = host.dead_letters(&stumbling).await[0]["id"].as_str().unwrap().to_owned();

    let (_, would) = stepwell(&host, "dlq replay-all --step stumble --dry-run").await;
    assert_eq!(would, format!("{letter}\n1 would be replayed, 0 would be refused"));
    let (_, would) = stepwell(&host, "dlq discard-all --all --dry-run").await;
    assert_eq!(would, format!("{letter}\n1 would be discarded"));
    let (_, would) = stepwell(&host, "dlq discard-all --all --dry-run --json").await;
    let would: Value = serde_json::from_str(&would).unwrap();
    assert_eq!(
        would,
        json!({ "discarded": 1, "ids": [letter], "dry_run": true, "next_before": null })
    );
    assert_eq!(host.dead_letters(&stumbling).await.len(), 1);
    let hopeless = host.run("retried", json!("hopeless")).await;
    host.ended(&hopeless).await;
    let newer = host.dead_letters(&hopeless).await[0]["id"].as_str().unwrap().to_owned();
    let (_, listed) = stepwell(&host, "dlq list --limit 1").await;
    assert!(listed.contains(&format!("(more: --before {newer} reads on")), "{listed}");
    let (_, listed) = stepwell(&host, &format!("dlq list --before {newer} --json")).await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["dead_letters"][0]["id"], json!(letter));
    let (_, replayed) = stepwell(&host, "dlq replay-all --step stumble --json").await;
    let replayed: Value = serde_json::from_str(&replayed).unwrap();

    let expected = json!([{ "id": letter, "execution": stumbling, "run": 1 }]);
    assert_eq!((&replayed["replayed"], &replayed["refused"]), (&expected, &json!([])));
    assert_eq!(host.ended(&stumbling).await.value(), 1);
    host.audit().await;
}
