//! `stepwell health`

use clap::Args;

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::Out;

/// Exits with 0 where the host answers: for probes in images that hold nothing but this program.
#[derive(Debug, Args)]
pub struct Health {
    /// Ask whether the host takes work, not only whether it lives
    #[arg(long)]
    ready: bool,
    #[command(flatten)]
    shown: Shown,
}

impl Health {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let answer = client.probe(if self.ready { "ready" } else { "health" }).await?;
        out.outcome(self.shown, &answer, |_| Ok(if self.ready { "ready" } else { "ok" }.to_owned()))
    }
}
