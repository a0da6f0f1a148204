//! A host without a worker: nothing that is accepted begins, so that what was accepted can be looked at.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stepwell::dispatch::{Dispatch, Identity, Parts};
use stepwell::http::{Access, Door, HostState, Keys, serve};
use stepwell::journal::{Body, Ended, Entry};
use stepwell::model::{
    Clock, ExecutionId, ExecutionState, HostId, Ids, Limits, Manifest, Name, Payload, RandomIds,
    Run, Seq, SystemClock, Wake,
};
use stepwell::notify::{LocalNotifier, Notifier};
use stepwell::sandbox::{OutsideConfig, Sandbox, SandboxConfig};
use stepwell::store::{
    Append, ClaimFilter, Committer, CommitterPlace, NewHost, PostgresOptions, RowChange, Snapshot,
    SqlStore, SqliteOptions, Store, Write,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The host, and a client of it.
pub(crate) struct Front {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) door: Door,
    pub(crate) dispatch: Dispatch,
    committer: Committer,
    births: mpsc::Receiver<Snapshot>,
    notifier: Arc<LocalNotifier>,
    host: HostId,
    address: String,
    client: reqwest::Client,
    #[expect(dead_code, reason = "it ends with the front")]
    serving: JoinSet<std::io::Result<()>>,
    folder: TempDir,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("a JSON answer")
    }

    /// Holds it to be a problem document of that status and type, and returns its detail.
    pub(crate) fn problem(&self, status: u16, kind: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.content, "application/problem+json", "{self:?}");
        let document = self.json();
        assert_eq!(document["status"], status, "{self:?}");
        assert_eq!(document["type"], format!("urn:stepwell:problem:{kind}"), "{self:?}");
        document["detail"].as_str().expect("a problem has a detail").to_owned()
    }
}

impl Front {
    /// A host on a database of its own on a server.
    pub(crate) async fn on_server(url: &str) -> Self {
        let (limits, host) = (Limits::for_cores(1), RandomIds.host());
        let options = PostgresOptions { connections_max: 4, ..PostgresOptions::default() };
        let store = SqlStore::connect(url, &options, &limits).await.expect("a database");
        let store = entered(Arc::new(store), host).await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self::over((store, host, folder), limits, Access::default()).await
    }

    pub(crate) async fn open() -> Self {
        Self::with_limits(Limits::for_cores(1)).await
    }

    pub(crate) async fn with_limits(limits: Limits) -> Self {
        Self::guarded(limits, Access::default()).await
    }

    /// A host that asks for keys, in front of which a proxy stands that tells where requests come from.
    pub(crate) async fn locked() -> Self {
        let proxy = IpAddr::from([127, 0, 0, 1]).into();
        let access =
            Access { keys: Keys::Always, trusted_proxies: vec![proxy], ..Access::default() };
        Self::guarded(Limits::for_cores(1), access).await
    }

    async fn guarded(limits: Limits, access: Access) -> Self {
        let (folder, host) = (tempfile::tempdir().expect("a temporary folder"), RandomIds.host());
        let path = folder.path().join("stepwell.db");
        let options = SqliteOptions::default();
        let store = SqlStore::open(&path, &options, &limits).await.expect("a database");
        let store = entered(Arc::new(store), host).await;
        Self::over((store, host, folder), limits, access).await
    }

