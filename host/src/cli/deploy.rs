//! `stepwell deploy`

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use clap::Args;
use futures::Stream;
use http::Method;
use serde::Deserialize;

use super::Shown;
use super::client::{Answer, Client};
use super::error::CliError;
use super::grants::{self, Granter};
use super::out::Out;
use super::progress::Progress;
use super::typed;
use crate::model::{Name, Standing};

/// An upload is sent in such pieces.
const PIECE_BYTES: usize = 64 << 10;

#[derive(Debug, Args)]
pub struct Deploy {
    /// The component: a .wasm file
    file: PathBuf,
    /// Name of the module [default: the file's name, with - for _]
    #[arg(long)]
    name: Option<Name>,
    /// Grant all that it wants, without asking
    #[arg(long, conflicts_with_all = ["grant_file", "strict"])]
    grant: bool,
    /// Grant what this file says, in place of what was granted before: .toml or .json with http, dir, env and secret
    #[arg(long, value_name = "FILE")]
    grant_file: Option<PathBuf>,
    /// Deploy nothing if it wants what is not granted
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    granter: Granter,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Deserialize)]
struct Module {
    name: String,
    digest: String,
    workflows: Vec<String>,
    steps: Vec<String>,
    capabilities: Option<Standing>,
}

/// What the server is to do about what the module wants.
#[derive(Debug, Clone, Copy)]
enum Wish {
    Leave,
    Wanted,
    Strict,
}

impl Wish {
    fn as_str(self) -> &'static str {
        match self {
            Self::Leave => "leave",
            Self::Wanted => "wanted",
            Self::Strict => "strict",
        }
    }
}

impl Deploy {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let name = self.module_name()?;
        let wasm = tokio::fs::read(&self.file).await;
        let wasm = wasm.map_err(|source| CliError::Unreadable {
            path: self.file.display().to_string(),
            source,
        })?;
        if let Some(file) = &self.grant_file {
            grants::put_file(client, &name, file, &self.granter.by).await?;
        }
        let answer = self.upload(client, out, &name, wasm).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let module: Module = answer.read()?;
        out.line(format_args!("{} {} is active", module.name, module.digest))?;
        out.line(format_args!("  workflows  {}", listed(&module.workflows)))?;
        out.line(format_args!("  steps      {}", listed(&module.steps)))?;
        let Some(standing) = module.capabilities else { return Ok(()) };
        if standing == Standing::default() {
            return Ok(());
        }
        grants::show(out, &standing)?;
        if !standing.is_whole() {
            out.remark(&format!(
                "Steps that use what is not granted will fail; `stepwell grant {name}` grants it"
            ))?;
        }
        Ok(())
    }

    /// In a terminal, whoever deploys is asked before anything is active that wants more than was granted.
    async fn upload(
        &self,
        client: &Client,
        out: &mut Out,
        name: &Name,
        wasm: Vec<u8>,
    ) -> Result<Answer, CliError> {
        let is_asked = !self.grant && !self.strict && !self.shown.json && are_people_there();
        let wish = match (self.grant, self.strict || is_asked) {
            (true, _) => Wish::Wanted,
            (false, true) => Wish::Strict,
            (false, false) => Wish::Leave,
        };
        let refused = match self.put(client, name, wasm.clone(), wish).await {
            Err(CliError::Refused(problem)) if is_asked => problem,
            answer => return answer,
        };
        let Some(standing) = refused.capabilities() else { return Err(CliError::Refused(refused)) };
        out.line(format_args!("{name} wants to reach what it is not granted:"))?;
        grants::show(out, standing)?;
        let wish = if agreed(out)? { Wish::Wanted } else { Wish::Leave };
        self.put(client, name, wasm, wish).await
    }

    async fn put(
        &self,
        client: &Client,
        name: &Name,
        wasm: Vec<u8>,
        wish: Wish,
    ) -> Result<Answer, CliError> {
        let query = [("grant", wish.as_str()), ("by", self.granter.by.as_str())];
        let request = client.ask(Method::PUT, &["modules", typed::in_path(name)?], &query);
        let (bytes, progress) = (wasm.len(), Arc::new(Progress::of("deploy")));
        let pieces = pieces(wasm, Arc::clone(&progress));
        client.send(request.pieces("application/wasm", bytes, pieces)).await
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

/// Pieces that tell how far they have gone. What follows is the host's work.
fn pieces(wasm: Vec<u8>, progress: Arc<Progress>) -> impl Stream<Item = Bytes> + Send + 'static {
    let wasm = Bytes::from(wasm);
    let total = wasm.len();
    futures::stream::iter((0..total).step_by(PIECE_BYTES).map(move |from| {
        let until = total.min(from + PIECE_BYTES);
        if until == total {
            progress.say("is uploaded, the host compiles it");
        } else {
            progress.reach(until as u64, total as u64);
        }
        wasm.slice(from..until)
    }))
}

fn are_people_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn agreed(out: &mut Out) -> Result<bool, CliError> {
    out.remark("Grant all of it? [y/N]")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
