//! The door of a host, as any client meets it: HTTP in, JSON out, and nothing else.

use std::time::Duration;

use serde_json::{Value, json};

/// How long any condition is waited for before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A client of one host. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    address: String,
    client: reqwest::Client,
}

/// Where a host listens, if this line of its log says so.
pub fn listens_at(line: &str) -> Option<String> {
    let (_, address) = line.split_once("Stepwell listens on http://")?;
    Some(address.split([' ', '"']).next().unwrap_or_default().to_owned())
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub body: Value,
}

impl Answer {
    /// Whether it is a 2xx.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The last word of a problem document's type.
    pub fn problem(&self) -> &str {
        let kind = self.body["type"].as_str().unwrap_or_default();
        kind.rsplit(':').next().unwrap_or_default()
    }
}

/// How an execution ended, or that it is blocked.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    pub state: String,
    pub result: Value,
    pub failure: Value,
}

impl End {
    /// What a completed execution returned.
    #[track_caller]
    pub fn value(self) -> Value {
        assert_eq!(self.state, "completed", "{}", self.failure);
        self.result
    }

    /// The kind of the failure it ended with.
    pub fn kind(&self) -> &str {
        self.failure["kind"].as_str().unwrap_or_default()
    }

    /// The message of the failure it ended with.
    pub fn message(&self) -> &str {
        self.failure["message"].as_str().unwrap_or_default()
    }
}

impl Api {
    pub fn at(address: impl Into<String>) -> Self {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { address: address.into(), client }
    }

    /// A client of the same host that shows this key.
    #[must_use]
    pub fn showing(&self, key: &str) -> Self {
        let bearer = format!("Bearer {key}").parse().unwrap();
        let headers = [(reqwest::header::AUTHORIZATION, bearer)].into_iter().collect();
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
        let client = client.default_headers(headers).build().unwrap();
        Self { address: self.address.clone(), client }
    }

