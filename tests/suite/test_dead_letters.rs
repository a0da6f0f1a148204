//! Dead letters: list, count, show, replay, discard, one or many.

use serde_json::{Value, json};

use stepwell::model::Name;

use crate::test_host::{Settings, TestHost};

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
    // The module misses a grant, with which this has nothing to do.
    assert_eq!(letter["failure"]["message"], "this never goes well");
    let shown = host.get(&format!("/v1/dead-letters/{}", letter["id"].as_str().unwrap())).await;
    let mut with_input = letter.clone();
    with_input["input"] = Value::Null;
    assert_eq!(shown.body, with_input);
    assert_eq!(letter["queue"], "default");
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

/// The dead letter of an execution that has failed by it.
async fn letter_of(host: &TestHost, id: &str) -> String {
    host.ended(id).await;
    host.dead_letters(id).await[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_dead_letter_is_replayed_to_another_queue_and_after_a_restart_still_waits_there() {
    let queues = vec![Name::default_queue()];
    let mut host = TestHost::start_with(Settings { queues, ..Settings::default() }).await;
    let id = host.run("stumbling", Value::Null).await;
    let letter = letter_of(&host, &id).await;

    let path = format!("/v1/dead-letters/{letter}/replay");
    assert_eq!(host.post(&path, &json!({ "queue": "rescue" })).await.status, 202);
    host.until(&id, |execution| execution["tasks"] == 1).await;
    host.kill().await;
    host.settings().queues.push(Name::new("rescue").unwrap());
    host.restart().await;

    assert_eq!(host.ended(&id).await.value(), 1);
    let run = host.recorded(&id, "run").await.remove(0);
    assert_eq!((&run["queue"], &run["attempt"]), (&json!("rescue"), &json!(0)));
    host.audit().await;
}

#[tokio::test]
async fn a_dead_letter_that_keeps_its_attempts_has_one_more() {
    let mut host = TestHost::start().await;
    let id = host.run("retried", json!("hopeless")).await;
    let letter = letter_of(&host, &id).await;

    let path = format!("/v1/dead-letters/{letter}/replay");
    assert_eq!(host.post(&path, &json!({ "attempts": "keep" })).await.status, 202);
    host.ended(&id).await;

    let letters = host.dead_letters(&id).await;
    assert_eq!((letters.len(), &letters[0]["attempts"]), (1, &json!(3)));
    host.audit().await;
}

#[tokio::test]
async fn what_a_person_said_of_a_call_holds_for_its_run_and_no_later_one() {
    let mut host = TestHost::start().await;
    let id = host.run("balking", json!(1)).await;
    let letter = letter_of(&host, &id).await;

    let path = format!("/v1/dead-letters/{letter}/replay");
    assert_eq!(host.post(&path, &json!({ "attempts": "keep" })).await.status, 202);

    // The call has the same number in the run that follows.
    assert_eq!(host.ended(&id).await.kind(), "balked");
    let letters = host.dead_letters(&id).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!((&letters[0]["run"], &letters[0]["attempts"]), (&json!(2), &json!(1)));
    host.audit().await;
}

#[tokio::test]
async fn many_dead_letters_are_counted_replayed_and_discarded_by_what_they_are() {
    let mut host = TestHost::start().await;
    let (mut stumbled, mut hopeless) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        stumbled.push(host.run("stumbling", Value::Null).await);
        hopeless.push(host.run("retried", json!("hopeless")).await);
    }
    let forgiving = host.run("forgiving", Value::Null).await;
    for id in stumbled.iter().chain(&hopeless).chain([&forgiving]) {
        host.ended(id).await;
    }

    let counts = host.get("/v1/dead-letters/counts").await.body["counts"].clone();
    let counted: Vec<_> =
        counts.as_array().unwrap().iter().map(|of| (&of["step"], &of["count"])).collect();
    let one = host.get("/v1/dead-letters?workflow=forgiving&kind=hopeless").await.body;
    let replay = json!({ "filter": { "step": "stumble" }, "limit": 2 });
    let first = host.post("/v1/dead-letters/replay", &replay).await.body;
    let next =
        json!({ "filter": { "step": "stumble" }, "limit": 2, "before": first["next_before"] });
    let second = host.post("/v1/dead-letters/replay", &next).await.body;
    let refused = json!({ "filter": { "workflow": "forgiving" } });
    let refused = host.post("/v1/dead-letters/replay", &refused).await.body;
    let discard = json!({ "filter": { "kind": "hopeless", "workflow": "retried" } });
    let discarded = host.post("/v1/dead-letters/discard", &discard).await.body;

    assert_eq!(counted.len(), 3);
    assert!(counted.contains(&(&json!("stumble"), &json!(3))), "{counts}");
    assert_eq!(one["dead_letters"].as_array().unwrap().len(), 1);
    assert_eq!(first["replayed"].as_array().unwrap().len(), 2);
    assert_eq!(second["replayed"].as_array().unwrap().len(), 1);
    assert!(second["next_before"].is_null());
    assert_eq!(refused["refused"][0]["problem"]["type"], "urn:stepwell:problem:went-on");
    assert_eq!((&discarded["discarded"], &discarded["next_before"]), (&json!(3), &Value::Null));
    assert_eq!(discarded["ids"].as_array().unwrap().len(), 3);
    for id in &stumbled {
        assert_eq!(host.ended(id).await.value(), 1);
    }
    let left = host.get("/v1/dead-letters").await.body;
    assert_eq!(left["dead_letters"].as_array().unwrap().len(), 1);
    host.audit().await;
}

#[tokio::test]
async fn a_dry_run_names_the_dead_letters_and_changes_nothing() {
    let mut host = TestHost::start().await;
    let stumbling = host.run("stumbling", Value::Null).await;
    let stumbled = letter_of(&host, &stumbling).await;
    let forgiving = host.run("forgiving", Value::Null).await;
    let forgiven = letter_of(&host, &forgiving).await;
    let before = host.get("/v1/dead-letters").await.body;
    let failed = host.execution(&stumbling).await;
    let order = json!({ "filter": {}, "dry_run": true });

    let replay = host.post("/v1/dead-letters/replay", &order).await.body;
    let discard = host.post("/v1/dead-letters/discard", &order).await.body;

    let would = json!([{ "id": stumbled, "execution": stumbling, "run": 1 }]);
    assert_eq!((&replay["replayed"], &replay["dry_run"]), (&would, &json!(true)));
    assert_eq!(replay["refused"][0]["id"], json!(forgiven));
    assert_eq!(replay["refused"][0]["problem"]["type"], "urn:stepwell:problem:went-on");
    let would_go = json!({ "discarded": 2, "ids": [forgiven, stumbled], "dry_run": true, "next_before": null });
    assert_eq!(discard, would_go);
    assert_eq!(host.get("/v1/dead-letters").await.body, before);
    assert_eq!(host.execution(&stumbling).await, failed);
    let told = host.get("/v1/audit").await.body;
    let entries = told["entries"].as_array().unwrap().iter();
    let of_many =
        entries.filter(|entry| entry["action"].as_str().unwrap().starts_with("dead-letters."));
    let subjects: Vec<_> = of_many.map(|entry| entry["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects.len(), 2, "{told}");
    assert!(subjects.iter().all(|subject| subject.contains("dry run")), "{subjects:?}");
    let order = json!({ "filter": {} });
    let replayed = host.post("/v1/dead-letters/replay", &order).await.body;
    assert_eq!((&replayed["replayed"], &replayed["dry_run"]), (&would, &json!(false)));
    assert_eq!(host.ended(&stumbling).await.value(), 1);
    host.audit().await;
}

#[tokio::test]
async fn a_childs_dead_letter_whose_parent_was_told_cannot_be_replayed() {
    let mut host = TestHost::start().await;
    let id = host.run("bereaved", Value::Null).await;
    assert_eq!(host.ended(&id).await.kind(), "hopeless");
    let child = host.execution(&id).await["children"][0].as_str().unwrap().to_owned();
    let letter = letter_of(&host, &child).await;

    let answer = host.post(&format!("/v1/dead-letters/{letter}/replay"), &json!({})).await;

    assert_eq!((answer.status, answer.problem()), (409, "went-on"), "{}", answer.body);
    assert!(answer.body["detail"].as_str().unwrap().contains(&id), "{}", answer.body);
    assert_eq!(host.execution(&child).await["run"], 0);
    host.audit().await;
}
