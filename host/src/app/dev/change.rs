//! Hearing of changes of sources.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use notify_files::event::{AccessKind, AccessMode};
use notify_files::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::build::Crate;

/// An editor that saves changes several files: they are waited for until it has been quiet for so long.
const QUIET_FOR: Duration = Duration::from_millis(150);

/// What changes in the sources of a crate.
#[derive(Debug)]
pub(super) struct Changes {
    changed: mpsc::Receiver<()>,
    /// It listens as long as it is there.
    _watcher: RecommendedWatcher,
}

impl Changes {
    /// Listens to the folders of a crate and of what it is made of, but for what cargo makes in them.
    pub(super) fn of(found: &Crate) -> Result<Self> {
        let (tell, changed) = mpsc::channel(1);
        let target = found.target.clone();
        let hear = move |event: notify_files::Result<Event>| {
            if event.is_ok_and(|event| is_change(&event, &target)) {
                // Where one is under way already, it tells of this one too.
                tell.try_send(()).ok();
            }
        };
        let mut watcher =
            notify_files::recommended_watcher(hear).context("changes of files cannot be heard")?;
        for (path, mode) in places(found) {
            watcher
                .watch(&path, mode)
                .with_context(|| format!("changes of {} cannot be heard", path.display()))?;
        }
        Ok(Self { changed, _watcher: watcher })
    }

    /// Waits for a change, and for quiet after it.
    pub(super) async fn wait(&mut self) -> Result<()> {
        self.changed.recv().await.context("nobody tells of changes any more")?;
        while let Ok(Some(())) = tokio::time::timeout(QUIET_FOR, self.changed.recv()).await {}
        Ok(())
    }
}

/// Each package's folder, and all of the folders in it but those that hold no sources: a listener to what cargo makes would
/// cost more than the build.
fn places(found: &Crate) -> Vec<(PathBuf, RecursiveMode)> {
    let mut places = Vec::new();
    for source in &found.sources {
        places.push((source.clone(), RecursiveMode::NonRecursive));
        let entries = std::fs::read_dir(source).into_iter().flatten().filter_map(Result::ok);
        let folders = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
        let holds_sources = |path: &PathBuf| {
            let is_hidden =
                path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            // A package of its own is listened to by itself, if it belongs to this one.
            !is_hidden
                && !path.join("CACHEDIR.TAG").exists()
                && !path.join("Cargo.toml").exists()
                && *path != found.target
        };
        places.extend(folders.filter(holds_sources).map(|path| (path, RecursiveMode::Recursive)));
    }
    places
}

/// Whether somebody wrote something that is no lock and nothing that cargo makes.
fn is_change(event: &Event, target: &Path) -> bool {
    let is_written = match event.kind {
        EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) | EventKind::Any | EventKind::Other => false,
    };
    let is_source = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        !path.starts_with(target) && name != "Cargo.lock" && name != "target"
    };
    is_written && event.paths.iter().any(is_source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify_files::event::{CreateKind, ModifyKind};

    #[test]
    fn what_is_written_is_a_change_and_what_is_read_is_none() {
        let target = Path::new("/w/target");
        let event = |kind, path: &str| Event::new(kind).add_path(path.into());
        let written = EventKind::Modify(ModifyKind::Any);

        assert!(is_change(&event(written, "/w/src/lib.rs"), target));
        assert!(is_change(&event(EventKind::Create(CreateKind::File), "/w/src/new.rs"), target));
        let read = EventKind::Access(AccessKind::Open(AccessMode::Read));
        assert!(!is_change(&event(read, "/w/src/lib.rs"), target));
        assert!(!is_change(&event(written, "/w/target/wasm32-wasip2/x.wasm"), target));
        assert!(!is_change(&event(written, "/w/Cargo.lock"), target));
    }
}
