//! Dead letters: list, show, replay, discard.

use serde_json::{Value, json};

use crate::test_host::TestHost;

#[tokio::test]
async fn a_step_whose_attempts_are_used_up_becomes_a_dead_letter() {
    let mut host = TestHost::start().await;

    let id = host.run("retried", json!("hopeless")).await;
    let end = host.ended(&id).await;

    assert_eq!((end.state.as_str(), end.kind()), ("failed", "hopeless"));
    let letters = host.dead_letters(&id).await;
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!((&letter["step"], &letter["attempts"]), (&json!("hopeless"), &json!(2)));
    assert_eq!(letter["failure"]["details"], json!(["tried", "hard"]));
    let shown = host.get(&format!("/v1/dead-letters/{}", letter["id"].as_str().unwrap())).await;
    assert_eq!(shown.body, *letter);
    host.audit().await;
}

#[tokio::test]
async fn a_dead_letter_that_is_replayed_goes_on_from_its_step() {
    let mut host = TestHost::start().await;
    let id = host.run("stumbling", Value::Null).await;
    host.ended(&id).await;
    let letter = host.dead_letters(&id).await[0]["id"].as_str().unwrap().to_owned();

    let answer = host.post(&format!("/v1/dead-letters/{letter}/replay"), &json!({})).await;

    assert_eq!((answer.status, &answer.body["run"]), (202, &json!(1)), "{}", answer.body);
    assert_eq!(host.ended(&id).await.value(), 1);
    assert_eq!(host.execution(&id).await["counters"]["ledger"], 2);
    assert!(host.dead_letters(&id).await.is_empty());
    host.audit().await;
}

#[tokio::test]
async fn a_dead_letter_that_a_retry_has_mended_is_gone() {
    let mut host = TestHost::start().await;
    let id = host.run("stumbling", Value::Null).await;
    host.ended(&id).await;
    assert_eq!(host.dead_letters(&id).await.len(), 1);

    let answer = host.post(&format!("/v1/executions/{id}/retry"), &json!({})).await;

    assert_eq!(answer.status, 202, "{}", answer.body);
    assert!(host.dead_letters(&id).await.is_empty());
    assert_eq!(host.ended(&id).await.value(), 1);
    host.audit().await;
}

#[tokio::test]
async fn a_replayed_dead_letter_has_all_its_attempts_again() {
    let mut host = TestHost::start().await;
    let id = host.run("retried", json!("hopeless")).await;
    host.ended(&id).await;
    let letter = host.dead_letters(&id).await[0]["id"].as_str().unwrap().to_owned();

    host.post(&format!("/v1/dead-letters/{letter}/replay"), &json!({})).await;
    let end = host.ended(&id).await;

    assert_eq!((end.state.as_str(), end.kind()), ("failed", "hopeless"));
    let letters = host.dead_letters(&id).await;
    assert_eq!(letters.len(), 1);
    assert_eq!((&letters[0]["run"], &letters[0]["attempts"]), (&json!(1), &json!(2)));
    host.audit().await;
}

#[tokio::test]
async fn a_dead_letter_whose_workflow_went_on_cannot_be_replayed() {
    let mut host = TestHost::start().await;
    let id = host.run("forgiving", Value::Null).await;
    assert_eq!(host.ended(&id).await.value(), true);
    let letter = host.dead_letters(&id).await[0]["id"].as_str().unwrap().to_owned();

    let answer = host.post(&format!("/v1/dead-letters/{letter}/replay"), &json!({})).await;

    assert_eq!(answer.status, 409, "{}", answer.body);
    assert_eq!(host.execution(&id).await["run"], 0);
    assert_eq!(host.dead_letters(&id).await.len(), 1);
    host.audit().await;
}

#[tokio::test]
async fn a_discarded_dead_letter_is_gone() {
    let mut host = TestHost::start().await;
    let id = host.run("retried", json!("hopeless")).await;
    host.ended(&id).await;
    let letter = host.dead_letters(&id).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/dead-letters/{letter}");

    let answers = [host.delete(&path).await, host.delete(&path).await, host.get(&path).await];

    assert_eq!(answers.map(|answer| answer.status), [204, 404, 404]);
    assert_eq!(host.execution(&id).await["state"], "failed");
    host.audit().await;
}
