//! A sandbox with a policy, and the guest that reaches for what it is told to.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use stepwell::model::{
    Capabilities, Ending, Failure, Limits, Name, Policy, PolicyForm, Reach, StepCall, StepReport,
    SystemClock,
};
use stepwell::sandbox::{Module, OutsideConfig, Resolve, Sandbox, SandboxConfig, SystemResolver};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::house;

/// A sandbox, and what stands behind it.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) module: Module,
    _folder: TempDir,
}

/// How a world is made.
pub(crate) struct Plan {
    pub(crate) policy: String,
    pub(crate) wants: Capabilities,
    /// None: all that it wants.
    pub(crate) granted: Option<Capabilities>,
    pub(crate) limits: Limits,
    pub(crate) authority: String,
    pub(crate) resolver: Arc<dyn Resolve>,
}

impl Plan {
    pub(crate) fn new(policy: impl Into<String>) -> Self {
        Self {
            policy: policy.into(),
            wants: Capabilities::default(),
            granted: None,
            limits: house::limits(),
            authority: String::new(),
            resolver: Arc::new(SystemResolver::default()),
        }
    }

    pub(crate) fn http(mut self, targets: &[&str]) -> Self {
        self.wants.http = targets.iter().map(|target| (*target).to_owned()).collect();
        self
    }

    pub(crate) fn wants(mut self, wants: Value) -> Self {
        self.wants = serde_json::from_value(wants).unwrap();
        self
    }

    pub(crate) fn granted(mut self, granted: Value) -> Self {
        self.granted = Some(serde_json::from_value(granted).unwrap());
        self
    }

    pub(crate) async fn build(self) -> World {
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("authority.pem");
        std::fs::write(&authority, &self.authority).unwrap();
        let policy = Policy::read(&self.policy, PolicyForm::Toml).unwrap();
        let config = SandboxConfig {
            cache_dir: Path::new(env!("CARGO_TARGET_TMPDIR")).join("reaching"),
            compiler: env!("CARGO_BIN_EXE_stepwell").into(),
            guest_threads: 1,
            outside: OutsideConfig {
                policy: Arc::new(policy),
                data: None,
                ca: (!self.authority.is_empty()).then_some(authority),
                resolver: self.resolver,
                environment: |name| (name == "THE_KEY").then(|| KEY.to_owned()),
            },
        };
        let sandbox = Sandbox::new(config, &self.limits, Arc::new(SystemClock::new())).unwrap();
        let (digest, _manifest) = sandbox.admit(&house::guest("reaching")).await.unwrap();
        let wants = Reach::read(&self.wants).unwrap();
        let granted = Reach::read(self.granted.as_ref().unwrap_or(&self.wants)).unwrap();
        let names = [Name::new("reaching").unwrap()];
        let equipment = sandbox.equip(&names, &wants, &granted);
        let module = sandbox.loaded(digest).unwrap().equipped(Arc::new(equipment));
        World { sandbox, module, _folder: folder }
    }
}

/// The value of the secret that comes from the host's environment.
pub(crate) const KEY: &str = "sk_live_51H\"\\/quoted+and/slashed";

impl World {
    pub(crate) async fn run(&self, step: &str, input: Value) -> StepReport {
        let call = house::call(step, &input.to_string());
        self.run_call(call, CancellationToken::new()).await
    }

    pub(crate) async fn run_call(&self, call: StepCall, stop: CancellationToken) -> StepReport {
        self.sandbox.run_step(&self.module, call, stop).await
    }

    /// What a step returns.
    pub(crate) async fn value(&self, step: &str, input: Value) -> Value {
        let report = self.run(step, input).await;
        match &report.ending {
            Ending::Returned(Ok(payload)) => serde_json::from_str(payload.as_str()).unwrap(),
            other => panic!("{step}: {other:?}"),
        }
    }

    /// What a step fails with.
    pub(crate) async fn failure(&self, step: &str, input: Value) -> Failure {
        let report = self.run(step, input.clone()).await;
        match report.ending {
            Ending::Returned(Err(failure)) => failure,
            other => panic!("{step} {input}: {other:?}"),
        }
    }

    pub(crate) async fn fetch(&self, method: &str, url: &str) -> Value {
        self.value("fetch", json!({ "method": method, "url": url })).await
    }

    /// A request that is refused, with the kind and what the message says.
    pub(crate) async fn refused(&self, url: &str, says: &str) {
        let failure = self.failure("fetch", json!({ "method": "GET", "url": url })).await;
        assert_eq!(failure.kind, "not-granted", "{url}: {failure}");
        assert!(failure.message.contains(says), "{url}: {failure}");
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("module", &self.module).finish_non_exhaustive()
    }
}

/// A policy under which these names are the machine itself, on any port, in the open and over TLS.
pub(crate) fn own(names: &[&str]) -> String {
    let private: Vec<String> = names
        .iter()
        .flat_map(|name| [format!("\"http://{name}:*\""), format!("\"{name}:*\"")])
        .collect();
    let resolve: Vec<String> = names
        .iter()
        .filter(|name| name.parse::<IpAddr>().is_err() && **name != "localhost")
        .map(|name| format!("\"{name}\" = \"127.0.0.1\""))
        .collect();
    format!(
        "http = {{ private = [{}], resolve = {{ {} }} }}\n",
        private.join(", "),
        resolve.join(", ")
    )
}
