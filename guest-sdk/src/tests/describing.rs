//! The manifest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Failure;
use crate::executor::run_step;
use crate::manifest::{Capabilities, Entry, Module};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Order {
    id: String,
    #[serde(default)]
    gift: bool,
}

/// Stands before the attribute,
/// on two lines.
#[stepwell::step(
    queue = "payments",
    tags = ["eu", "pci"],
    priority = -5,
    retry(max_attempts = 5, initial_delay = "1s", backoff_factor = 3, max_delay = "1m30s", jitter = 0.5,
          retry_for = ["away"], never_for = ["declined"]),
    timeout = "30s",
    schedule_timeout = "5m",
    max_concurrent = 5,
    rate = "10/s",
    per_key(pointer = "/id", max_concurrent = 2, rate = "100/m"),
    cached,
    cache_ttl = "1h",
    idempotent = true,
    version = "2",
)]
async fn charge(order: Order) -> Result<Order, Failure> {
    Ok(order)
}

#[stepwell::step(name = "send-mail.v2")]
/// Stands after the attribute.
async fn mail(to: String, order: Order) -> Result<(), Failure> {
    if order.gift {
        stepwell::bail!("gift", "{to}");
    }
    Ok(())
}

#[stepwell::workflow(max_duration = "2h", queue = "slow")]
async fn checkout(_order: Order) -> Result<(), std::fmt::Error> {
    Ok(())
}

static MODULE: Module = Module {
    workflows: &[Entry::workflow::<checkout>()],
    steps: &[Entry::step::<charge>(), Entry::step::<mail>()],
    capabilities: Capabilities { http: &["api.example.com:443"], ..Capabilities::NONE },
};

fn described() -> Value {
    serde_json::from_str(&MODULE.describe()).unwrap()
}

#[test]
fn every_option_is_in_the_manifest() {
    let manifest = described();

    assert_eq!(manifest["manifest"], 1);
    assert_eq!(manifest["capabilities"]["http"], json!(["api.example.com:443"]));
    assert_eq!(
        manifest["workflows"][0]["options"],
        json!({ "max_duration": "2h", "queue": "slow" })
    );
    let expected = json!({
        "queue": "payments", "tags": ["eu", "pci"], "priority": -5,
        "retry": {
            "max_attempts": 5, "initial_delay": "1s", "backoff_factor": 3.0, "max_delay": "1m30s", "jitter": 0.5,
            "retry_for": ["away"], "never_for": ["declined"]
        },
        "timeout": "30s", "schedule_timeout": "5m", "max_concurrent": 5, "rate": "10/s",
        "per_key": { "pointer": "/id", "max_concurrent": 2, "rate": "100/m" },
        "cached": true, "cache_ttl": "1h", "idempotent": true, "version": "2"
    });
    assert_eq!(manifest["steps"][0]["options"], expected);
}

#[test]
fn names_and_docs_are_in_the_manifest_wherever_the_attribute_stands() {
    let steps = &described()["steps"];

    assert_eq!(steps[0]["name"], "charge");
    assert_eq!(steps[0]["doc"], "Stands before the attribute,\non two lines.");
    assert_eq!(steps[1]["name"], "send-mail.v2");
    assert_eq!(steps[1]["doc"], "Stands after the attribute.");
    assert_eq!(steps[1]["options"], json!({}));
}

#[test]
fn a_default_is_optional_in_an_input_and_always_there_in_an_output() {
    let charge = &described()["steps"][0];

    assert_eq!(charge["input"]["required"], json!(["id"]));
    assert_eq!(charge["output"]["required"], json!(["id", "gift"]));
}

#[test]
fn several_arguments_are_one_object() {
    let input = &described()["steps"][1]["input"];

    assert_eq!(input["type"], "object");
    assert_eq!(input["required"], json!(["to", "order"]));
    assert_eq!(input["properties"]["to"]["type"], "string");
    let order = Order { id: "o-1".to_owned(), gift: true };
    assert!(run_step(mail("ada", &order)).unwrap_err().is("gift"));
}

#[test]
fn what_a_step_does_not_take_is_refused_with_its_name() {
    let step = MODULE.step("charge").unwrap();

    let failure = run_step(step.run(r#"{"id":7}"#.to_owned())).unwrap_err();

    assert!(failure.is(Failure::INVALID_INPUT));
    assert!(failure.message.contains("charge") && failure.message.contains("id"), "{failure}");
}
