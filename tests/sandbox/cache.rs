//! The cache of compiled artefacts: of use, and never trusted.

use std::path::{Path, PathBuf};

use stepwell::sandbox::Sandbox;
use tokio_util::sync::CancellationToken;

use crate::house::{call, guest, limits, sandbox_in};

fn artefact(folder: &Path) -> PathBuf {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut artefacts: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|ext| ext == "cwasm")).collect();
    assert_eq!(artefacts.len(), 1, "{artefacts:?}");
    artefacts.remove(0)
}

async fn echoes(sandbox: &Sandbox, wasm: &[u8]) -> bool {
    let digest = stepwell::model::ModuleDigest::of(wasm);
    let module = sandbox.load(digest, wasm).await.unwrap();
    let report = sandbox.run_step(&module, call("echo", "1"), CancellationToken::new()).await;
    report.ending.failure().is_none()
}

#[tokio::test]
async fn a_host_that_starts_again_loads_without_compiling() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = guest("misbehaving");
    let (digest, _) = sandbox_in(folder.path(), &limits()).admit(&wasm).await.unwrap();

    let again = sandbox_in(folder.path(), &limits());

    assert!(again.loaded(digest).is_some());
}

#[tokio::test]
async fn a_changed_artefact_is_ignored_and_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = guest("misbehaving");
    let (digest, _) = sandbox_in(folder.path(), &limits()).admit(&wasm).await.unwrap();
    let path = artefact(folder.path());
    let honest = std::fs::read(&path).unwrap();

    for at in [0, 20, 60, honest.len() / 2, honest.len() - 1] {
        let mut changed = honest.clone();
        changed[at] ^= 1;
        std::fs::write(&path, changed).unwrap();
        assert!(sandbox_in(folder.path(), &limits()).loaded(digest).is_none(), "byte {at}");
    }
    for cut in [0, 10, 72, honest.len() - 1] {
        std::fs::write(&path, &honest[..cut]).unwrap();
        assert!(sandbox_in(folder.path(), &limits()).loaded(digest).is_none(), "cut to {cut}");
    }

    assert!(echoes(&sandbox_in(folder.path(), &limits()), &wasm).await);
    assert_eq!(std::fs::read(&path).unwrap().len(), honest.len(), "it is there again");
}

#[tokio::test]
async fn an_artefact_of_another_host_or_module_is_not_loaded() {
    let (mine, foreign) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let wasm = guest("misbehaving");
    let (digest, _) = sandbox_in(foreign.path(), &limits()).admit(&wasm).await.unwrap();
    let path = artefact(foreign.path());

    let sandbox = sandbox_in(mine.path(), &limits());
    let name = path.file_name().unwrap().to_owned();
    std::fs::copy(&path, mine.path().join(&name)).unwrap();
    assert!(sandbox.loaded(digest).is_none(), "sealed with another key");

    // Under the right key and the name of another module.
    let home = sandbox_in(foreign.path(), &limits());
    let other = stepwell::model::ModuleDigest::of(b"another module");
    let renamed = name.to_str().unwrap().replace(&digest.to_string(), &other.to_string());
    std::fs::copy(&path, foreign.path().join(renamed)).unwrap();
    assert!(home.loaded(other).is_none(), "sealed for another module");
}

#[tokio::test]
async fn what_is_refused_after_compiling_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox_in(folder.path(), &limits());
    let text = include_str!("handmade.wat").replace("manifest", "manifold");

    assert!(sandbox.admit(&wat::parse_str(text).unwrap()).await.is_err());

    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["artefact.key"]);
}

#[tokio::test]
async fn the_key_is_nobody_elses_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();

    let _sandbox = sandbox_in(folder.path(), &limits());

    let key = std::fs::metadata(folder.path().join("artefact.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}
