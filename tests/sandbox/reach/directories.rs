//! Directories: what is granted is there, and nothing leads out of it.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;
use tempfile::TempDir;

use super::world::{Plan, World};

/// A folder with a file, beside one with what nobody is to read.
struct Ground {
    folder: TempDir,
}

impl Ground {
    fn lay() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["in", "out", "private"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("in/greeting.txt"), "hello").unwrap();
        fs::write(folder.path().join("out/greeting.txt"), "hello").unwrap();
        fs::write(folder.path().join("private/diary.txt"), "dear diary").unwrap();
        Self { folder }
    }

    fn policy(&self) -> String {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        format!("[dirs]\n\"/in\" = {:?}\n\"/out\" = {:?}\n", path("in"), path("out"))
    }

    async fn world(&self, dirs: &[&str]) -> World {
        Plan::new(self.policy()).wants(json!({ "dir": dirs })).build().await
    }

    fn text(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.folder.path().join(name)).ok()
    }
}

#[tokio::test]
async fn a_granted_directory_is_read_and_written_as_it_was_granted() {
    let ground = Ground::lay();
    let world = ground.world(&["/in:ro", "/out:rw"]).await;

    assert_eq!(world.value("read_file", json!("/in/greeting.txt")).await, "hello");
    assert_eq!(world.value("list_files", json!("/in")).await, json!(["greeting.txt"]));
    let written = json!({ "path": "/out/answer.txt", "text": "hi" });
    world.value("write_file", written).await;

    assert_eq!(ground.text("out/answer.txt").unwrap(), "hi");
}

#[tokio::test]
async fn nothing_changes_in_a_directory_that_is_only_read() {
    let ground = Ground::lay();
    let world = ground.world(&["/in:ro", "/out:rw"]).await;

    assert_eq!(world.value("probe_files", json!("/in")).await, json!([]));
    let rename = json!({ "from": "/in/greeting.txt", "to": "/out/stolen.txt" });
    world.failure("rename_file", rename).await;
    let rename = json!({ "from": "/out/greeting.txt", "to": "/in/given.txt" });
    world.failure("rename_file", rename).await;

    assert_eq!(ground.text("in/greeting.txt").unwrap(), "hello");
    assert_eq!(fs::read_dir(ground.folder.path().join("in")).unwrap().count(), 1);
    assert!(ground.text("out/greeting.txt").is_some());
}

#[tokio::test]
async fn a_grant_to_read_does_not_let_a_module_write_that_wants_to() {
    let ground = Ground::lay();
    let world = Plan::new(ground.policy())
        .wants(json!({ "dir": ["/out:rw"] }))
        .granted(json!({ "dir": ["/out:ro"] }))
        .build()
        .await;

    assert_eq!(world.value("read_file", json!("/out/greeting.txt")).await, "hello");
    let failure = world.failure("write_file", json!({ "path": "/out/x.txt", "text": "x" })).await;

    assert!(failure.message.contains("dir /out:rw"), "{failure}");
}

#[tokio::test]
async fn nothing_leads_out_of_a_directory() {
    let ground = Ground::lay();
    let root = ground.folder.path();
    symlink(root.join("private"), root.join("in/absolute")).unwrap();
    symlink("../private", root.join("in/relative")).unwrap();
    symlink("../private/diary.txt", root.join("in/diary.txt")).unwrap();
    symlink("../private/new.txt", root.join("out/new.txt")).unwrap();
    symlink("/etc/passwd", root.join("in/passwd")).unwrap();
    let world = ground.world(&["/in:ro", "/out:rw"]).await;
    let private = root.join("private/diary.txt").display().to_string();

    for path in [
        "/in/../private/diary.txt",
        "/in/../../etc/passwd",
        "/in/./../private/diary.txt",
        "/in/absolute/diary.txt",
        "/in/relative/diary.txt",
        "/in/relative/",
        "/in/diary.txt",
        "/in/diary.txt/",
        "/in/passwd",
        "/etc/passwd",
        "/proc/self/environ",
        "//etc/passwd",
        "../private/diary.txt",
        "private/diary.txt",
        private.as_str(),
    ] {
        world.failure("read_file", json!(path)).await;
    }
    for path in ["/out/../private/new.txt", "/out/new.txt", "/private/new.txt"] {
        world.failure("write_file", json!({ "path": path, "text": "x" })).await;
    }
    let into = json!({ "from": "/out/greeting.txt", "to": "/out/../private/moved.txt" });
    world.failure("rename_file", into).await;
    assert_eq!(fs::read_dir(root.join("private")).unwrap().count(), 1);
}

#[tokio::test]
async fn what_is_not_granted_is_not_there_and_the_failure_names_it() {
    let ground = Ground::lay();
    let world = Plan::new(ground.policy())
        .wants(json!({ "dir": ["/in:ro", "/out:rw", "/elsewhere:ro"] }))
        .granted(json!({ "dir": ["/in:ro", "/elsewhere:ro"] }))
        .build()
        .await;

    assert_eq!(world.value("read_file", json!("/in/greeting.txt")).await, "hello");
    let failure = world.failure("read_file", json!("/out/greeting.txt")).await;

    assert!(failure.message.contains("not granted to module reaching: dir /out:rw"), "{failure}");
    assert!(failure.message.contains("stepwell grant reaching"), "{failure}");
    assert!(failure.message.contains("stands behind it: dir /elsewhere:ro"), "{failure}");
}

#[tokio::test]
async fn a_folder_that_has_gone_is_told() {
    let ground = Ground::lay();
    let world = ground.world(&["/in:ro"]).await;
    fs::remove_dir_all(ground.folder.path().join("in")).unwrap();

    let failure = world.failure("read_file", json!("/in/greeting.txt")).await;

    assert!(failure.message.contains("/in cannot be opened on this host"), "{failure}");
}
