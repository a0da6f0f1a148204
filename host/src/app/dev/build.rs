//! Asking cargo: what there is to build, and building it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::process::Command;

use super::folder;
use crate::config::DevFlags;
use crate::model::Name;

/// What modules are compiled for.
const TARGET: &str = "wasm32-wasip2";

/// A crate, or a workspace of such.
#[derive(Debug)]
pub(super) struct Crate {
    /// Where it is.
    pub(super) dir: PathBuf,
    /// Where cargo puts what it makes.
    pub(super) target: PathBuf,
    /// The folders of all packages that are built from sources here.
    pub(super) sources: Vec<PathBuf>,
    release: bool,
}

/// A module that was built.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) name: Name,
    pub(super) file: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    /// None for what is no registry's.
    source: Option<String>,
    manifest_path: PathBuf,
}

/// A line of cargo's, as far as it is about what was made.
#[derive(Debug, Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

impl Crate {
    /// Looks at what is in a folder.
    pub(super) async fn find(flags: &DevFlags) -> Result<Self> {
        let dir = folder(&flags.dir)?;
        let mut cargo = cargo(&dir);
        cargo.args(["metadata", "--format-version", "1", "--filter-platform", TARGET]);
        let output = answer(cargo).await;
        let output = output
            .context("cargo cannot be started: it is installed with Rust, see https://rustup.rs")?;
        if !output.status.success() {
            bail!("cargo does not understand {}", dir.display());
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .context("cargo says something of another version")?;
        let own = metadata.packages.iter().filter(|package| package.source.is_none());
        let sources = own.filter_map(|package| package.manifest_path.parent());
        let sources = sources.map(Path::to_path_buf).collect();
        Ok(Self { dir, target: metadata.target_directory, sources, release: flags.release })
    }

    /// Builds it. Cargo says itself what is wrong with it.
    pub(super) async fn build(&self) -> Result<Vec<Built>> {
        let mut cargo = cargo(&self.dir);
        cargo.args(["build", "--target", TARGET]);
        cargo.args(["--message-format", "json-render-diagnostics"]);
        if self.release {
            cargo.arg("--release");
        }
        let output = answer(cargo).await?;
        if !output.status.success() {
            bail!("it does not build; where {TARGET} is missing: rustup target add {TARGET}");
        }
        let built = modules(&String::from_utf8_lossy(&output.stdout), &self.dir)?;
        if built.is_empty() {
            bail!(
                "nothing that was built is a module: write crate-type = [\"cdylib\"] under [lib] in its Cargo.toml"
            );
        }
        Ok(built)
    }
}

/// What it answers. What it says to people, people see as it comes.
async fn answer(mut cargo: Command) -> io::Result<Output> {
    cargo.stdout(Stdio::piped()).stderr(Stdio::inherit());
    cargo.spawn()?.wait_with_output().await
}

/// It ends with whoever waits for it.
fn cargo(dir: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(dir).stdin(Stdio::null()).kill_on_drop(true);
    cargo
}

/// The modules below a folder among what cargo says that it made.
fn modules(messages: &str, dir: &Path) -> Result<Vec<Built>> {
    let mut built = Vec::new();
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Message>(line) else { continue };
        let is_ours = message.manifest_path.is_some_and(|path| path.starts_with(dir));
        let (true, "compiler-artifact", Some(target)) = (is_ours, &*message.reason, message.target)
        else {
            continue;
        };
        let wasm = message
            .filenames
            .into_iter()
            .find(|file| file.extension().is_some_and(|it| it == "wasm"));
        let Some(file) = wasm.filter(|_| target.crate_types.iter().any(|kind| kind == "cdylib"))
        else {
            continue;
        };
        let name = Name::new(&target.name.replace('_', "-"));
        let name = name
            .with_context(|| format!("the crate {} is called as no module may be", target.name))?;
        built.push(Built { name, file });
    }
    Ok(built)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_the_libraries_of_the_folder_that_became_wasm() {
        let messages = r#"
{"reason":"compiler-artifact","manifest_path":"/w/shop/Cargo.toml","target":{"name":"my_shop","crate_types":["cdylib"]},"filenames":["/t/my_shop.wasm"]}
{"reason":"compiler-artifact","manifest_path":"/w/shop/Cargo.toml","target":{"name":"build-script-build","crate_types":["bin"]},"filenames":["/t/build"]}
{"reason":"compiler-artifact","manifest_path":"/reg/serde/Cargo.toml","target":{"name":"serde","crate_types":["lib"]},"filenames":["/t/libserde.rlib"]}
{"reason":"build-finished","success":true}
not a message"#;

        let built = modules(messages, Path::new("/w/shop")).unwrap();

        let (name, file) = (Name::new("my-shop").unwrap(), PathBuf::from("/t/my_shop.wasm"));
        assert_eq!(built, [Built { name, file }]);
        assert!(modules(messages, Path::new("/w/other")).unwrap().is_empty());
    }
}
