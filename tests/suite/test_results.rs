//! Cached and idempotent steps: one call runs, and what it brought answers the others.

use serde_json::{Value, json};

use stepwell::model::Name;

use crate::test_host::{Settings, TestHost};

impl TestHost {
    /// What the one call of an execution was answered with, and in which attempt.
    async fn answer(&self, id: &str) -> (Value, Value) {
        let settled = self.journal(id).await;
        let settled = settled
            .into_iter()
            .find(|entry| entry["kind"] == "completed" || entry["kind"] == "failed");
        let settled = settled.unwrap();
        (settled["result"].clone(), settled["attempt"].clone())
    }

    /// The counter of that name, over all these executions.
    async fn counted(&self, ids: &[String], counter: &str) -> u64 {
        let mut sum = 0;
        for id in ids {
            sum += self.execution(id).await["counters"][counter].as_u64().unwrap_or(0);
        }
        sum
    }

    async fn ask_all(&self, questions: &[Value]) -> Vec<String> {
        let orders: Vec<_> = questions
            .iter()
            .map(|question| json!({ "workflow": "asking", "input": question }))
            .collect();
        let answer = self.post("/v1/executions", &json!({ "executions": orders })).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let started = answer.body.as_array().cloned();
        let started =
            started.unwrap_or_else(|| answer.body["executions"].as_array().unwrap().clone());
        started.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn of_many_first_calls_at_once_one_runs_and_its_zero_answers_all() {
    let mut host = TestHost::start().await;

    let ids = host.ask_all(&vec![json!({ "once": "upon" }); 20]).await;
    for id in &ids {
        assert_eq!(host.ended(id).await.value(), 0);
    }

    assert_eq!(host.counted(&ids, "ran").await, 1);
    host.audit().await;
}

#[tokio::test]
async fn a_kept_result_answers_after_a_restart_and_is_an_event_like_any_other() {
    let mut host = TestHost::start().await;
    let question = json!({ "look_up": "word" });
    let first = host.run("asking", question.clone()).await;
    assert_eq!(host.ended(&first).await.value(), 4);
    host.kill_and_restart().await;

    let second = host.run("asking", question).await;
    assert_eq!(host.ended(&second).await.value(), 4);

    assert_eq!(host.answer(&first).await, (json!(4), json!(1)));
    assert_eq!(host.answer(&second).await, (json!(4), json!(0)));
    let other = host.run("asking", json!({ "look_up": "another" })).await;
    let anew = host.run("asking", json!({ "look_up_anew": "word" })).await;
    assert_eq!(host.ended(&other).await.value(), 7);
    assert_eq!(host.ended(&anew).await.value(), 4);
    assert_eq!(host.counted(&[first, second, other, anew], "ran").await, 3);
    host.audit().await;
}

#[tokio::test]
async fn what_the_caller_calls_the_same_is_the_same() {
    let mut host = TestHost::start().await;
    let keyed = |key: &str, word: &str| json!({ "keyed": { "key": key, "word": word } });

    let mut brought = Vec::new();
    for question in [keyed("a", "long word"), keyed("a", "other"), keyed("b", "other")] {
        brought.push(host.run_to_end("asking", question).await.value());
    }

    assert_eq!(brought, [9, 9, 5]);
    host.audit().await;
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let mut host = TestHost::start().await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let id = host.run("asking", json!({ "look_in_vain": "unicorn" })).await;
        assert_eq!(host.ended(&id).await.kind(), "not-found");
        assert_eq!(host.answer(&id).await.1, 1);
        ids.push(id);
    }

    assert_eq!(host.dead_letters(&ids[1]).await.len(), 1);
    host.audit().await;
}

#[tokio::test]
async fn a_leader_that_is_cancelled_leaves_the_lead_to_one_of_those_who_wait() {
    let queues = vec![Name::default_queue()];
    let mut host = TestHost::start_with(Settings { queues, ..Settings::default() }).await;
    let leader = host.run("asking", json!({ "once_elsewhere": "more" })).await;
    host.until(&leader, |execution| execution["tasks"] == 1).await;
    let waiting = host.ask_all(&vec![json!({ "once": "more" }); 3]).await;
    for id in &waiting {
        host.until(id, |execution| execution["tasks"] == 1).await;
    }

    host.cancel(&leader, json!({ "force": true })).await;

    for id in &waiting {
        assert_eq!(host.ended(id).await.value(), 0);
    }
    assert_eq!(host.counted(&waiting, "ran").await, 1);
    host.audit().await;
}
