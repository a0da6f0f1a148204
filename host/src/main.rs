//! The one binary: host, client, and the compiler that a host runs as a child.

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use stepwell::config::{Config, DevFlags, DoctorFlags, LogFormat, MigrateFlags, ServeFlags};
use stepwell::{app, cli, sandbox, telemetry};

/// Durable workflows inside WebAssembly sandboxes
#[derive(Debug, Parser)]
#[command(name = "stepwell", version, about, after_help = cli::EXIT_CODES)]
struct CommandLine {
    #[command(flatten)]
    reach: cli::Reach,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a host
    Serve(Box<ServeFlags>),
    /// Build a crate of workflows, run it on a host of its own, and again after each change
    Dev(DevFlags),
    /// Check what a host with these flags would need, and say what to do
    Doctor(Box<DoctorFlags>),
    /// Bring the schema of a database up to date, or say which migrations it has
    Migrate(MigrateFlags),
    /// Print a script that completes commands in a shell
    Completions(cli::Completions),
    #[command(flatten)]
    Client(cli::Command),
}

fn main() -> ExitCode {
    // Before anything else, because this child has no environment and little memory.
    if std::env::args_os().nth(1).is_some_and(|first| first == sandbox::COMPILE_COMPONENT) {
        return sandbox::compile_child();
    }
    let line = CommandLine::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return told(&error.into()),
    };
    match line.command {
        Command::Serve(flags) => {
            let config = Config::from(*flags);
            let served = telemetry::start(config.log_format, &config.log)
                .and_then(|()| runtime.block_on(app::serve(config)));
            served.map_or_else(|error| told(&error), |()| ExitCode::SUCCESS)
        }
        Command::Dev(flags) => {
            let voice = cli::Voice::new(&line.reach);
            let developed = telemetry::start(LogFormat::Text, &flags.log)
                .and_then(|()| runtime.block_on(app::develop(flags, &voice)));
            developed.map_or_else(|error| told(&error), |()| ExitCode::SUCCESS)
        }
        Command::Doctor(flags) => {
            let DoctorFlags { host, json } = *flags;
            let findings = runtime.block_on(app::examine(&Config::from(host)));
            let reader = if json { cli::Reader::Pipes } else { cli::Reader::People };
            cli::tell(&line.reach, &findings, reader)
        }
        Command::Migrate(flags) => match runtime.block_on(app::migrate(&flags)) {
            Err(error) => told(&error),
            Ok(migrated) => {
                writeln!(std::io::stdout().lock(), "{}", migrated.text).ok();
                if migrated.pending { ExitCode::from(cli::NOT_ALL_WELL) } else { ExitCode::SUCCESS }
            }
        },
        Command::Completions(completions) => completions.write(CommandLine::command()),
        Command::Client(command) => runtime.block_on(cli::perform(&line.reach, command)),
    }
}

fn told(error: &anyhow::Error) -> ExitCode {
    // Where nobody listens, the code says it alone.
    writeln!(std::io::stderr().lock(), "stepwell: {error:#}").ok();
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn what_scripts_type_is_understood() {
        for line in [
            "stepwell serve --listen 127.0.0.1:0 --data d",
            "stepwell serve --database postgres://a@b/c --redis redis://d --migrate never --lease 5s",
            "stepwell migrate --database postgres://a@b/c",
            "stepwell list",
            "stepwell deploy target/checkout.wasm",
            "stepwell run checkout --input {} --wait --priority -3",
            "stepwell show 1 --json",
            "stepwell --server http://h:1 result 1 --wait",
            "stepwell signal 1 approval --payload {\"ok\":true} --id s-1 --json",
            "stepwell cancel 1 --reason why --force",
            "stepwell health",
            "stepwell health --ready --json",
            "stepwell dlq replay 7",
            "stepwell dlq replay-all --step charge --to-queue slow --keep-attempts --dry-run --json",
            "stepwell dlq discard-all --all --dry-run --json",
            "stepwell dlq list --before 7 --limit 1000",
            "stepwell list --cursor 1.a --json",
            "stepwell logs 1 --follow --json",
            "stepwell dlq list --json --server http://h:1",
            "stepwell watch --interval 500ms",
            "stepwell list --color never",
            "stepwell doctor --data d --listen 127.0.0.1:0 --json",
            "stepwell dev . --release --keep --listen 127.0.0.1:0",
            "stepwell migrate --status --json --data d",
            "stepwell completions zsh",
            "stepwell --api-key k keys create ci --role read,start --role operate --json",
            "stepwell keys create shop --role start --workflow checkout --workflow refund",
            "stepwell keys list --limit 5 --json",
            "stepwell keys revoke sw_0123456789abcdef --api-key-file f",
            "stepwell audit --limit 5 --before 7 --json --ca ca.pem --client-cert c --client-key k",
            "stepwell run checkout --key once --api-key k",
        ] {
            CommandLine::try_parse_from(line.split(' ')).unwrap();
        }
    }
}
