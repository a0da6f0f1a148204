//! A real host, killed with -9 at random moments while hundreds of executions run.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::api::{Answer, Api};
use crate::process::Process;
use stepwell_test_servers::chance::Chance;

const EXECUTIONS: usize = 200;
const KILLS: usize = 20;
/// Who start executions and send signals, each one after the other.
const CLIENTS: usize = 4;

/// One execution as its client sees it.
#[derive(Debug, Clone)]
struct Job {
    order: Value,
    signals: u64,
    result: Value,
    counter: Option<(&'static str, u64)>,
}

impl Job {
    fn number(number: usize) -> Self {
        let job = |workflow: &str, input: Value, result: Value| {
            let key = format!("job-{number}");
            let order = json!({ "workflow": workflow, "input": input, "idempotency_key": key });
            Self { order, signals: 0, result, counter: None }
        };
        match number % 7 {
            0 => job("chain", json!(10), json!(45)),
            1 => job("parent", json!(3), json!(6)),
            2 => job("retried", json!({ "flaky": { "failures": 2 } }), json!(3)),
            3 => Self { signals: 3, ..job("signals", json!(3), json!([0, 1, 2])) },
            4 => job("sleeper", json!("400ms"), json!("400ms")),
            // Its result holds nonces, which the ledger compares.
            5 => Self { counter: Some(("ledger", 8)), ..job("ledgered", json!(8), Value::Null) },
            _ => job("wide", json!(20), json!(190)),
        }
    }
}

/// Sends it to whichever host lives, until one has answered.
async fn insist(hosts: &mut watch::Receiver<Api>, path: &str, body: &Value) -> Answer {
    loop {
        let api = hosts.borrow_and_update().clone();
        match api.send("POST", path, body.to_string()).await {
            Ok(answer) if answer.status < 500 => return answer,
            Ok(answer) => assert_eq!(answer.status, 503, "{path}: {}", answer.body),
            // The host is gone: the next one is waited for, unless it is there already.
            Err(_) if hosts.has_changed().unwrap() => {}
            Err(_) => hosts.changed().await.unwrap(),
        }
    }
}

type Accepted = Arc<Mutex<Vec<(String, Job)>>>;

/// Starts what is in the queue, as fast as the lives of the hosts allow it.
async fn client(
    jobs: Arc<Mutex<VecDeque<Job>>>,
    pace: Arc<Semaphore>,
    mut hosts: watch::Receiver<Api>,
    accepted: Accepted,
) {
    loop {
        pace.acquire().await.unwrap().forget();
        let Some(job) = jobs.lock().unwrap().pop_front() else { return };
        let answer = insist(&mut hosts, "/v1/executions", &job.order).await;
        assert!(answer.is_ok(), "{}: {}", job.order, answer.body);
        let id = answer.body["id"].as_str().unwrap().to_owned();
        for number in 0..job.signals {
            let path = format!("/v1/executions/{id}/signals/message?id={number}");
            let answer = insist(&mut hosts, &path, &json!(number)).await;
            // The last one may have been heard, and its answer lost.
            assert!(answer.is_ok() || answer.status == 409, "{path}: {}", answer.body);
        }
        accepted.lock().unwrap().push((id, job));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_killed_again_and_again_loses_nothing_and_does_nothing_twice() {
    let mut chance = Chance::from_environment();
    let mut process = Process::start().await;
    let (publish, hosts) = watch::channel(process.api().clone());
    let jobs: VecDeque<_> = (0..EXECUTIONS).map(Job::number).collect();
    let (jobs, accepted) = (Arc::new(Mutex::new(jobs)), Accepted::default());
    let pace = Arc::new(Semaphore::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (jobs, pace, hosts) = (Arc::clone(&jobs), Arc::clone(&pace), hosts.clone());
        clients.spawn(client(jobs, pace, hosts, Arc::clone(&accepted)));
    }
    // Somebody who waits for longer than any life, by which moments are measured.
    let waits = process.api().run("signals", json!(1)).await;

    for kill in 1..=KILLS {
        pace.add_permits(EXECUTIONS / KILLS);
        // One life in three may end while it begins. If none got any further, whatever it runs would rightly be suspected
        // of killing it, and put aside.
        if kill % 3 > 0 {
            assert_eq!(process.api().run_to_end("noop", json!(kill)).await.value(), kill);
        }
        let moment = chance.next(400);
        let stands = process.api().stands(&waits, &format!("{moment}ms")).await;
        println!("kill {kill} after {moment} ms; who waits is {}", stands.state);
        process.kill();
        process.restart().await;
        publish.send_replace(process.api().clone());
    }
    pace.add_permits(EXECUTIONS);
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }

    let api = process.api().clone();
    api.signalled(&waits, "message", json!("at last")).await;
    assert_eq!(api.ended(&waits).await.value(), json!(["at last"]));
    let accepted = std::mem::take(&mut *accepted.lock().unwrap());
    assert_eq!(accepted.len(), EXECUTIONS);
    for (id, job) in &accepted {
        let value = api.ended(id).await.value();
        assert!(job.result.is_null() || value == job.result, "{}: {value}", job.order);
        if let Some((name, times)) = job.counter {
            assert_eq!(api.execution(id).await["counters"][name], times, "{}", job.order);
        }
    }
    let ids: Vec<_> = accepted.into_iter().map(|(id, _)| id).collect();
    let count = process.audit(&ids).await;
    println!("{count} executions, {KILLS} kills");
}
