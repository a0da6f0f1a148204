//! What a module declares: see `docs/manifest.md`, which is the contract.

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::duration::{serde_option, serde_text};
use super::per_key::{PerKey, check_limits};
use super::{BadCapability, Name, Reach, RetryPolicy, Routing};

/// The document that `describe` returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub manifest: u32,
    /// What built it, for people.
    #[serde(default)]
    pub sdk: String,
    /// Its workflows.
    #[serde(default)]
    pub workflows: Vec<WorkflowSpec>,
    /// Its steps.
    #[serde(default)]
    pub steps: Vec<StepSpec>,
    /// What its steps want of the world.
    #[serde(default)]
    pub capabilities: Capabilities,
}

/// One workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkflowSpec {
    /// What callers use.
    pub name: Name,
    /// For people.
    #[serde(default)]
    pub doc: String,
    /// JSON Schema of the argument.
    #[serde(default = "anything")]
    pub input: Value,
    /// JSON Schema of the result.
    #[serde(default = "anything")]
    pub output: Value,
    /// How it is run.
    #[serde(default)]
    pub options: WorkflowOptions,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepSpec {
    /// What workflows use.
    pub name: Name,
    /// For people.
    #[serde(default)]
    pub doc: String,
    /// JSON Schema of the argument.
    #[serde(default = "anything")]
    pub input: Value,
    /// JSON Schema of the result.
    #[serde(default = "anything")]
    pub output: Value,
    /// How it is run.
    #[serde(default)]
    pub options: StepOptions,
}

fn anything() -> Value {
    Value::Bool(true)
}

/// How a workflow is run unless a start says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkflowOptions {
    /// Queue, tags, priority.
    #[serde(flatten)]
    pub routing: RoutingOptions,
    /// After which the execution is `timed_out`.
    #[serde(with = "serde_option", skip_serializing_if = "Option::is_none")]
    pub max_duration: Option<Duration>,
    /// For people.
    pub version: String,
}

/// Queue, tags and priority, each with its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoutingOptions {
    /// The queue.
    pub queue: Name,
    /// The tags.
    pub tags: Vec<Name>,
    /// The priority.
    pub priority: i32,
}

impl Default for RoutingOptions {
    fn default() -> Self {
        let Routing { queue, tags, priority } = Routing::default();
        Self { queue, tags, priority }
    }
}

impl Default for WorkflowOptions {
    fn default() -> Self {
        Self { routing: RoutingOptions::default(), max_duration: None, version: "1".to_owned() }
    }
}

/// How a step is run unless a call says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepOptions {
    /// Queue, tags, priority.
    #[serde(flatten)]
    pub routing: RoutingOptions,
    /// Part of the keys of cached and idempotent results.
    pub version: String,
    /// When a failed attempt is tried again.
    pub retry: RetryPolicy,
    /// How long one attempt may take.
    #[serde(with = "serde_text")]
    pub timeout: Duration,
    /// How long a call may wait in a queue.
    #[serde(with = "serde_option", skip_serializing_if = "Option::is_none")]
    pub schedule_timeout: Option<Duration>,
    /// How many may run at once in the whole cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u32>,
    /// How many may start in a time, such as `"10/s"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<String>,
    /// The same for each key of its input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_key: Option<PerKey>,
    /// Whether its result is kept and answers later calls.
    pub cached: bool,
    /// How long a kept result is good for.
    #[serde(with = "serde_option", skip_serializing_if = "Option::is_none")]
    pub cache_ttl: Option<Duration>,
    /// Whether it runs once for one input.
    pub idempotent: bool,
}

impl Default for StepOptions {
    fn default() -> Self {
        Self {
            routing: RoutingOptions::default(),
            version: "1".to_owned(),
            retry: RetryPolicy::default(),
            timeout: Duration::from_secs(300),
            schedule_timeout: None,
            max_concurrent: None,
            rate: None,
            per_key: None,
            cached: false,
            cache_ttl: None,
            idempotent: false,
        }
    }
}

/// What the steps of a module want of the world; nothing unless an operator grants it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Capabilities {
    /// `[METHOD,METHOD ][http://]host[:port]`.
    pub http: Vec<String>,
    /// `/guest/path:ro` or `:rw`.
    pub dir: Vec<String>,
    /// Names of environment variables.
    pub env: Vec<String>,
    /// Names of secrets.
    pub secret: Vec<String>,
}

/// Capabilities as a person writes them: a kind that there is not is a slip, where newer modules may want what is not known yet.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields, expecting = "an object of http, dir, env and secret")]
pub struct WrittenCapabilities {
    http: Vec<String>,
    dir: Vec<String>,
    env: Vec<String>,
    secret: Vec<String>,
}

impl From<WrittenCapabilities> for Capabilities {
    fn from(written: WrittenCapabilities) -> Self {
        let WrittenCapabilities { http, dir, env, secret } = written;
        Self { http, dir, env, secret }
    }
}

