//! Whoever holds a server takes it along.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A process that does nothing but hold the other end of the script's input, as a process of tests does.
fn owner() -> Child {
    Command::new("sleep").arg("600").stdout(Stdio::piped()).spawn().unwrap()
}

struct Held {
    script: Child,
    answers: BufReader<std::process::ChildStdout>,
    port: u16,
    folder: PathBuf,
}

fn server_of(owner: &mut Child, kind: &str) -> Held {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut script = Command::new(root.join("scripts/private-server"))
        .arg(kind)
        .env("STEPWELL_SERVERS_CACHE", root.join("target/tmp"))
        .stdin(owner.stdout.take().unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = BufReader::new(script.stdout.take().unwrap());
    let mut line = String::new();
    answers.read_line(&mut line).unwrap();
    let words: Vec<_> = line.trim_end().split(' ').collect();
    assert_eq!(words[0], "ready", "{line}");
    Held { script, answers, port: words[1].parse().unwrap(), folder: words[2].into() }
}

#[test]
fn a_server_ends_with_its_owner_even_by_kill_9() {
    for kind in ["postgres", "redis"] {
        let mut owner = owner();
        let mut held = server_of(&mut owner, kind);
        TcpStream::connect(("127.0.0.1", held.port)).unwrap();
        assert!(held.folder.is_dir());

        owner.kill().unwrap();
        owner.wait().unwrap();

        // The end of what the script says is its own end.
        let mut rest = String::new();
        held.answers.read_to_string(&mut rest).unwrap();
        assert!(held.script.wait().unwrap().success(), "{kind}: {rest}");
        assert!(TcpStream::connect(("127.0.0.1", held.port)).is_err(), "{kind} listens");
        assert!(!held.folder.exists(), "{kind} left its folder");
    }
}

#[test]
fn a_server_that_is_not_installed_is_named_with_the_line_that_installs_it() {
    let nowhere = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();

    for (kind, package) in [("postgres", "postgresql"), ("redis", "redis-server")] {
        let script = Command::new(root.join("scripts/private-server"))
            .arg(kind)
            .env("STEPWELL_SERVERS_PATH", nowhere.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();

        let said = String::from_utf8_lossy(&script.stdout);
        assert!(!script.status.success(), "{said}");
        assert!(said.starts_with("failed\nThere is no "), "{said}");
        assert!(said.contains("install") && said.contains(package), "{said}");
    }
}
