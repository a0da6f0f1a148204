//! A folder with the modules of the examples in it, made once and copied for each test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use stepwell::store::{SqlStore, SqliteOptions};
use tokio::sync::OnceCell;

use crate::guests;
use crate::place::Place;
use crate::test_host::Settings;

/// The folder, and the lock that keeps another process of tests from making it anew meanwhile.
struct Seed {
    folder: PathBuf,
    _lock: File,
}

static SEED: OnceCell<Seed> = OnceCell::const_new();

/// Copies the folder to an empty one.
pub(crate) async fn copy_to(folder: &Path) {
    let seed = SEED.get_or_init(make).await;
    copy(&seed.folder, folder);
}

async fn make() -> Seed {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("suite-seed");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    // What was compiled before is kept: it is known by the digest of its module and of its compiler.
    let file = folder.join("stepwell.db");
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let mut path = file.clone().into_os_string();
        path.push(suffix);
        let _missing = fs::remove_file(path);
    }
    let place = Place::seed(&folder).await;
    let (app, api) = crate::test_host::open(&folder, &place, &Settings::default()).await;
    for name in guests::DEPLOYED {
        api.deploy(name, guests::wasm(name)).await;
    }
    app.stop().await;
    if let Place::File(file) = place {
        // What is still in the log of the database comes into the file, which is then whole by itself.
        let limits = Settings::default().limits;
        let opened = SqlStore::open(&file, &SqliteOptions::default(), &limits).await;
        opened.unwrap().close().await;
    }
    Seed { folder, _lock: lock }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