    async fn over(
        (store, host, folder): (Arc<dyn Store>, HostId, TempDir),
        limits: Limits,
        access: Access,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let sandbox = SandboxConfig {
            cache_dir: folder.path().join("cache"),
            compiler: env!("CARGO_BIN_EXE_stepwell").into(),
            guest_threads: 1,
            outside: OutsideConfig::default(),
        };
        let sandbox = Sandbox::new(sandbox, &limits, Arc::clone(&clock)).expect("a sandbox");
        let (committer, births) = Committer::start(
            Arc::clone(&store),
            host,
            &limits,
            CommitterPlace {
                threads: &Handle::current(),
                tracker: &TaskTracker::new(),
                stop: CancellationToken::new(),
            },
        );
        let notifier = Arc::new(LocalNotifier::default());
        let parts = Parts {
            store: Arc::clone(&store),
            sandbox,
            notifier: Arc::clone(&notifier) as Arc<dyn Notifier>,
            clock,
            ids: Arc::new(RandomIds),
            tracer: Arc::new(stepwell::model::Untraced),
            limits,
            filter: ClaimFilter::default(),
        };
        let dispatch = Dispatch::new(parts, Identity { host, committer: committer.clone() });
        let door = Door::new(dispatch.clone(), || HostState::Starting, Arc::new(String::new));
        let door = door.guarded(access);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, door.clone()));
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self {
            store,
            door,
            dispatch,
            committer,
            births,
            notifier,
            host,
            address,
            client,
            serving,
            folder,
        }
    }

    /// A module of that name with these workflows, each with its schema, as if it had been uploaded.
    pub(crate) async fn module(&self, name: &str, workflows: &[(&str, Value)]) {
        let workflows: Vec<_> = workflows
            .iter()
            .map(|(workflow, schema)| json!({ "name": workflow, "input": schema }))
            .collect();
        let manifest = json!({ "manifest": 1, "workflows": workflows }).to_string();
        let manifest = Manifest::read(&manifest).expect("a manifest");
        let name = Name::new(name).expect("a name");
        let wasm = name.as_str().as_bytes();
        self.store.deploy(self.host, &name, &manifest, wasm).await.expect("it is kept");
    }

    /// Where its database is.
    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        self.send(self.request(method, path).body(body)).await
    }

    pub(crate) async fn read(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.ask(Method::POST, path, body).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address))
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let status = response.status();
        let content = response.headers().get("content-type");
        let content = content.map_or("", |content| content.to_str().expect("a text")).to_owned();
        Answer { status, content, text: response.text().await.expect("a body") }
    }

    /// Starts an execution that nobody runs, and returns its id.
    pub(crate) async fn start(&self, body: Value) -> String {
        let answer = self.post("/v1/executions", body.to_string()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Starts an execution that this host owns.
    pub(crate) async fn start_owned(&mut self, workflow: &str) -> Snapshot {
        self.committer.set_takes_births(true);
        self.start(json!({ "workflow": workflow })).await;
        self.births.recv().await.expect("it is born here")
    }

    /// Ends an execution that this host owns and that has only begun, as its worker would.
    pub(crate) async fn end(&self, snapshot: &Snapshot, result: &str) {
        self.end_at(snapshot, 2, result).await;
    }

    /// The same, by the entry of that number.
    pub(crate) async fn end_at(&self, snapshot: &Snapshot, seq: u64, result: &str) {
        let body = Body::Ended(Ended {
            state: ExecutionState::Completed,
            outcome: Ok(Payload::new(result, 1_000).expect("a payload")),
            fuel: 0,
            unreceived: 0,
        });
        let row = RowChange::End { state: ExecutionState::Completed, failure_kind: None };
        self.append(snapshot, seq, (body, row)).await;
        self.notifier.wake(Wake::Changed { execution: snapshot.execution.id });
    }

    /// Writes an entry that says nothing.
    pub(crate) async fn note(&self, snapshot: &Snapshot, seq: u64) {
        self.note_in_silence(snapshot, seq).await;
        self.notifier.wake(Wake::Changed { execution: snapshot.execution.id });
    }

    /// The same, and nobody hints at it.
    pub(crate) async fn note_in_silence(&self, snapshot: &Snapshot, seq: u64) {
        self.append(snapshot, seq, (Body::Noted, RowChange::Keep)).await;
    }

    async fn append(&self, snapshot: &Snapshot, seq: u64, (body, row): (Body, RowChange)) {
        let last = snapshot.entries.last().expect("it has begun");
        let mut append = Append::new(snapshot.execution.id, self.host, Run(0));
        append.entries.push(Entry {
            seq: Seq(seq),
            run: Run(0),
            recorded_at: last.recorded_at,
            noted: 0,
            body,
        });
        append.row = row;
        self.committer.submit(Write::Append(Box::new(append))).await.expect("it is written");
    }

    pub(crate) async fn count(&self) -> u64 {
        self.store
            .counts()
            .await
            .expect("the counts")
            .executions
            .iter()
            .map(|(_, count)| count)
            .sum()
    }
}

/// The store, in which the host is entered.
async fn entered(store: Arc<dyn Store>, host: HostId) -> Arc<dyn Store> {
    let row = NewHost {
        id: host,
        name: "front".to_owned(),
        lease: None,
        version: "0".to_owned(),
        session: "front".to_owned(),
        started_at: SystemClock::new().now(),
        queues: Vec::new(),
        tags: Vec::new(),
    };
    store.register(&row).await.expect("it is entered");
    store
}

/// An id that nothing has.
pub(crate) fn nobody() -> ExecutionId {
    ExecutionId::from_bytes([9; 16])
}
