//! The command line: the client half of the one binary.
//!
//! Here lives the command tree, a file a command, the HTTP client they share, and how answers are shown: people get tables
//! and colour, pipes get plain text, `--json` gets what the server said.
//!
//! Not here: `serve`, whose flags are the configuration's (`config`) and whose work is the house's (`app`). A client knows the
//! API and the words of `model`, and no other room.
//!
//! Invariants:
//! - Standard output holds what was asked for and nothing else; everything said to people about it goes to standard error.
//! - A payload is printed as the server sent it, byte for byte.
//! - A key is printed by `keys create`, once, on standard output, and nowhere else: not in errors, not in `Debug`.
//! - Exit codes are those of [`EXIT_CODES`], and of the table in `docs/cli.md`.
//!
//! ```text
//! $ stepwell run checkout --input '{"id":"A-1001"}' --wait
//! {"receipt":"R-7"}
//! ```

mod audit;
mod bulk;
mod cleanup;
mod client;
mod completions;
mod control;
mod deploy;
mod deployed;
mod dlq;
mod draw;
mod error;
mod events;
mod example;
mod findings;
mod grants;
mod health;
mod hosts;
mod keys;
mod list;
mod logs;
mod modules;
mod out;
mod pages;
mod pretty;
mod progress;
mod put_schedule;
mod queues;
mod reach;
mod redrive;
mod result;
mod run;
mod schedules;
mod show;
mod signal;
mod tasks;
mod timeline;
mod typed;
mod watch;

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};

pub use completions::Completions;
pub use deployed::Voice;
pub use findings::{Finding, Judgement, Reader, tell};
pub use reach::Reach;

use client::Client;
use error::CliError;
use out::Out;

/// What the exit codes mean, for the end of `--help`.
pub const EXIT_CODES: &str = "Exit codes:\n  \
    0  it was done\n  \
    1  the execution failed, or has not ended; a host or a migration was stopped by an error\n  \
    2  the command line is wrong, or a file that it names cannot be read\n  \
    3  no server answered\n  \
    4  the server refused\n  \
    5  migrations are pending (migrate --status), or doctor warns\n  \
    6  doctor found what keeps a host from working";

/// The code of 5.
pub const NOT_ALL_WELL: u8 = 5;
/// The code of 6.
pub const BROKEN: u8 = 6;

/// How answers are shown.
#[derive(Debug, Clone, Copy, Args)]
struct Shown {
    /// Print what the server said, as JSON
    #[arg(long)]
    json: bool,
}

/// What a client can ask for.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Upload a module and make it the active one of its name
    Deploy(deploy::Deploy),
    /// Start a workflow; prints the execution's id
    Run(run::Run),
    /// List executions, newest first
    List(list::List),
    /// Show an execution and its timeline
    Show(show::Show),
    /// Print an execution's result
    Result(result::ResultOf),
    /// Send a signal to an execution
    Signal(signal::Signal),
    /// Ask an execution to end
    Cancel(control::Cancel),
    /// Try an execution again that has ended badly or is blocked
    Retry(control::Revive),
    /// Have an execution stand still
    Pause(control::Pause),
    /// Have an execution go on that is paused or blocked
    Resume(control::Revive),
    /// One order for many executions: cancel, retry, pause, resume
    #[command(subcommand)]
    Bulk(bulk::Bulk),
    /// Print what an execution's workflow and steps have said
    Logs(logs::Logs),
    /// List modules, newest first
    Modules(modules::Modules),
    /// Show what a module wants to reach, and what it is granted
    Grants(grants::Grants),
    /// Grant a module what it wants to reach, or what a file says
    Grant(grants::Grant),
    /// Dead letters: steps whose attempts ran out
    #[command(subcommand)]
    Dlq(dlq::Dlq),
    /// Tasks: steps that wait for a host, or run on one
    #[command(subcommand)]
    Tasks(tasks::Tasks),
    /// Queues: what is in them, pause, resume
    #[command(subcommand)]
    Queues(queues::Queues),
    /// Schedules: workflows that are started again and again
    #[command(subcommand)]
    Schedules(schedules::Schedules),
    /// Remove what has ended for long
    Cleanup(cleanup::Cleanup),
    /// Ask whether a host lives, or takes work
    Health(health::Health),
    /// List hosts, newest first
    #[command(visible_alias = "workers")]
    Hosts(hosts::Hosts),
    /// Print how much there is of what
    Stats(hosts::Stats),
    /// Keys: who may do what on a host
    #[command(subcommand)]
    Keys(keys::Keys),
    /// List who changed what, newest first
    Audit(audit::Audit),
    /// Watch a host live: what runs, what waits, what failed
    Watch(watch::Watch),
}

