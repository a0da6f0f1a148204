//! `stepwell audit`

use clap::Args;
use serde::Deserialize;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::{Out, one_line, table, when};
use crate::model::Timestamp;

#[derive(Debug, Args)]
pub struct Audit {
    /// How many at most
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Only entries behind that one
    #[arg(long, value_name = "ID")]
    before: Option<i64>,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Deserialize)]
struct Log {
    entries: Vec<Entry>,
    next: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    at: Timestamp,
    by: String,
    from: String,
    action: String,
    subject: String,
    status: u16,
}

impl Audit {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let limit = self.limit.to_string();
        let before = self.before.map(|before| before.to_string());
        let mut query = vec![("limit", limit.as_str())];
        query.extend(before.as_deref().map(|before| ("before", before)));
        let answer = client.read(&["audit"], &query).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let log: Log = answer.read()?;
        let mut table = table(&["WHEN", "WHO", "FROM", "ACTION", "SUBJECT", "STATUS"]);
        for entry in &log.entries {
            table.add_row([
                when(entry.at),
                one_line(&entry.by),
                one_line(&entry.from),
                one_line(&entry.action),
                one_line(&entry.subject),
                entry.status.to_string(),
            ]);
        }
        out.table(&table)?;
        match log.next {
            Some(next) => out.remark(&format!("(more: --before {next})")),
            None => Ok(()),
        }
    }
}
