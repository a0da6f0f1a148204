//! L3: an execution's output is the fold of its recorded results.

use serde_json::{Value, json};
use stepwell::journal::{Body, Ended, Event, Started, effective};
use stepwell::model::Payload;

use super::Record;

/// What does not hold.
pub(super) fn breaches(record: &Record) -> Vec<String> {
    let effective = effective(record.entries.clone());
    let (mut input, mut results, mut signals) = (Value::Null, Vec::new(), Vec::new());
    let mut output = None;
    for entry in effective {
        match entry.body {
            Body::Started(Started { input: given, .. }) => {
                input = json_of(&given);
                (results, signals) = (Vec::new(), Vec::new());
            }
            Body::Event(Event::Settled { promise, outcome: Ok(result), .. }) => {
                results.push((promise, json_of(&result)));
            }
            Body::Event(Event::Received { signal, payload, .. })
                if signal.as_str() == "message" =>
            {
                signals.push(json_of(&payload));
            }
            Body::Ended(Ended { outcome: Ok(result), .. }) => output = Some(json_of(&result)),
            _ => {}
        }
    }
    results.sort_by_key(|(promise, _)| *promise);
    let recorded = Recorded {
        input,
        results: results.into_iter().map(|(_, result)| result).collect(),
        signals,
    };
    let (Some(output), workflow) = (output, record.view.row.workflow.as_str()) else {
        return Vec::new();
    };
    match recorded.fold(workflow, &output) {
        Some(folded) if folded != output => {
            vec![format!("L3: it returned {output}, its results fold to {folded}")]
        }
        Some(_) | None => Vec::new(),
    }
}

fn json_of(payload: &Payload) -> Value {
    serde_json::from_str(payload.as_str()).unwrap()
}

struct Recorded {
    input: Value,
    /// In the order of their promises.
    results: Vec<Value>,
    /// Those called `message`, in the order of their arrival.
    signals: Vec<Value>,
}

impl Recorded {
    /// What a workflow must have made of them. None: nobody has said.
    fn fold(&self, workflow: &str, output: &Value) -> Option<Value> {
        Some(match workflow {
            "noop" | "sleeper" => self.input.clone(),
            "chain" | "wide" | "parent" => {
                json!(self.results.iter().filter_map(Value::as_u64).sum::<u64>())
            }
            "child" | "retried" => self.results.last()?.clone(),
            "ledgered" => json!(self.results),
            "signals" => {
                let count = usize::try_from(self.input.as_u64()?).ok()?;
                json!(self.signals.iter().take(count).collect::<Vec<_>>())
            }
            "fan_out" => {
                let sum = self.results.iter().filter_map(Value::as_u64).sum::<u64>();
                json!({ "items": self.results.len(), "sum": sum, "in_order": true })
            }
            // Whatever the receipt says, some step has said before.
            "checkout" => {
                let said =
                    |value: &Value| self.results.contains(value) || *value == self.input["order"];
                let unsaid = output.as_object()?.values().find(|value| !said(value));
                unsaid.map_or_else(|| output.clone(), |_| Value::Null)
            }
            _ => return None,
        })
    }
}