/// Carries a command out. What goes wrong is said on standard error.
pub async fn perform(reach: &Reach, command: Command) -> ExitCode {
    reach.color.choose();
    let mut out = Out::stdout();
    let performed = match reach.client() {
        Ok(client) => {
            if command.shows_key() && client.is_overheard() {
                warn_of_ears(&client);
            }
            command.perform(&client, &mut out).await
        }
        Err(error) => Err(error),
    };
    match performed.and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.tell(),
    }
}

/// Says it and goes on: the network may be one that nobody else is on.
fn warn_of_ears(client: &Client) {
    let server = client.server();
    // Where nobody listens, nothing is lost.
    let mut err = std::io::stderr().lock();
    writeln!(err, "stepwell: the key goes to {server} in the open and can be read on the way; https:// hides it").ok();
}

impl Command {
    /// Whether it asks for anything that is not open to everybody.
    fn shows_key(&self) -> bool {
        !matches!(self, Self::Health(_))
    }

    async fn perform(self, client: &Client, out: &mut Out) -> Result<(), CliError> {
        match self {
            Self::Deploy(deploy) => deploy.perform(client, out).await,
            Self::Run(run) => run.perform(client, out).await,
            Self::List(list) => list.perform(client, out).await,
            Self::Show(show) => show.perform(client, out).await,
            Self::Result(result) => result.perform(client, out).await,
            Self::Signal(signal) => signal.perform(client, out).await,
            Self::Cancel(cancel) => cancel.perform(client, out).await,
            Self::Retry(retry) => retry.retry(client, out).await,
            Self::Pause(pause) => pause.perform(client, out).await,
            Self::Resume(resume) => resume.resume(client, out).await,
            Self::Bulk(bulk) => bulk.perform(client, out).await,
            Self::Logs(logs) => logs.perform(client, out).await,
            Self::Modules(modules) => modules.perform(client, out).await,
            Self::Grants(grants) => grants.perform(client, out).await,
            Self::Grant(grant) => grant.perform(client, out).await,
            Self::Dlq(dlq) => dlq.perform(client, out).await,
            Self::Tasks(tasks) => tasks.perform(client, out).await,
            Self::Queues(queues) => queues.perform(client, out).await,
            Self::Schedules(schedules) => schedules.perform(client, out).await,
            Self::Cleanup(cleanup) => cleanup.perform(client, out).await,
            Self::Health(health) => health.perform(client, out).await,
            Self::Hosts(hosts) => hosts.perform(client, out).await,
            Self::Stats(stats) => stats.perform(client, out).await,
            Self::Keys(keys) => keys.perform(client, out).await,
            Self::Audit(audit) => audit.perform(client, out).await,
            Self::Watch(watch) => watch.perform(client).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands without `--json`, and why.
    const WITHOUT: [(&str, &str); 2] = [
        ("schedules preview", "no host is asked"),
        ("watch", "it draws on a terminal; `stats --json` is for pipes"),
    ];

    /// The names and the flags of all commands that hold no others.
    fn leaves(of: &clap::Command, path: &str) -> Vec<(String, bool)> {
        if !of.has_subcommands() {
            let has_json = of.get_arguments().any(|arg| arg.get_long() == Some("json"));
            return vec![(path.trim_start().to_owned(), has_json)];
        }
        let below = of.get_subcommands();
        below.flat_map(|one| leaves(one, &format!("{path} {}", one.get_name()))).collect()
    }

    #[test]
    fn every_command_that_asks_a_host_answers_pipes() {
        let tree = Command::augment_subcommands(clap::Command::new("stepwell"));

        let leaves = leaves(&tree, "");

        assert!(leaves.len() > 40, "{leaves:?}");
        let without = leaves.iter().filter(|(_, has_json)| !has_json);
        let without: Vec<_> = without.map(|(name, _)| name.as_str()).collect();
        assert_eq!(without, WITHOUT.map(|(name, _)| name));
    }
}
