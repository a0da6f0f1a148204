//! Work for storms: a mix of executions whose results are known, started and signalled by clients that insist.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::api::{Answer, Api, PATIENCE};

/// How long one host is waited for before the next is asked.
const ONE_HOST_WITHIN: Duration = Duration::from_secs(5);
/// Between two that did not answer.
const NEXT_HOST_AFTER: Duration = Duration::from_millis(20);

/// One execution as its client sees it.
#[derive(Debug, Clone)]
pub struct Job {
    pub order: Value,
    /// How many signals it is sent.
    pub signals: u64,
    /// Null: the ledger compares it.
    pub result: Value,
    /// What it must have counted.
    pub counter: Option<(&'static str, u64)>,
}

impl Job {
    /// A workflow with that result.
    pub fn of(key: &str, workflow: &str, input: &Value, result: Value) -> Self {
        let order = json!({ "workflow": workflow, "input": input, "idempotency_key": key });
        Self { order, signals: 0, result, counter: None }
    }

    /// One of a mix.
    pub fn number(number: usize) -> Self {
        let job = |workflow: &str, input: Value, result: Value| {
            Self::of(&format!("job-{number}"), workflow, &input, result)
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

    /// So many steps, one after the other.
    pub fn chain(number: usize, steps: u64) -> Self {
        let sum = steps * steps.saturating_sub(1) / 2;
        Self::of(&format!("chain-{number}"), "chain", &json!(steps), json!(sum))
    }
}

/// The doors of the hosts that live, of which any will do.
#[derive(Debug, Clone)]
pub struct Doors {
    apis: watch::Receiver<Vec<Api>>,
    next: usize,
}

impl Doors {
    /// Begins with the door at that place.
    pub fn new(apis: watch::Receiver<Vec<Api>>, first: usize) -> Self {
        Self { apis, next: first }
    }

    /// The next door.
    pub fn one(&mut self) -> Api {
        let apis = self.apis.borrow();
        let api = apis[self.next % apis.len()].clone();
        self.next += 1;
        api
    }

    /// Sends it to one host after the other until one has answered for good.
    pub async fn insist(&mut self, path: &str, body: &Value) -> Answer {
        let answered = tokio::time::timeout(PATIENCE, self.answered(path, body)).await;
        answered.unwrap_or_else(|_elapsed| panic!("{path}: no host answers"))
    }

    async fn answered(&mut self, path: &str, body: &Value) -> Answer {
        loop {
            if let Some(answer) = self.ask(path, body).await {
                return answer;
            }
            tokio::time::sleep(NEXT_HOST_AFTER).await;
        }
    }

    /// Sends it to the next host; none where it is not to be had now.
    async fn ask(&mut self, path: &str, body: &Value) -> Option<Answer> {
        let api = self.one();
        let sent = api.send("POST", path, body.to_string());
        let answer = tokio::time::timeout(ONE_HOST_WITHIN, sent).await.ok()?.ok()?;
        assert!(answer.status < 500 || answer.status == 503, "{path}: {}", answer.body);
        (answer.status < 500).then_some(answer)
    }

    /// Starts an execution and sends its signals; returns its id.
    pub async fn begin(&mut self, job: &Job) -> String {
        let answer = self.insist("/v1/executions", &job.order).await;
        assert!(answer.is_ok(), "{}: {}", job.order, answer.body);
        let id = answer.body["id"].as_str().unwrap().to_owned();
        for number in 0..job.signals {
            let path = format!("/v1/executions/{id}/signals/message?id={number}");
            let answer = self.insist(&path, &json!(number)).await;
            // The last one may have been heard, and its answer lost.
            assert!(answer.is_ok() || answer.status == 409, "{path}: {}", answer.body);
        }
        id
    }
}

/// What was accepted, and what must come of it.
#[derive(Debug, Default)]
pub struct Accepted(Vec<(String, Job)>);

impl Accepted {
    /// One more.
    pub fn add(&mut self, id: String, job: Job) {
        self.0.push((id, job));
    }

    /// Their ids.
    pub fn ids(&self) -> Vec<String> {
        self.0.iter().map(|(id, _)| id.clone()).collect()
    }

    /// Waits for every end: each must be as its job says.
    pub async fn check(&self, api: &Api) {
        for (id, job) in &self.0 {
            let value = api.ended(id).await.value();
            assert!(job.result.is_null() || value == job.result, "{}: {value}", job.order);
            if let Some((name, times)) = job.counter {
                assert_eq!(api.execution(id).await["counters"][name], times, "{}", job.order);
            }
        }
    }
}

/// Clients that start jobs, each one after the other, as fast as they are allowed to.
#[derive(Debug)]
pub struct Load {
    clients: JoinSet<()>,
    orders: Arc<Orders>,
    jobs: usize,
}

/// What the clients have in common.
#[derive(Debug)]
struct Orders {
    jobs: Mutex<VecDeque<Job>>,
    pace: Semaphore,
    accepted: Mutex<Accepted>,
}

impl Orders {
    /// One client.
    async fn place(self: Arc<Self>, mut doors: Doors) {
        while let Some(job) = self.next().await {
            let id = doors.begin(&job).await;
            self.accepted.lock().unwrap().0.push((id, job));
        }
    }

    async fn next(&self) -> Option<Job> {
        self.pace.acquire().await.unwrap().forget();
        self.jobs.lock().unwrap().pop_front()
    }
}

impl Load {
    /// Begins with nothing allowed yet.
    pub fn begin(
        jobs: impl IntoIterator<Item = Job>,
        clients: usize,
        apis: &watch::Receiver<Vec<Api>>,
    ) -> Self {
        let jobs: VecDeque<_> = jobs.into_iter().collect();
        let count = jobs.len();
        let orders = Arc::new(Orders {
            jobs: Mutex::new(jobs),
            pace: Semaphore::new(0),
            accepted: Mutex::default(),
        });
        let mut running = JoinSet::new();
        for number in 0..clients {
            running.spawn(Arc::clone(&orders).place(Doors::new(apis.clone(), number)));
        }
        Self { clients: running, orders, jobs: count }
    }

    /// Lets the clients start so many more.
    pub fn allow(&self, jobs: usize) {
        self.orders.pace.add_permits(jobs);
    }

    /// Lets the clients start so many more at once, whatever they were allowed before.
    pub fn top_up(&self, jobs: usize) {
        self.orders.pace.add_permits(jobs.saturating_sub(self.orders.pace.available_permits()));
    }

    /// Lets the clients start all that is left; returns when they have.
    pub async fn finish(self) -> Accepted {
        let jobs = self.jobs;
        let accepted = self.ended().await;
        assert_eq!(accepted.0.len(), jobs);
        accepted
    }

    /// Lets the clients start no more; returns when they have ended.
    pub async fn end(self) -> Accepted {
        self.orders.jobs.lock().unwrap().clear();
        self.ended().await
    }

    async fn ended(mut self) -> Accepted {
        self.orders.pace.add_permits(self.jobs + self.clients.len());
        while let Some(ended) = self.clients.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut *self.orders.accepted.lock().unwrap())
    }
}
