//! `stepwell keys`

use clap::builder::{PossibleValuesParser, TypedValueParser, ValueParser};
use clap::{Args, Subcommand};
use http::Method;
use serde::{Deserialize, Serialize};

use super::Shown;
use super::client::Client;
use super::error::CliError;
use super::out::{Out, one_line, table, when};
use crate::model::{KeyId, Name, Role, Timestamp};

#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a key and print it, this once; the first one needs the role admin
    Create(Create),
    /// List keys, newest first, without what makes them keys
    List(List),
    /// Have a key be none any more; another host may take it for 5 s
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub struct Create {
    /// What people call it
    name: String,
    /// What it may do; may be given several times
    #[arg(long = "role", value_name = "ROLE", required = true, value_delimiter = ',', value_parser = role())]
    roles: Vec<Role>,
    /// The only workflow that it starts, where its one role is start; may be given several times
    #[arg(long = "workflow", value_name = "WORKFLOW")]
    workflows: Vec<Name>,
    #[command(flatten)]
    shown: Shown,
}

fn role() -> ValueParser {
    let words = PossibleValuesParser::new(Role::ALL.map(Role::as_str));
    words.try_map(|word| word.parse::<Role>()).into()
}

#[derive(Debug, Args)]
pub struct List {
    /// How many at most
    #[arg(long, default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Args)]
pub struct Revoke {
    /// Its id, or what the whole key begins with, as keys list shows it
    #[arg(value_name = "ID")]
    key: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Serialize)]
struct Order {
    name: String,
    roles: Vec<Role>,
    workflows: Vec<Name>,
}

#[derive(Deserialize)]
struct Created {
    key: String,
}

#[derive(Debug, Deserialize)]
struct Answer {
    keys: Vec<Key>,
}

#[derive(Debug, Deserialize)]
struct Key {
    prefix: String,
    name: String,
    roles: Vec<String>,
    workflows: Vec<String>,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl Keys {
    pub(super) async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        match self {
            Self::Create(create) => create.perform(client, out).await,
            Self::List(list) => list.perform(client, out).await,
            Self::Revoke(Revoke { key, shown }) => {
                let id = id(&key)?;
                let request = client.ask(Method::DELETE, &["keys", id.as_str()], &[]);
                let answer = client.send(request).await?;
                out.outcome(shown, &answer, |_| Ok(format!("key {} is revoked", id.prefix())))
            }
        }
    }
}

impl Create {
    async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let Self { name, roles, workflows, shown } = self;
        let answer = client.order(&["keys"], &Order { name, roles, workflows }).await?;
        if shown.json {
            out.json(&answer)?;
        } else {
            out.line(answer.read::<Created>()?.key)?;
        }
        out.remark("This key is shown now and never again. Whoever has it gives it so: export STEPWELL_API_KEY=...")?;
        if !client.has_key() {
            out.remark("Until now whoever reached this host could do everything; from now on it asks for a key.")?;
        }
        Ok(())
    }
}

impl List {
    async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        let limit = self.limit.to_string();
        let answer = client.read(&["keys"], &[("limit", limit.as_str())]).await?;
        if self.shown.json {
            return out.json(&answer);
        }
        let list: Answer = answer.read()?;
        let heads = ["PREFIX", "NAME", "ROLES", "WORKFLOWS", "CREATED", "LAST USED", "REVOKED"];
        let mut table = table(&heads);
        for key in &list.keys {
            table.add_row([
                one_line(&key.prefix),
                one_line(&key.name),
                one_line(&key.roles.join(", ")),
                one_line(&key.workflows.join(", ")),
                when(key.created_at),
                key.last_used_at.map(when).unwrap_or_default(),
                key.revoked_at.map(when).unwrap_or_default(),
            ]);
        }
        out.table(&table)
    }
}

/// The id in what was typed, which may be a whole key: the secret in it goes nowhere, and what is none is not said again.
fn id(typed: &str) -> Result<KeyId, CliError> {
    let behind = typed.strip_prefix("sw_").unwrap_or(typed);
    let id = behind.split_once('_').map_or(behind, |(id, _secret)| id);
    id.parse().map_err(|_no_id| {
        let told = "this is no key's id: it is 16 digits from 0 to f, with or without sw_ before them; see stepwell keys list";
        CliError::Usage(told.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_by_its_id_its_prefix_or_all_of_it() {
        let secret = "9".repeat(64);
        let digits = "0123456789abcdef";

        for typed in [digits.to_owned(), format!("sw_{digits}"), format!("sw_{digits}_{secret}")] {
            assert_eq!(id(&typed).unwrap().as_str(), digits);
        }
        assert_eq!(id(&format!("sw_s{digits}")).unwrap().as_str(), format!("s{digits}"));
    }

    #[test]
    fn what_is_no_id_is_refused_and_not_said_again() {
        for bad in ["hunter2", "sw_", "sw_hunter2_00", "", "../modules"] {
            let told = id(bad).unwrap_err().to_string();
            assert!(told.contains("is no key's id") && !told.contains("hunter2"), "{told}");
        }
    }
}
