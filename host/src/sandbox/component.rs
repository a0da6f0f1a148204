//! Compiled artefacts: sealed by this host, kept in its cache, and loaded only with the seal unbroken.
//!
//! An artefact is native code. Whoever can write one can do all that this host can, so none is loaded but what this host's
//! own compiler wrote for this very engine and processor, which a MAC under a key of this host's own proves. Anything else
//! is ignored, and the module is compiled again.

use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::SandboxError;
use crate::model::ModuleDigest;

const MAGIC: &[u8; 8] = b"stepwel1";
const KEY_FILE: &str = "artefact.key";
const KEY_BYTES: usize = 32;
const MAC_BYTES: usize = 32;
const HEADER_BYTES: usize = MAGIC.len() + 32 + 32;

/// The cache of artefacts on disk.
pub(super) struct Artefacts {
    folder: Dir,
    key: [u8; KEY_BYTES],
    /// Of the engine's version and settings, and of what this processor can do.
    compatibility: [u8; 32],
}

impl Artefacts {
    /// Opens the folder, which is made where it is missing, and reads or makes this host's key.
    pub(super) fn open(path: &Path, engine: &Engine) -> Result<Self, SandboxError> {
        let at = |what| move |source| SandboxError::Cache { what, source };
        Dir::create_ambient_dir_all(path, ambient_authority()).map_err(at("making the folder"))?;
        let folder =
            Dir::open_ambient_dir(path, ambient_authority()).map_err(at("opening the folder"))?;
        let key = key(&folder).map_err(at("reading or making the key"))?;
        Ok(Self { folder, key, compatibility: compatibility(engine) })
    }

    /// Seals an artefact and keeps it. What cannot be kept is compiled again another time.
    pub(super) fn keep(&self, digest: ModuleDigest, artefact: &[u8]) -> Result<(), SandboxError> {
        let at = |source| SandboxError::Cache { what: "keeping an artefact", source };
        let sealed = self.seal(digest, artefact);
        let name = self.name(digest);
        // Written beside and moved, so that a reader sees all of it or nothing.
        let unfinished = format!("{name}.{}.part", std::process::id());
        self.folder.write(&unfinished, &sealed).map_err(at)?;
        self.folder.rename(&unfinished, &self.folder, &name).map_err(at)
    }

    /// Removes the artefact of a module that was refused after all: whoever uploads what is refused fills no disk.
    pub(super) fn forget(&self, digest: ModuleDigest) {
        if let Err(error) = self.folder.remove_file(self.name(digest))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(module = %digest, cause = %error, "The artefact of refused module {digest} stays");
        }
    }

    /// Loads an artefact that this host has sealed.
    pub(super) fn load(&self, digest: ModuleDigest, engine: &Engine) -> Option<Component> {
        let sealed = match self.folder.read(self.name(digest)) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(module = %digest, cause = %error, "The artefact of module {digest} cannot be read");
                return None;
            }
        };
        let Some(artefact) = self.open_seal(digest, &sealed) else {
            tracing::warn!(
                module = %digest,
                "The artefact of module {digest} was not made by this host, or was changed: it is compiled again"
            );
            return None;
        };
        deserialize(engine, artefact)
            .inspect_err(|error| {
                tracing::warn!(module = %digest, cause = %error, "The artefact of module {digest} does not load");
            })
            .ok()
    }

    fn name(&self, digest: ModuleDigest) -> String {
        let [a, b, c, d, ..] = self.compatibility;
        format!("{digest}-{:08x}.cwasm", u32::from_be_bytes([a, b, c, d]))
    }

    fn seal(&self, digest: ModuleDigest, artefact: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(HEADER_BYTES + artefact.len() + MAC_BYTES);
        sealed.extend_from_slice(MAGIC);
        sealed.extend_from_slice(digest.as_bytes());
        sealed.extend_from_slice(&self.compatibility);
        sealed.extend_from_slice(artefact);
        let mac = self.mac(&sealed).finalize().into_bytes();
        sealed.extend_from_slice(&mac);
        sealed
    }

    /// The artefact inside, if this host sealed it for this module, engine and processor.
    fn open_seal<'a>(&self, digest: ModuleDigest, sealed: &'a [u8]) -> Option<&'a [u8]> {
        let (body, mac) = sealed.split_last_chunk::<MAC_BYTES>()?;
        // In constant time: how far a guess is right must not show.
        self.mac(body).verify_slice(mac).ok()?;
        let (header, artefact) = body.split_at_checked(HEADER_BYTES)?;
        let rest = header.strip_prefix(MAGIC)?.strip_prefix(digest.as_bytes())?;
        (rest == self.compatibility).then_some(artefact)
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(bytes);
        mac
    }
}

