//! The keys, and the form of what they have sealed.
//!
//! Sealed bytes begin with a NUL, as neither JSON nor an entry of a journal does: `00 53`, a version, the key's id with its
//! length, a salt, a nonce, and what AES-256-GCM makes of the bytes and of the place that they belong to. A sealed text is the
//! same in base64 behind U+0001 and `s`. The cipher's own key is derived from the operator's and the salt, which each process
//! draws: so no number of hosts and years brings the same nonce twice under one key.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// How sealed bytes begin.
const MAGIC: [u8; 3] = [0, b'S', 1];
/// How a sealed text begins.
const SEALED_TEXT: &str = "\u{1}s";
/// How a text begins that is not sealed and has U+0001 for its first character.
const PLAIN_TEXT: &str = "\u{1}p";
/// The key's id is at most so long.
const ID_BYTES_MAX: usize = 32;
const SALT: usize = 16;
const NONCE: usize = 12;
/// Ciphers of other processes that are kept.
const CIPHERS_MAX: usize = 1_024;

/// Why no keys are made of a text. It says nothing that could be a part of one.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum BadKeys {
    /// It has another form.
    #[error("each key is written as id:base64, with a comma between two of them")]
    Form,
    /// Letters, digits, `.`, `_` and `-`.
    #[error("the id of a key is 1 to 32 letters, digits, dots, hyphens and underscores")]
    Id,
    /// Another length than AES-256 wants.
    #[error("key {0} is not 32 bytes in base64; `openssl rand -base64 32` makes one")]
    Length(String),
    /// The same id again.
    #[error("there are two keys {0}")]
    Twice(String),
}

/// Why something sealed is not opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(in crate::store) enum Unopened {
    /// Its key is not there.
    #[error("it is sealed under key {0}, which STEPWELL_ENCRYPTION_KEYS does not have")]
    UnknownKey(String),
    /// Something was changed, or it belongs to another place.
    #[error("what was sealed under key {0} was changed, or the key is another one of that id")]
    Changed(String),
    /// It is none of ours.
    #[error("it has the beginning of something sealed and not its form")]
    Form,
}

/// The keys of a host: the first one seals, all of them open. Without any, nothing is sealed. Cheap to clone.
#[derive(Clone, Default)]
pub struct Keyring(Option<Arc<Keys>>);

struct Keys {
    keys: Vec<Key>,
    /// Drawn by this process, for what it seals.
    salt: [u8; SALT],
    sealer: Aes256Gcm,
    ciphers: Mutex<HashMap<(usize, [u8; SALT]), Aes256Gcm>>,
}

struct Key {
    id: String,
    secret: Zeroizing<Vec<u8>>,
}