    /// Where the host answers, `HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sends a request; fails where the host is gone.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> Result<Answer, reqwest::Error> {
        let method = method.parse().unwrap();
        let url = format!("http://{}{path}", self.address);
        let response = self.client.request(method, url).body(body).send().await?;
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type");
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = content_type.to_owned();
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, content_type, body })
    }

    /// An answer as it was written.
    pub async fn text(&self, path: &str) -> String {
        let url = format!("http://{}{path}", self.address);
        self.client.get(url).send().await.unwrap().text().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "").await.unwrap_or_else(|error| panic!("GET {path}: {error:?}"))
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let sent = self.send("POST", path, body.to_string()).await;
        sent.unwrap_or_else(|error| panic!("POST {path}: {error:?}"))
    }

    pub async fn delete(&self, path: &str) -> Answer {
        let sent = self.send("DELETE", path, "").await;
        sent.unwrap_or_else(|error| panic!("DELETE {path}: {error:?}"))
    }

    /// Uploads a module and returns its digest.
    pub async fn deploy(&self, name: &str, wasm: Vec<u8>) -> String {
        let answer = self.send("PUT", &format!("/v1/modules/{name}"), wasm).await.unwrap();
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        answer.body["digest"].as_str().unwrap().to_owned()
    }

    /// Starts an execution as the order says and returns its id.
    pub async fn start(&self, order: Value) -> String {
        let answer = self.post("/v1/executions", &order).await;
        assert!(answer.is_ok(), "{order}: {} {}", answer.status, answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Starts an execution of a workflow and returns its id.
    pub async fn run(&self, workflow: &str, input: Value) -> String {
        self.start(json!({ "workflow": workflow, "input": input })).await
    }

    /// Starts an execution and waits for its end.
    pub async fn run_to_end(&self, workflow: &str, input: Value) -> End {
        let id = self.run(workflow, input).await;
        self.ended(&id).await
    }

    /// How it stands, after waiting so long for its end.
    pub async fn stands(&self, id: &str, wait: &str) -> End {
        let answer = self.get(&format!("/v1/executions/{id}/result?wait={wait}")).await;
        assert!(answer.is_ok(), "{id}: {} {}", answer.status, answer.body);
        End {
            state: answer.body["state"].as_str().unwrap_or_default().to_owned(),
            result: answer.body["result"].clone(),
            failure: answer.body["failure"].clone(),
        }
    }

    /// Waits until an execution has ended.
    pub async fn ended(&self, id: &str) -> End {
        let ended = self.in_time(id, "end", self.end_of(id)).await;
        assert_ne!(ended.state, "blocked", "{id}: {}", self.execution(id).await);
        ended
    }

    async fn end_of(&self, id: &str) -> End {
        let mut stands = self.stands(id, "30s").await;
        while ["pending", "running", "waiting", "cancelling"].contains(&stands.state.as_str()) {
            stands = self.stands(id, "30s").await;
        }
        stands
    }

    /// Looks again and again until an execution is as `is_so` says, and returns it.
    pub async fn until(&self, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            let mut execution = self.execution(id).await;
            while !is_so(&execution) {
                // The pause is the host's: it answers earlier when the execution ends.
                self.stands(id, "10ms").await;
                execution = self.execution(id).await;
            }
            execution
        };
        self.in_time(id, "become so", found).await
    }

    /// What comes of it, if it comes before anybody's patience ends.
    async fn in_time<T>(&self, id: &str, what: &str, found: impl Future<Output = T>) -> T {
        let Ok(found) = tokio::time::timeout(PATIENCE, found).await else {
            panic!("{id} does not {what}: {:#?}", self.tell(id).await)
        };
        found
    }

    /// Waits until an execution is in a state.
    pub async fn until_state(&self, id: &str, state: &str) -> Value {
        self.until(id, |execution| execution["state"] == state).await
    }

    /// Waits until an execution's journal holds so many entries of a kind.
    pub async fn until_recorded(&self, id: &str, kind: &str, count: usize) {
        let found = async {
            while self.recorded(id, kind).await.len() < count {
                self.stands(id, "10ms").await;
            }
        };
        self.in_time(id, &format!("have {count} {kind} recorded"), found).await;
    }

    /// An execution.
    pub async fn execution(&self, id: &str) -> Value {
        let answer = self.get(&format!("/v1/executions/{id}")).await;
        assert_eq!(answer.status, 200, "{id}: {}", answer.body);
        answer.body
    }

    /// All entries of its journal.
    pub async fn journal(&self, id: &str) -> Vec<Value> {
        self.pages(&format!("/v1/executions/{id}/journal"), "entries").await
    }

    /// The entries of one kind in its journal.
    pub async fn recorded(&self, id: &str, kind: &str) -> Vec<Value> {
        let journal = self.journal(id).await;
        journal.into_iter().filter(|entry| entry["kind"] == kind).collect()
    }

    /// All lines of its log.
    pub async fn logs(&self, id: &str) -> Vec<Value> {
        self.pages(&format!("/v1/executions/{id}/logs"), "lines").await
    }

    async fn pages(&self, path: &str, list: &str) -> Vec<Value> {
        let (mut rows, mut after) = (Vec::new(), json!(0));
        loop {
            let answer = self.get(&format!("{path}?limit=1000&after={after}")).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            rows.extend(answer.body[list].as_array().unwrap().iter().cloned());
            after = answer.body["next_after"].clone();
            if after.is_null() {
                return rows;
            }
        }
    }

    /// Dead letters of an execution.
    pub async fn dead_letters(&self, id: &str) -> Vec<Value> {
        let answer = self.get(&format!("/v1/dead-letters?execution={id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["dead_letters"].as_array().unwrap().clone()
    }

    pub async fn signal(&self, id: &str, name: &str, payload: &Value) -> Answer {
        self.post(&format!("/v1/executions/{id}/signals/{name}"), payload).await
    }

    /// Sends a signal that must be taken.
    pub async fn signalled(&self, id: &str, name: &str, payload: Value) {
        let answer = self.signal(id, name, &payload).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
    }

    pub async fn cancel(&self, id: &str, order: Value) -> Answer {
        self.post(&format!("/v1/executions/{id}/cancel"), &order).await
    }

    /// Everything that is known about an execution, for the message of a test that fails.
    async fn tell(&self, id: &str) -> Value {
        json!({ "execution": self.execution(id).await, "journal": self.journal(id).await })
    }
}