impl std::fmt::Debug for Artefacts {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Artefacts").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Loads native code.
#[expect(unsafe_code, reason = "the one place that loads compiled components")]
fn deserialize(engine: &Engine, artefact: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `open_seal` has just verified this host's MAC over these bytes, and only `Artefacts::keep` makes one: over what
    // this host's own compiler process wrote, for an engine of this version with these settings on this processor.
    unsafe { Component::deserialize(engine, artefact) }
}

/// Made whole before it has its name: who finds it reads all of it.
fn key(folder: &Dir) -> io::Result<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    match folder.open(KEY_FILE) {
        Ok(mut file) => {
            file.read_exact(&mut key)?;
            return Ok(key);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut drawn = [0; 8];
    getrandom::fill(&mut drawn)
        .and_then(|()| getrandom::fill(&mut key))
        .map_err(io::Error::other)?;
    let unfinished = format!("{KEY_FILE}.{:016x}", u64::from_le_bytes(drawn));
    let mut making = OpenOptions::new();
    making.write(true).create_new(true).mode(0o600);
    let mut file = folder.open_with(&unfinished, &making)?;
    file.write_all(&key)?;
    file.sync_all()?;
    let named = folder.hard_link(&unfinished, folder, KEY_FILE);
    folder.remove_file(&unfinished)?;
    match named {
        Ok(()) => {}
        // Another was quicker: that one's it is.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            folder.open(KEY_FILE)?.read_exact(&mut key)?;
        }
        Err(error) => return Err(error),
    }
    Ok(key)
}

/// What must be the same for an artefact to be of use: the engine's own hash, and the processor's abilities.
fn compatibility(engine: &Engine) -> [u8; 32] {
    let mut hasher = Collector(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.update(std::env::consts::ARCH);
    for ability in processor() {
        hasher.0.update(ability);
        hasher.0.update(b",");
    }
    hasher.0.finalize().into()
}

/// Feeds whatever is hashed to SHA-256.
struct Collector(Sha256);

impl Hasher for Collector {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.clone().finalize();
        hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

#[cfg(target_arch = "x86_64")]
fn processor() -> Vec<&'static str> {
    macro_rules! present {
        ($($ability:tt),*) => {
            [$(($ability, std::is_x86_feature_detected!($ability))),*]
        };
    }
    let abilities = present!(
        "sse3",
        "ssse3",
        "sse4.1",
        "sse4.2",
        "popcnt",
        "avx",
        "avx2",
        "fma",
        "bmi1",
        "bmi2",
        "lzcnt",
        "avx512bitalg",
        "avx512dq",
        "avx512f",
        "avx512vl",
        "avx512vbmi",
        "cmpxchg16b"
    );
    abilities.into_iter().filter_map(|(ability, present)| present.then_some(ability)).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn processor() -> Vec<&'static str> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    const HOSTS: usize = 8;
    const ROUNDS: usize = 50;

    /// The keys that so many make in one folder at once.
    fn made_at_once(folder: &Dir) -> Vec<[u8; KEY_BYTES]> {
        let start = Barrier::new(HOSTS);
        let make = || {
            start.wait();
            key(folder).unwrap()
        };
        std::thread::scope(|scope| {
            let hosts: Vec<_> = (0..HOSTS).map(|_| scope.spawn(make)).collect();
            hosts.into_iter().map(|host| host.join().unwrap()).collect()
        })
    }

    #[test]
    fn hosts_that_make_a_key_at_once_have_the_same_and_all_of_it() {
        for _ in 0..ROUNDS {
            let place = tempfile::tempdir().unwrap();
            let folder = Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();

            let made = made_at_once(&folder);

            assert_eq!(made, vec![made[0]; HOSTS]);
            assert_ne!(made[0], [0; KEY_BYTES]);
            let left = folder.entries().unwrap().map(|one| one.unwrap().file_name());
            assert_eq!(left.collect::<Vec<_>>(), [KEY_FILE], "nothing is left beside it");
        }
    }
}