/// Why a manifest is refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It does not have the form of a manifest.
    #[error("what describe() returned is no manifest")]
    Malformed(#[source] serde_json::Error),
    /// It is of a format this host does not know.
    #[error("the manifest is of version {found}, this host reads version 1; use a newer host")]
    Version {
        /// What it says.
        found: u32,
    },
    /// Two things have one name.
    #[error("the manifest names {what} {name} twice")]
    Twice {
        /// Workflow or step.
        what: &'static str,
        /// The name.
        name: Name,
    },
    /// A number is out of its bounds.
    #[error("{what} of {name} is {value}, it must be {bounds}")]
    Bounds {
        /// The option.
        what: &'static str,
        /// The workflow or step.
        name: Name,
        /// What was declared.
        value: String,
        /// What is allowed.
        bounds: &'static str,
    },
    /// It wants what cannot be read.
    #[error("a capability of the manifest is refused")]
    Capability(#[source] BadCapability),
    /// It declares nothing.
    #[error("the manifest names no workflow and no step")]
    Empty,
}

impl Manifest {
    /// The version of the format that this host reads.
    pub const VERSION: u32 = 1;

    /// Reads and checks what `describe` returned.
    pub fn read(json: &str) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_str(json).map_err(ManifestError::Malformed)?;
        if manifest.manifest != Self::VERSION {
            return Err(ManifestError::Version { found: manifest.manifest });
        }
        if manifest.workflows.is_empty() && manifest.steps.is_empty() {
            return Err(ManifestError::Empty);
        }
        unique("workflow", manifest.workflows.iter().map(|spec| &spec.name))?;
        unique("step", manifest.steps.iter().map(|spec| &spec.name))?;
        for spec in &manifest.workflows {
            check_routing(&spec.name, &spec.options.routing)?;
        }
        for spec in &manifest.steps {
            check_routing(&spec.name, &spec.options.routing)?;
            check_retry(&spec.name, &spec.options.retry)?;
            check_limits(&spec.name, &spec.options)?;
        }
        Reach::read(&manifest.capabilities).map_err(ManifestError::Capability)?;
        Ok(manifest)
    }

    /// The workflow of that name.
    pub fn workflow(&self, name: &str) -> Option<&WorkflowSpec> {
        self.workflows.iter().find(|spec| spec.name.as_str() == name)
    }

    /// The step of that name.
    pub fn step(&self, name: &str) -> Option<&StepSpec> {
        self.steps.iter().find(|spec| spec.name.as_str() == name)
    }
}

fn unique<'a>(
    what: &'static str,
    names: impl Iterator<Item = &'a Name>,
) -> Result<(), ManifestError> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(ManifestError::Twice { what, name: name.clone() });
        }
    }
    Ok(())
}

fn check_routing(name: &Name, routing: &RoutingOptions) -> Result<(), ManifestError> {
    let bounds = |what, value: String, bounds| {
        Err(ManifestError::Bounds { what, name: name.clone(), value, bounds })
    };
    if !(Routing::PRIORITY_MIN..=Routing::PRIORITY_MAX).contains(&routing.priority) {
        return bounds("priority", routing.priority.to_string(), "from -100 to 100");
    }
    if routing.tags.len() > Routing::TAGS_MAX {
        return bounds("tags", format!("{} tags", routing.tags.len()), "at most 16 tags");
    }
    Ok(())
}

fn check_retry(name: &Name, retry: &RetryPolicy) -> Result<(), ManifestError> {
    let bounds = |what, value: String, bounds| {
        Err(ManifestError::Bounds { what, name: name.clone(), value, bounds })
    };
    if !(1..=RetryPolicy::ATTEMPTS_MAX).contains(&retry.max_attempts) {
        return bounds("retry.max_attempts", retry.max_attempts.to_string(), "from 1 to 1,000,000");
    }
    if !(retry.backoff_factor >= 1.0 && retry.backoff_factor <= 1_000.0) {
        return bounds("retry.backoff_factor", retry.backoff_factor.to_string(), "from 1 to 1000");
    }
    if !(0.0..=1.0).contains(&retry.jitter) {
        return bounds("retry.jitter", retry.jitter.to_string(), "from 0 to 1");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_declares_nothing_has_the_documented_defaults() {
        let manifest = Manifest::read(r#"{"manifest":1,"steps":[{"name":"charge"}]}"#).unwrap();

        let options = &manifest.step("charge").unwrap().options;

        assert_eq!(options.retry.max_attempts, 3);
        assert_eq!(options.timeout, Duration::from_secs(300));
        assert_eq!(options.routing.queue.as_str(), "default");
    }

    #[test]
    fn it_is_refused_with_what_is_wrong() {
        let read = |json: &str| Manifest::read(json).unwrap_err().to_string();

        assert!(read(r#"{"manifest":2}"#).contains("version 2"));
        assert!(read(r#"{"manifest":1}"#).contains("no workflow"));
        assert!(read(r#"{"manifest":1,"steps":[{"name":"a"},{"name":"a"}]}"#).contains("a twice"));
        assert!(
            read(r#"{"manifest":1,"steps":[{"name":"a","options":{"priority":101}}]}"#)
                .contains("priority of a is 101")
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        let json = r#"{"manifest":1,"workflows":[{"name":"w","options":{"max_duration":"2h","tags":["gpu"]}}],
            "steps":[{"name":"s","options":{"retry":{"max_attempts":7},"rate":"10/s",
            "per_key":{"pointer":"/customer","max_concurrent":5}}}]}"#;
        let manifest = Manifest::read(json).unwrap();

        let again = Manifest::read(&serde_json::to_string(&manifest).unwrap()).unwrap();

        assert_eq!(again, manifest);
    }
}
