//! Files.

use std::fs;

use stepwell::prelude::*;

/// Reads a file.
#[stepwell::step(retry(max_attempts = 1), timeout = "10s")]
pub(crate) async fn read_file(path: String) -> Result<String, Failure> {
    Ok(fs::read_to_string(path)?)
}

/// Writes a file.
#[stepwell::step(retry(max_attempts = 1), timeout = "10s")]
pub(crate) async fn write_file(path: String, text: String) -> Result<(), Failure> {
    Ok(fs::write(path, text)?)
}

/// Gives a file another name.
#[stepwell::step(retry(max_attempts = 1), timeout = "10s")]
pub(crate) async fn rename_file(from: String, to: String) -> Result<(), Failure> {
    Ok(fs::rename(from, to)?)
}

/// Lists a directory.
#[stepwell::step(retry(max_attempts = 1), timeout = "10s")]
pub(crate) async fn list_files(path: String) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Tries everything that would change something, and tells what went through.
#[stepwell::step(retry(max_attempts = 1), timeout = "10s")]
pub(crate) async fn probe_files(dir: String) -> Result<Vec<String>, Failure> {
    let file = format!("{dir}/probe.txt");
    let there = format!("{dir}/greeting.txt");
    let tries = [
        ("write", fs::write(&file, "x").is_ok()),
        ("append", fs::OpenOptions::new().append(true).open(&there).is_ok()),
        ("truncate", fs::OpenOptions::new().write(true).truncate(true).open(&there).is_ok()),
        ("create_dir", fs::create_dir(format!("{dir}/folder")).is_ok()),
        ("rename", fs::rename(&there, &file).is_ok()),
        ("hard_link", fs::hard_link(&there, &file).is_ok()),
        ("remove", fs::remove_file(&there).is_ok()),
        ("remove_dir", fs::remove_dir_all(&dir).is_ok()),
    ];
    Ok(tries.into_iter().filter(|(_, went)| *went).map(|(what, _)| what.to_owned()).collect())
}
