//! The modules that the tests run, as `scripts/guests` builds them.

use std::path::PathBuf;

/// Those that every test host has from the start.
pub const DEPLOYED: [&str; 5] =
    ["misbehaving", "checkout", "approval", "fan_out", "saga_trip_booking"];

/// Where a module lies.
pub fn path(name: &str) -> PathBuf {
    let folder = "../../target/guests/wasm32-wasip2/release";
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder).join(name).with_extension("wasm")
}

/// The bytes of a module.
pub fn wasm(name: &str) -> Vec<u8> {
    let path = path(name);
    match std::fs::read(&path) {
        Ok(wasm) => wasm,
        Err(error) => panic!("{}: {error}; build it with scripts/guests", path.display()),
    }
}
