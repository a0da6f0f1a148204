//! `stepwell modules`

use clap::Args;
use serde::Deserialize;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::{Out, one_line, table, when};
use crate::model::Timestamp;

#[derive(Debug, Args)]
pub struct Modules {
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Deserialize)]
struct List {
    modules: Vec<Module>,
}

#[derive(Debug, Deserialize)]
struct Module {
    name: String,
    digest: String,
    size_bytes: u64,
    active: bool,
    created_at: Timestamp,
    workflows: Vec<String>,
}

impl Modules {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let answer = client.read(&["modules"], &[]).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let list: List = answer.read()?;
        let mut table = table(&["NAME", "DIGEST", "ACTIVE", "SIZE", "UPLOADED", "WORKFLOWS"]);
        for module in &list.modules {
            table.add_row([
                one_line(&module.name),
                module.digest.get(..12).unwrap_or(&module.digest).to_owned(),
                if module.active { "yes" } else { "" }.to_owned(),
                format!("{} KiB", module.size_bytes / 1024),
                when(module.created_at),
                one_line(&module.workflows.join(", ")),
            ]);
        }
        out.table(&table)
    }
}
