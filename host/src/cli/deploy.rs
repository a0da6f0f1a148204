//! `stepwell deploy`

use std::path::PathBuf;

use clap::Args;
use reqwest::Method;
use serde::Deserialize;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::Out;
use super::typed;
use crate::model::Name;

#[derive(Debug, Args)]
pub struct Deploy {
    /// The component: a .wasm file
    file: PathBuf,
    /// Name of the module [default: the file's name, with - for _]
    #[arg(long)]
    name: Option<Name>,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Deserialize)]
struct Module {
    name: String,
    digest: String,
    workflows: Vec<String>,
    steps: Vec<String>,
}

impl Deploy {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let name = self.module_name()?;
        let wasm = tokio::fs::read(&self.file).await;
        let wasm = wasm.map_err(|source| CliError::Unreadable {
            path: self.file.display().to_string(),
            source,
        })?;
        let request = client.ask(Method::PUT, &["modules", typed::in_path(&name)?], &[]);
        let request = request.header("content-type", "application/wasm").body(wasm);
        let answer = client.send(request).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let module: Module = answer.read()?;
        out.line(format_args!("{} {} is active", module.name, module.digest))?;
        out.line(format_args!("  workflows  {}", listed(&module.workflows)))?;
        out.line(format_args!("  steps      {}", listed(&module.steps)))
    }

    fn module_name(&self) -> Result<Name, CliError> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let stem = self.file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        Name::new(&stem.replace('_', "-")).map_err(|error| {
            CliError::Usage(format!("the file's name is no module's name: {error}; give --name"))
        })
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
