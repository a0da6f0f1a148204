//! What `stepwell dev` says to whoever develops.

use super::Reach;
use super::error::CliError;
use super::example::example;
use super::grants;
use super::out::{Out, Tone, one_line};
use crate::model::{Manifest, Name, Standing};

/// Speaks on standard output, in the colours that were chosen.
#[derive(Debug)]
pub struct Voice(());

impl Voice {
    /// A voice that obeys `--color`.
    pub fn new(reach: &Reach) -> Self {
        reach.color.choose();
        Self(())
    }

    /// Says one thing, faintly: what goes on.
    pub fn note(&self, text: &str) {
        Self::say(|out| out.line(Tone::Faint.paint(&one_line(text))));
    }

    /// Says what went wrong.
    pub fn fault(&self, text: &str) {
        Self::say(|out| out.line(Tone::Bad.paint(text)));
    }

    /// Says what is active now, how it is started, and what was granted to it.
    pub fn deployed(&self, name: &Name, short: &str, manifest: &Manifest, standing: &Standing) {
        Self::say(|out| {
            let name_of = Tone::Strong.paint(name.as_str());
            out.line(format_args!("{} {name_of} {short} is active", Tone::Good.paint("*")))?;
            for workflow in &manifest.workflows {
                out.line(format_args!("    {}", order(workflow.name.as_str(), &workflow.input)))?;
            }
            if *standing == Standing::default() {
                return Ok(());
            }
            out.line(Tone::Odd.paint("  granted to it, because this host is only yours:"))?;
            grants::show(out, standing)
        });
    }

    /// Where nobody listens, nothing is lost.
    fn say(speak: impl FnOnce(&mut Out) -> Result<(), CliError>) {
        let mut out = Out::stdout();
        speak(&mut out).and_then(|()| out.flush()).ok();
    }
}

/// How a workflow is started, as one types it.
fn order(workflow: &str, schema: &serde_json::Value) -> String {
    let input = example(schema);
    if input.is_null() {
        return format!("stepwell run {workflow} --wait");
    }
    let input = input.to_string().replace('\'', r"'\''");
    format!("stepwell run {workflow} --wait --input '{input}'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_order_can_be_typed_as_it_stands() {
        let schema = json!({ "type": "object", "required": ["o"], "properties": { "o": { "const": "it's" } } });

        assert_eq!(order("sell", &schema), r#"stepwell run sell --wait --input '{"o":"it'\''s"}'"#);
        assert_eq!(order("tick", &json!(true)), "stepwell run tick --wait");
    }
}