impl Key {
    fn cipher(&self, salt: &[u8; SALT]) -> Aes256Gcm {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("any length is a key");
        mac.update(b"stepwell: payloads at rest:");
        mac.update(salt);
        let derived = Zeroizing::new(<[u8; 32]>::from(mac.finalize().into_bytes()));
        Aes256Gcm::new_from_slice(&*derived).expect("it is 32 bytes long")
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl PartialEq for Keyring {
    /// Whether they are one ring: secrets are not compared.
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

impl Eq for Keyring {}

impl FromStr for Keyring {
    type Err = BadKeys;

    fn from_str(text: &str) -> Result<Self, BadKeys> {
        let keys = text.split(',').map(|key| key.trim().parse());
        let keys = keys.collect::<Result<Vec<Key>, _>>()?;
        for (place, key) in keys.iter().enumerate() {
            if keys[..place].iter().any(|other| other.id == key.id) {
                return Err(BadKeys::Twice(key.id.clone()));
            }
        }
        let salt = drawn();
        let sealer = keys.first().ok_or(BadKeys::Form)?.cipher(&salt);
        Ok(Self(Some(Arc::new(Keys { keys, salt, sealer, ciphers: Mutex::default() }))))
    }
}

impl FromStr for Key {
    type Err = BadKeys;

    fn from_str(text: &str) -> Result<Self, BadKeys> {
        let (id, secret) = text.split_once(':').ok_or(BadKeys::Form)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if id.is_empty() || id.len() > ID_BYTES_MAX || !id.chars().all(is_plain) {
            return Err(BadKeys::Id);
        }
        let secret = Zeroizing::new(STANDARD.decode(secret).unwrap_or_default());
        if secret.len() != 32 {
            return Err(BadKeys::Length(id.to_owned()));
        }
        Ok(Self { id: id.to_owned(), secret })
    }
}

/// Whether bytes begin as sealed ones do.
pub(super) fn marks_bytes(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Whether a text begins as one that is sealed, or that was kept from looking like it.
pub(super) fn marks_text(text: &str) -> bool {
    text.starts_with(SEALED_TEXT) || text.starts_with(PLAIN_TEXT)
}

fn drawn<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

impl Keyring {
    /// The ids of its keys, the one that seals first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|keys| &keys.keys).map(|key| &*key.id)
    }

    /// Whether anything is sealed.
    pub fn seals(&self) -> bool {
        self.0.is_some()
    }

    /// Seals bytes for a place, where there is a key.
    pub(in crate::store) fn seal(&self, place: &str, bytes: Vec<u8>) -> Vec<u8> {
        let Some(keys) = &self.0 else { return bytes };
        let (id, nonce) = (&keys.keys[0].id, drawn::<NONCE>());
        let payload = Payload { msg: &bytes, aad: place.as_bytes() };
        let made = keys.sealer.encrypt(&nonce.into(), payload).expect("it is far below 64 GiB");
        let mut sealed = Vec::with_capacity(4 + id.len() + SALT + NONCE + made.len());
        sealed.extend_from_slice(&MAGIC);
        sealed.push(u8::try_from(id.len()).expect("an id is short"));
        [id.as_bytes(), &keys.salt, &nonce, &made].iter().for_each(|part| sealed.extend(*part));
        sealed
    }

    /// Seals a text for a place, where there is a key.
    pub(in crate::store) fn seal_text(&self, place: &str, text: String) -> String {
        if self.seals() {
            format!("{SEALED_TEXT}{}", STANDARD.encode(self.seal(place, text.into_bytes())))
        } else if text.starts_with('\u{1}') {
            format!("{PLAIN_TEXT}{text}")
        } else {
            text
        }
    }

    /// Opens bytes, if they are sealed.
    pub(in crate::store) fn open(&self, place: &str, bytes: Vec<u8>) -> Result<Vec<u8>, Unopened> {
        let Some(sealed) = bytes.strip_prefix(&MAGIC) else { return Ok(bytes) };
        let (length, rest) = sealed.split_first().ok_or(Unopened::Form)?;
        let (id, rest) = rest.split_at_checked(usize::from(*length)).ok_or(Unopened::Form)?;
        let (salt, rest) = rest.split_first_chunk::<SALT>().ok_or(Unopened::Form)?;
        let (nonce, made) = rest.split_first_chunk::<NONCE>().ok_or(Unopened::Form)?;
        let id = str::from_utf8(id).map_err(|_no_id| Unopened::Form)?;
        let cipher = self.cipher(id, salt).ok_or_else(|| Unopened::UnknownKey(id.to_owned()))?;
        let payload = Payload { msg: made, aad: place.as_bytes() };
        let opened = cipher.decrypt(&(*nonce).into(), payload);
        opened.map_err(|_not_authentic| Unopened::Changed(id.to_owned()))
    }

    /// Opens a text, if it is sealed.
    pub(in crate::store) fn open_text(
        &self,
        place: &str,
        text: String,
    ) -> Result<String, Unopened> {
        if let Some(plain) = text.strip_prefix(PLAIN_TEXT) {
            return Ok(plain.to_owned());
        }
        let Some(sealed) = text.strip_prefix(SEALED_TEXT) else { return Ok(text) };
        let sealed = STANDARD.decode(sealed).map_err(|_no_base64| Unopened::Form)?;
        let opened = self.open(place, sealed)?;
        String::from_utf8(opened).map_err(|_no_text| Unopened::Form)
    }

    fn cipher(&self, id: &str, salt: &[u8; SALT]) -> Option<Aes256Gcm> {
        let keys = self.0.as_ref()?;
        let place = keys.keys.iter().position(|key| key.id == id)?;
        if place == 0 && *salt == keys.salt {
            return Some(keys.sealer.clone());
        }
        let mut ciphers = keys.ciphers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cipher) = ciphers.get(&(place, *salt)) {
            return Some(cipher.clone());
        }
        if ciphers.len() >= CIPHERS_MAX {
            ciphers.clear();
        }
        let cipher = keys.keys[place].cipher(salt);
        ciphers.insert((place, *salt), cipher.clone());
        Some(cipher)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "old:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const NEW: &str = "new:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    fn ring(keys: &[&str]) -> Keyring {
        keys.join(",").parse().unwrap()
    }

    #[test]
    fn what_was_sealed_is_opened_by_any_host_that_has_the_key() {
        let (one, other) = (ring(&[OLD]), ring(&[NEW, OLD]));

        let sealed = one.seal("journal.data", b"secret".to_vec());
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_ne!(sealed, one.seal("journal.data", b"secret".to_vec()), "a nonce each time");
        assert_eq!(other.open("journal.data", sealed).unwrap(), b"secret");
        let sealed = one.seal_text("logs.message", "secret".to_owned());
        assert!(!sealed.contains("secret"));
        assert_eq!(other.open_text("logs.message", sealed).unwrap(), "secret");
    }

    #[test]
    fn without_its_key_nothing_is_opened_and_the_key_is_named() {
        let sealed = ring(&[OLD]).seal("journal.data", b"secret".to_vec());

        let unknown = Err(Unopened::UnknownKey("old".to_owned()));
        assert_eq!(ring(&[NEW]).open("journal.data", sealed.clone()), unknown);
        assert_eq!(Keyring::default().open("journal.data", sealed), unknown);
    }

    #[test]
    fn what_was_changed_or_moved_or_cut_is_not_opened() {
        let ring = ring(&[OLD]);
        let sealed = ring.seal("journal.data", b"secret".to_vec());

        let changed = Err(Unopened::Changed("old".to_owned()));
        assert_eq!(ring.open("state.value", sealed.clone()), changed);
        for place in 0..sealed.len() {
            let mut other = sealed.clone();
            other[place] ^= 1;
            assert_ne!(ring.open("journal.data", other).ok(), Some(b"secret".to_vec()));
            if place > MAGIC.len() {
                assert!(ring.open("journal.data", sealed[..place].to_vec()).is_err());
            }
        }
    }

    #[test]
    fn what_is_not_sealed_stays_as_it_is_whatever_it_begins_with() {
        let none = Keyring::default();

        for text in ["", "plain", "\u{1}", "\u{1}s", "\u{1}sAAAA", "\u{1}p"] {
            let kept = none.seal_text("logs.message", text.to_owned());
            for ring in [&none, &ring(&[OLD])] {
                assert_eq!(ring.open_text("logs.message", kept.clone()).unwrap(), text);
            }
        }
        assert_eq!(none.seal("journal.data", vec![1, 2]), [1, 2]);
        assert_eq!(ring(&[OLD]).open("journal.data", vec![1, 2]).unwrap(), [1, 2]);
    }

    #[test]
    fn keys_that_are_none_are_refused_and_not_shown() {
        let told = |text: &str| text.parse::<Keyring>().unwrap_err();

        assert_eq!(told("abc"), BadKeys::Form);
        assert_eq!(told("a b:AAAA"), BadKeys::Id);
        assert_eq!(told("a:AAAA"), BadKeys::Length("a".to_owned()));
        assert_eq!(told(&format!("{OLD},{OLD}")), BadKeys::Twice("old".to_owned()));
        assert_eq!(format!("{:?}", ring(&[NEW, OLD])), r#"["new", "old"]"#);
    }
}
