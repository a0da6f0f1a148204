//! Limits, queues, and why a task waits, in the whole house.

use serde_json::{Value, json};

use crate::test_host::TestHost;

/// The tasks that a query finds.
async fn tasks(host: &TestHost, query: &str) -> Vec<Value> {
    let answer = host.get(&format!("/v1/tasks?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["tasks"].as_array().unwrap().clone()
}

async fn change(host: &TestHost, queue: &str, change: &str) {
    let answer = host.post(&format!("/v1/queues/{queue}/{change}"), &json!({})).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
}

async fn queue(host: &TestHost, name: &str) -> Value {
    let answer = host.get("/v1/queues").await;
    let queues = answer.body["queues"].as_array().unwrap().clone();
    queues.into_iter().find(|queue| queue["name"] == name).unwrap_or_default()
}

fn single(millis: u64, times: u64) -> Value {
    json!({ "single": { "millis": millis, "times": times } })
}

#[tokio::test]
async fn steps_with_limits_all_end() {
    let mut host = TestHost::start().await;
    let (narrow, paced) = (json!({ "narrow": 20 }), json!({ "paced": 20 }));
    let served = json!({ "served": { "customer": "ada", "number": 6 } });

    let ids = [
        host.run("limited", narrow).await,
        host.run("limited", paced).await,
        host.run("limited", served).await,
        host.run("limited", single(1, 5)).await,
    ];

    for (id, sum) in ids.iter().zip([190, 190, 15, 5]) {
        assert_eq!(host.ended(id).await.value(), sum);
    }
    host.audit().await;
}

#[tokio::test]
async fn a_task_says_which_limit_it_waits_for_and_who_holds_it() {
    let host = TestHost::start().await;
    let id = host.run("limited", single(60_000, 3)).await;
    host.until(&id, |execution| execution["tasks"] == 3).await;
    while tasks(&host, &format!("execution={id}&state=running")).await.is_empty() {}

    let running = tasks(&host, &format!("execution={id}&state=running")).await;
    let waiting = tasks(&host, &format!("execution={id}&state=waiting")).await;
    let one = host.get(&format!("/v1/tasks/{}", waiting[0]["id"].as_str().unwrap())).await.body;

    assert_eq!((running.len(), waiting.len()), (1, 2));
    assert!(running[0]["waits"].is_null());
    let waits = &one["waits"];
    assert_eq!((&waits["reason"], &waits["max_concurrent"]), (&json!("limit"), &json!(1)));
    assert_eq!(waits["holders"][0]["execution"], id.as_str());
    assert!(waits["message"].as_str().unwrap().contains("max_concurrent"), "{waits}");
    let slow = queue(&host, "slow").await;
    assert_eq!(
        (&slow["running"], &slow["waiting"], &slow["blocked"]),
        (&json!(1), &json!(2), &json!(2))
    );
    host.cancel(&id, json!({ "force": true })).await;
    host.until_state(&id, "cancelled").await;
    assert_eq!(host.get(&format!("/v1/tasks/{}", one["id"].as_str().unwrap())).await.status, 404);
}

#[tokio::test]
async fn a_paused_queue_begins_neither_steps_nor_executions() {
    let host = TestHost::start().await;
    change(&host, "elsewhere", "pause").await;
    change(&host, "slow", "pause").await;
    change(&host, "slow", "pause").await;
    let order = json!({ "workflow": "noop", "input": 1, "queue": "elsewhere" });

    let started = host.start(order).await;
    let called = host.run("limited", single(1, 1)).await;
    let called = host.until(&called, |execution| execution["tasks"] == 1).await;
    let waiting = host.execution(&started).await;
    let task = &tasks(&host, "queue=slow").await[0];

    assert_eq!(waiting["state"], "pending");
    assert_eq!(
        (&waiting["waits"]["reason"], &waiting["waits"]["queue"]),
        (&json!("queue_paused"), &json!("elsewhere"))
    );
    assert_eq!(
        (&task["state"], &task["waits"]["reason"]),
        (&json!("waiting"), &json!("queue_paused"))
    );
    assert!(!queue(&host, "slow").await["paused_at"].is_null());
    change(&host, "elsewhere", "resume").await;
    change(&host, "slow", "resume").await;
    change(&host, "slow", "resume").await;
    assert_eq!(host.ended(&started).await.value(), 1);
    assert_eq!(host.ended(called["id"].as_str().unwrap()).await.value(), 1);
    assert!(queue(&host, "slow").await["paused_at"].is_null());
}

#[tokio::test]
async fn a_step_of_a_paused_queue_is_not_run_by_its_own_host() {
    let host = TestHost::start().await;
    change(&host, "default", "pause").await;
    // It is born in a queue that is not paused; its step waits in one that is.
    let order = json!({ "workflow": "chain", "input": 1, "queue": "other" });
    let id = host.start(order).await;

    host.until(&id, |execution| execution["tasks"] == 1).await;
    let task = &tasks(&host, &format!("execution={id}")).await[0];

    assert_eq!(
        (&task["state"], &task["waits"]["reason"]),
        (&json!("waiting"), &json!("queue_paused"))
    );
    change(&host, "default", "resume").await;
    assert_eq!(host.ended(&id).await.value(), 0);
}

#[tokio::test]
async fn a_retry_and_a_delayed_start_say_when() {
    let host = TestHost::start().await;
    let later = host.start(json!({ "workflow": "noop", "input": 1, "delay": "1h" })).await;

    let waits = host.execution(&later).await["waits"].clone();

    assert_eq!(waits["reason"], "not_before");
    assert!(waits["until"].is_string(), "{waits}");
    let unknown = host.get("/v1/tasks/00000000-0000-0000-0000-000000000000").await;
    assert_eq!((unknown.status, unknown.problem()), (404, "unknown-task"));
}

/// The command line says the same, and pauses and resumes.
#[tokio::test]
async fn queues_and_tasks_are_seen_from_the_command_line() {
    let host = TestHost::start().await;
    let stepwell = async |line: &str| {
        let server = format!("http://{}", host.address());
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_stepwell"));
        command.args(["--server", &server]).args(line.split_whitespace());
        let output = command.output().await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    };

    assert_eq!(stepwell("queues pause slow").await.1.trim(), "queue slow is paused");
    let id = host.run("limited", single(1, 1)).await;
    host.until(&id, |execution| execution["tasks"] == 1).await;
    let (_, queues) = stepwell("queues list").await;
    assert!(queues.contains("slow"), "{queues}");
    let (_, listed) = stepwell("tasks list --queue slow --state waiting").await;
    assert!(listed.contains("single") && listed.contains("queue slow has been"), "{listed}");
    let task = tasks(&host, "queue=slow").await[0]["id"].as_str().unwrap().to_owned();
    let (_, shown) = stepwell(&format!("tasks show {task}")).await;
    assert!(shown.contains(&id) && shown.contains("waits      queue slow"), "{shown}");
    assert_eq!(stepwell("queues resume slow").await.1.trim(), "queue slow goes on");
    assert_eq!(host.ended(&id).await.value(), 1);
    let (code, refused) = stepwell(&format!("tasks show {task}")).await;
    assert!(code == 4 && refused.contains("there is no task"), "{code} {refused}");
    let (code, refused) = stepwell("tasks show x").await;
    assert!(code == 2 && refused.contains("stepwell tasks list"), "{code} {refused}");
}
