//! `stepwell completions`

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

/// `stepwell completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell, such as in: source <(stepwell completions bash)
    shell: Shell,
}

impl Completions {
    /// Prints the script of a command tree.
    pub fn write(self, mut tree: Command) -> ExitCode {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut tree, "stepwell", &mut script);
        match io::stdout().lock().write_all(&script) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            Ok(()) | Err(_) => ExitCode::SUCCESS,
        }
    }
}
