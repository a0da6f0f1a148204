//! The manifest: what `describe` says of a module. Its format is in `docs/manifest.md`.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::definition::{Definition, RunJson, Step, Workflow, run_json};

/// The version of the format that is written here.
const FORMAT: u32 = 1;

/// A workflow or step of a module.
#[derive(Debug)]
pub struct Entry {
    name: &'static str,
    describe: fn() -> Value,
    run: fn(String) -> RunJson,
}

impl Entry {
    /// The entry of a workflow.
    pub const fn workflow<W: Workflow>() -> Self {
        Self { name: W::NAME, describe: describe::<W>, run: run_json::<W> }
    }

    /// The entry of a step.
    pub const fn step<S: Step>() -> Self {
        Self { name: S::NAME, describe: describe::<S>, run: run_json::<S> }
    }

    /// Runs it.
    pub(crate) fn run(&self, input: String) -> RunJson {
        (self.run)(input)
    }
}

/// What the steps of a module want of the world. An operator grants it; the default is nothing.
#[derive(Debug, Clone, Copy)]
pub struct Capabilities {
    /// `[METHOD,METHOD ][http://]host[:port]` that steps send requests to.
    pub http: &'static [&'static str],
    /// `/path:ro` or `/path:rw`.
    pub dir: &'static [&'static str],
    /// Names of environment variables.
    pub env: &'static [&'static str],
    /// Names of secrets.
    pub secret: &'static [&'static str],
}

/// All that a component holds: what `module!` makes.
#[derive(Debug)]
pub struct Module {
    /// Its workflows.
    pub workflows: &'static [Entry],
    /// Its steps.
    pub steps: &'static [Entry],
    /// What its steps want.
    pub capabilities: Capabilities,
}

impl Capabilities {
    /// Nothing.
    pub const NONE: Self = Self { http: &[], dir: &[], env: &[], secret: &[] };
}

impl Module {
    /// The manifest, as JSON.
    pub fn describe(&self) -> String {
        let Capabilities { http, dir, env, secret } = self.capabilities;
        let describe = |entries: &[Entry]| -> Vec<Value> {
            entries.iter().map(|entry| (entry.describe)()).collect()
        };
        json!({
            "manifest": FORMAT,
            "sdk": concat!("stepwell-sdk ", env!("CARGO_PKG_VERSION")),
            "workflows": describe(self.workflows),
            "steps": describe(self.steps),
            "capabilities": { "http": http, "dir": dir, "env": env, "secret": secret },
        })
        .to_string()
    }

    /// The workflow of that name.
    pub(crate) fn workflow(&self, name: &str) -> Option<&Entry> {
        self.workflows.iter().find(|entry| entry.name == name)
    }

    /// The step of that name.
    pub(crate) fn step(&self, name: &str) -> Option<&Entry> {
        self.steps.iter().find(|entry| entry.name == name)
    }
}

fn describe<D: Definition>() -> Value {
    // A default makes a field optional in what is taken, not in what is returned.
    let settings = SchemaSettings::draft2020_12();
    let input = settings.clone().into_generator().into_root_schema_for::<D::Input>();
    let output = settings.for_serialize().into_generator().into_root_schema_for::<D::Output>();
    json!({
        "name": D::NAME,
        "doc": D::DOC,
        "input": input,
        "output": output,
        "options": D::options(),
    })
}

/// Stops the compiler where a module lists one name twice.
///
/// # Panics
/// At compile time, when two entries have one name.
pub const fn assert_unique(names: &[&str]) {
    let mut i = 0;
    while i < names.len() {
        let mut j = i + 1;
        while j < names.len() {
            assert!(
                !equal(names[i], names[j]),
                "module! lists one name twice; give one of them `name = \"...\"`"
            );
            j += 1;
        }
        i += 1;
    }
}

// `==` on texts is not const.
const fn equal(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut i = 0;
    while i < left.len() {
        if left[i] != right[i] {
            return false;
        }
        i += 1;
    }
    true
}
