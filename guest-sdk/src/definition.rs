//! What the attributes make of a function: its name, its options, and how it is run. Hidden from the documentation save
//! for the traits that compilers mention.

use std::future::Future;
use std::pin::Pin;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Failure;
use crate::promise::Outcome;

/// A workflow or step.
pub trait Definition: 'static {
    /// What it takes: its one argument, nothing, or an object of its arguments by name.
    type Input: DeserializeOwned + JsonSchema;
    /// What it returns.
    type Output: Serialize + JsonSchema;
    /// What callers and journals use.
    const NAME: &'static str;
    /// For people.
    const DOC: &'static str;

    /// What its attribute declares, in the form of the manifest.
    fn options() -> Value;

    /// Runs it.
    fn run(input: Self::Input) -> impl Future<Output = Result<Self::Output, Failure>>;
}

/// A function with `#[stepwell::step]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no step",
    label = "put `#[stepwell::step]` on this function, or list it under `workflows`"
)]
pub trait Step: Definition {}

/// A function with `#[stepwell::workflow]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no workflow",
    label = "put `#[stepwell::workflow]` on this function, or list it under `steps`"
)]
pub trait Workflow: Definition {}

/// What may be given to a step or workflow that takes a `T`: a `T`, a reference to one, or a `&str` for a `String`.
#[diagnostic::on_unimplemented(
    message = "this step or workflow takes a `{T}`",
    label = "give a `{T}` or a `&{T}`"
)]
pub trait Argument<T> {
    /// Writes it down as it will travel.
    fn to_json(&self) -> Result<String, Failure>;
}

impl<T: Serialize> Argument<T> for T {
    fn to_json(&self) -> Result<String, Failure> {
        write_json(self)
    }
}

impl<T: Serialize> Argument<T> for &T {
    fn to_json(&self) -> Result<String, Failure> {
        write_json(self)
    }
}

impl Argument<String> for &str {
    fn to_json(&self) -> Result<String, Failure> {
        write_json(self)
    }
}

fn write_json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| {
        Failure::new(
            Failure::INVALID_INPUT,
            format!("an argument cannot be written as JSON: {error}"),
        )
    })
}

/// The arguments of a function that takes several: an object, in the order of the declaration.
#[derive(Debug)]
pub struct Arguments {
    object: Result<String, Failure>,
}

impl Arguments {
    /// Begins with the first argument, already written down.
    pub fn of(name: &str, json: Result<String, Failure>) -> Self {
        Self { object: json.map(|json| format!("{{\"{name}\":{json}")) }
    }

    /// Adds the next one.
    #[must_use]
    pub fn and(self, name: &str, json: Result<String, Failure>) -> Self {
        let object = self.object.and_then(|object| Ok(format!("{object},\"{name}\":{}", json?)));
        Self { object }
    }

    /// The whole object.
    pub fn into_json(self) -> Result<String, Failure> {
        self.object.map(|object| object + "}")
    }
}

/// What a step or workflow may return.
#[diagnostic::on_unimplemented(
    message = "a step or workflow returns `Result<T, Failure>`",
    label = "return `Result<{Self}, stepwell::Failure>` and wrap the value in `Ok`"
)]
pub trait Returned {
    /// The value where all went well.
    type Output;

    /// As a failure of this crate.
    fn into_result(self) -> Result<Self::Output, Failure>;
}

impl<T, E: Into<Failure>> Returned for Result<T, E> {
    type Output = T;

    fn into_result(self) -> Result<T, Failure> {
        self.map_err(Into::into)
    }
}

/// A workflow or step that runs, from JSON to JSON.
pub(crate) type RunJson = Pin<Box<dyn Future<Output = Outcome>>>;

/// Runs it, from JSON to JSON.
pub(crate) fn run_json<D: Definition>(input: String) -> RunJson {
    Box::pin(async move {
        let input = serde_json::from_str(&input).map_err(|error| {
            let message = format!("{} does not take this input: {error}", D::NAME);
            Failure::new(Failure::INVALID_INPUT, message)
        })?;
        let output = D::run(input).await?;
        serde_json::to_string(&output).map_err(|error| {
            let message = format!("what {} returned cannot be written as JSON: {error}", D::NAME);
            Failure::new(Failure::INVALID_OUTPUT, message)
        })
    })
}
