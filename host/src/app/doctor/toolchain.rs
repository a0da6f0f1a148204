//! What modules are built with. A host needs none of it.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::cli::Finding;

/// What modules are compiled for.
const TARGET: &str = "wasm32-wasip2";

/// Whether modules can be built here.
pub(super) async fn examine() -> Finding {
    let what = "toolchain";
    let (Some(version), Some(sysroot)) = (
        first_line("rustc", &["--version"]).await,
        first_line("rustc", &["--print", "sysroot"]).await,
    ) else {
        return Finding::ok(what, "no Rust here: it is needed only where modules are built");
    };
    if Path::new(&sysroot).join("lib/rustlib").join(TARGET).is_dir() {
        return Finding::ok(what, format!("{version} with {TARGET}"));
    }
    let told = format!("{version} without {TARGET}");
    Finding::warn(what, told, format!("rustup target add {TARGET}, to build modules here"))
}

async fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().await.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.lines().next().map(str::to_owned)).flatten()
}
