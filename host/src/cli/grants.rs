//! `stepwell grants` and `stepwell grant`: what the modules of a name may touch.

use std::path::{Path, PathBuf};

use clap::Args;
use http::Method;
use serde_json::{Value, json};

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::{Out, Tone, harmless, when};
use super::typed;
use crate::model::{Capabilities, Name, Standing, WrittenCapabilities};

#[derive(Debug, Args)]
pub struct Grants {
    /// The module
    name: Name,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Args)]
pub struct Grant {
    /// The module
    name: Name,
    /// Grant what this file says, and nothing else: .toml or .json with http, dir, env and secret [default: also all it wants]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Take everything back
    #[arg(long, conflicts_with = "file")]
    revoke: bool,
    #[command(flatten)]
    granter: Granter,
    #[command(flatten)]
    shown: Shown,
}

/// Who grants.
#[derive(Debug, Args)]
pub(super) struct Granter {
    /// Who grants, kept beside what is granted
    #[arg(long, env = "USER", default_value = "nobody said", value_name = "NAME")]
    pub(super) by: Name,
}

impl Grants {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let parts = ["modules", typed::in_path(&self.name)?, "grants"];
        let answer = client.read(&parts, &[]).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        show(out, &answer.read()?)
    }
}

impl Grant {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let order = match (&self.file, self.revoke) {
            (Some(file), _) => json!({ "granted": read(file).await?, "by": self.granter.by }),
            (None, true) => json!({ "granted": {}, "by": self.granter.by }),
            (None, false) => json!({ "wanted": true, "by": self.granter.by }),
        };
        let answer = put(client, &self.name, &order).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        show(out, &answer.read()?)
    }
}

/// Grants what a file says.
pub(super) async fn put_file(
    client: &Client,
    name: &Name,
    file: &Path,
    by: &Name,
) -> Result<(), CliError> {
    put(client, name, &json!({ "granted": read(file).await?, "by": by })).await.map(drop)
}

async fn put(
    client: &Client,
    name: &Name,
    order: &Value,
) -> Result<super::client::Answer, CliError> {
    let parts = ["modules", typed::in_path(name)?, "grants"];
    client.send(client.ask(Method::PUT, &parts, &[]).json(order)).await
}

async fn read(file: &Path) -> Result<Capabilities, CliError> {
    let path = file.display().to_string();
    let text = tokio::fs::read_to_string(file).await;
    let text = text.map_err(|source| CliError::Unreadable { path: path.clone(), source })?;
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let read: Result<WrittenCapabilities, _> = if is_json {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        toml::from_str(&text).map_err(|error| error.to_string())
    };
    read.map(Capabilities::from)
        .map_err(|why| CliError::Usage(format!("{path} is no list of capabilities: {why}")))
}

/// How a module stands, for people.
pub(super) fn show(out: &mut Out, standing: &Standing) -> Result<(), CliError> {
    if standing.wants == Capabilities::default() {
        out.line("  wants      nothing")?;
    }
    for (kind, text) in each(&standing.wants) {
        let (mark, tone) = mark(standing, kind, text);
        let line = format!("{kind} {}", harmless(text));
        out.line(format_args!("  {mark:<10} {}", tone.paint(&line)))?;
    }
    let wanted: Vec<_> = each(&standing.wants).collect();
    for (kind, text) in each(&standing.granted).filter(|one| !wanted.contains(one)) {
        let line = format!("{kind} {}, as somebody wrote it", harmless(text));
        out.line(format_args!("  granted    {}", Tone::Good.paint(&line)))?;
    }
    for (kind, text) in each(&standing.dropped) {
        let line = format!("{kind} {}, which it no longer wants", harmless(text));
        out.line(format_args!("  dropped    {}", Tone::Faint.paint(&line)))?;
    }
    if let (Some(by), Some(at)) = (&standing.granted_by, standing.granted_at) {
        out.line(format_args!("  granted by {} at {}", harmless(by), when(at)))?;
    }
    Ok(())
}

/// What is most worth knowing of one capability.
fn mark(standing: &Standing, kind: &str, text: &str) -> (&'static str, Tone) {
    let is_in = |capabilities| each(capabilities).any(|one| one == (kind, text));
    if is_in(&standing.forbidden) {
        return ("forbidden", Tone::Bad);
    }
    match (is_in(&standing.missing), is_in(&standing.added)) {
        (true, true) => ("new", Tone::Odd),
        (true, false) => ("missing", Tone::Odd),
        (false, _) if is_in(&standing.unprovided) => ("unprovided", Tone::Odd),
        (false, _) => ("granted", Tone::Good),
    }
}

fn each(capabilities: &Capabilities) -> impl Iterator<Item = (&'static str, &str)> {
    let Capabilities { http, dir, env, secret } = capabilities;
    let kinds = [("http", http), ("dir", dir), ("env", env), ("secret", secret)];
    kinds.into_iter().flat_map(|(kind, texts)| texts.iter().map(move |text| (kind, text.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_that_holds_of_a_capability_is_its_mark() {
        let list = |texts: &[&str]| Capabilities {
            http: texts.iter().map(|text| (*text).to_owned()).collect(),
            ..Capabilities::default()
        };
        let standing = Standing {
            wants: list(&["a", "b", "c", "d"]),
            missing: list(&["b", "c", "d"]),
            added: list(&["c", "d"]),
            forbidden: list(&["d"]),
            ..Standing::default()
        };

        let marks = ["a", "b", "c", "d"].map(|text| mark(&standing, "http", text).0);

        assert_eq!(marks, ["granted", "missing", "new", "forbidden"]);
    }
}
