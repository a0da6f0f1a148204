//! Logs, what is printed, progress, counters and state: each once, whatever was replayed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::test_host::{Settings, TestHost};

/// Runs `talking` to its end, with a host that dies so often whenever it waits.
async fn talk(mut host: TestHost, deaths: usize) {
    let id = host.run("talking", Value::Null).await;
    for number in 1..=2 {
        host.until_recorded(&id, "receive", number).await;
        for _ in 0..deaths {
            host.kill_and_restart().await;
        }
        host.signalled(&id, "go", json!(number)).await;
    }
    host.ended(&id).await.value();

    let lines = host.logs(&id).await;
    let said: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    for word in ["first", "second"] {
        for line in [
            format!("workflow prints {word}"),
            format!("workflow logs {word}"),
            word.to_owned(),
            format!("step prints {word}"),
            format!("step warns {word}"),
            format!("step logs {word}"),
        ] {
            let times = said.iter().filter(|said| **said == line).count();
            assert_eq!(times, 1, "{line:?} is there {times} times: {said:#?}");
        }
    }
    let level = |message: &str| {
        let line = lines.iter().find(|line| line["message"] == *message).unwrap();
        line["level"].as_str().unwrap()
    };
    assert_eq!(level("first"), "progress");
    assert_eq!(level("step prints first"), "info");
    assert_eq!(level("step warns first"), "warn");
    let execution = host.execution(&id).await;
    assert_eq!(execution["counters"], json!({ "words": 2, "words of steps": 2 }));
    assert_eq!(execution["custom_state"], json!({ "word": "second" }));
    host.audit().await;
}

#[tokio::test]
async fn what_is_said_is_kept_once() {
    talk(TestHost::start().await, 0).await;
}

#[tokio::test]
async fn what_is_said_is_kept_once_however_often_it_is_replayed() {
    let mut settings = Settings::default();
    settings.limits.hot_for = Duration::ZERO;
    talk(TestHost::start_with(settings).await, 0).await;
}

#[tokio::test]
async fn what_is_said_is_kept_once_whenever_the_host_dies() {
    talk(TestHost::start().await, 2).await;
}

#[tokio::test]
async fn a_line_of_a_step_has_the_time_at_which_it_was_said() {
    let mut host = TestHost::start().await;
    let id = host.run("excess_in_workflow", json!({ "excess": "stdout", "in_step": true })).await;
    host.ended(&id).await;

    let lines = host.logs(&id).await;

    let times: Vec<_> = lines.iter().map(|line| line["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
    assert_ne!(times.first(), times.last(), "{} lines", times.len());
    let settled = host.recorded(&id, "failed").await[0]["at"].as_str().unwrap().to_owned();
    assert!(times.iter().all(|time| **time < *settled), "{settled}");
    host.audit().await;
}

#[tokio::test]
async fn counters_are_exact_after_crashes_at_any_moment() {
    let mut host = TestHost::start().await;
    let id = host.run("ledgered", json!(40)).await;

    for recorded in [3, 11, 17, 30] {
        host.until_recorded(&id, "completed", recorded).await;
        host.kill_and_restart().await;
    }

    host.ended(&id).await.value();
    assert_eq!(host.execution(&id).await["counters"], json!({ "ledger": 40 }));
    host.audit().await;
}

#[tokio::test]
async fn what_a_step_says_can_be_read_while_it_runs() {
    let mut host = TestHost::start().await;
    let id = host.run("drawling", json!(8)).await;

    let said = |lines: &[Value]| {
        lines.iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let early = loop {
        let lines = said(&host.logs(&id).await);
        if !lines.is_empty() {
            break lines;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(host.recorded(&id, "completed").await.is_empty(), "{early:?} came before the end");
    host.ended(&id).await.value();

    let lines = said(&host.logs(&id).await);
    assert_eq!(lines, (1..=8).map(|number| format!("line {number}")).collect::<Vec<_>>());
    assert!(lines.starts_with(&early));
    host.audit().await;
}

#[tokio::test]
async fn lines_of_one_step_call_or_attempt_can_be_read_alone() {
    let mut settings = Settings::default();
    // A page reads through so many lines, however few of them are wanted.
    (settings.limits.page_max, settings.limits.page_reads_max) = (3, 6);
    let mut host = TestHost::start_with(settings).await;
    let id = host.run("talking", Value::Null).await;
    for number in 1..=2 {
        host.until(&id, |execution| execution["counters"]["words"] == number).await;
        host.signalled(&id, "go", json!(number)).await;
    }
    host.ended(&id).await.value();

    let all = pages(&host, &id, "limit=3").await.concat();
    assert_eq!(all.len(), 12);
    let is = |field: &'static str, value: Value| {
        all.iter().filter(move |line| line[field] == value).cloned().collect::<Vec<_>>()
    };
    let of_step = is("step", json!("talk"));
    let promise = of_step[0]["promise"].clone();
    assert_eq!((of_step.len(), is("promise", promise.clone()).len()), (6, 3));
    let first_call = format!("step=talk&promise={promise}");
    for (wish, wanted) in [
        ("step=talk", of_step),
        (&*first_call, is("promise", promise)),
        ("attempt=0", is("attempt", json!(0))),
        ("attempt=1", is("attempt", json!(1))),
        ("attempt=2", Vec::new()),
        ("step=nobody", Vec::new()),
        ("step=talk&failed_attempts=true", Vec::new()),
    ] {
        for limit in 1..=3 {
            let pages = pages(&host, &id, &format!("limit={limit}&{wish}")).await;
            assert!(pages.iter().all(|page| page.len() <= limit), "{wish}: {pages:?}");
            assert_eq!(pages.concat(), wanted, "{wish}, {limit} a page");
        }
    }
    let nowhere = format!("{}0000", &id[..id.len() - 4]);
    assert_eq!(
        host.get(&format!("/v1/executions/{nowhere}/logs?limit=3&step=talk")).await.status,
        404
    );
    host.audit().await;
}

/// All pages of such lines.
async fn pages(host: &TestHost, id: &str, wish: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut after) = (Vec::new(), json!(0));
    while !after.is_null() {
        let path = format!("/v1/executions/{id}/logs?{wish}&after={after}");
        let answer = host.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        pages.push(answer.body["lines"].as_array().unwrap().clone());
        after = answer.body["next_after"].clone();
    }
    pages
}
