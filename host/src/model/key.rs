//! Keys to the API: what they look like, and what whoever holds one may do.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{Name, Timestamp};

/// What a key may do. `docs/access.md` lists the routes of each.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// See everything but keys and the audit log.
    Read,
    /// Start executions, and follow those whose id is known.
    Start,
    /// Act on what runs: signal, cancel, retry, pause, schedules, dead letters. And read.
    Operate,
    /// Upload modules, choose the active one, grant. And read.
    Deploy,
    /// Everything.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 5] = [Self::Read, Self::Start, Self::Operate, Self::Deploy, Self::Admin];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Start => "start",
            Self::Operate => "operate",
            Self::Deploy => "deploy",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let known = Self::ALL.into_iter().find(|role| role.as_str() == text);
        known.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// There is no such role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: read, start, operate, deploy or admin")]
pub struct UnknownRole(String);

/// What belongs to a key's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyScope {
    /// What it may do. Empty for the key of a session, which may do what the one may that it was opened with.
    pub roles: Vec<Role>,
    /// The only workflows that the role `start` starts; empty means any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workflows: Vec<Name>,
    /// For the key that a browser was given in exchange for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
}

/// Whose a session is, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The key it was opened with.
    pub of: KeyId,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Where it was opened with the key of the environment: which one that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// How long a browser stays logged in.
pub const SESSION_FOR: Duration = Duration::from_hours(12);

/// The part of a key by which its row is found. It is no secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = "^(s?[0-9a-f]{16}|environment)$")]
pub struct KeyId(String);

impl KeyId {
    /// That of the key in the host's environment, which has no row.
    pub fn environment() -> Self {
        Self(ENVIRONMENT.to_owned())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a whole key is that of a session.
    pub fn is_of_session(key: &str) -> bool {
        key.parse::<Key>().is_ok_and(|key| key.id.0.starts_with(SESSION))
    }

    /// As it lies in a row.
    pub fn from_row(text: String) -> Self {
        Self(text)
    }

    /// What a key of this id begins with.
    pub fn prefix(&self) -> String {
        format!("{MARK}{}", self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyId {
    type Err = NoKeyId;

    fn from_str(text: &str) -> Result<Self, NoKeyId> {
        if text == ENVIRONMENT {
            return Ok(Self::environment());
        }
        // What its key begins with does as well, and so does the whole key, whose secret is nobody's business here.
        let text = text.strip_prefix(MARK).map_or(text, |key| key.split('_').next().unwrap_or(key));
        let digits = text.strip_prefix(SESSION).unwrap_or(text);
        let is_id = digits.len() == 2 * ID_BYTES && digits.bytes().all(is_hex);
        is_id.then(|| Self(text.to_owned())).ok_or(NoKeyId)
    }
}

/// What a key begins with, so that scanners for secrets know it.
const MARK: &str = "sw_";
/// What the key in a host's environment is called.
const ENVIRONMENT: &str = "environment";
/// What the id of a session begins with.
const SESSION: char = 's';
/// Bytes of an id,
const ID_BYTES: usize = 8;
/// and of the secret behind it.
const SECRET_BYTES: usize = 32;

/// For whom a key is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// For a person or a program.
    Lasting,
    /// For a browser, for some hours.
    Session,
}

/// A whole key. Its secret is wiped when it goes, and never printed by accident.
#[derive(Clone)]
pub struct Key {
    id: KeyId,
    secret: Zeroizing<[u8; SECRET_BYTES]>,
}

impl Key {
    /// A key made of fresh randomness: of the first, eight bytes are its id.
    pub fn made_of(kind: KeyKind, [for_id, secret]: [[u8; SECRET_BYTES]; 2]) -> Self {
        let id = hex(&for_id[..ID_BYTES]);
        let id = match kind {
            KeyKind::Lasting => id,
            KeyKind::Session => format!("{SESSION}{id}"),
        };
        Self { id: KeyId(id), secret: Zeroizing::new(secret) }
    }

    /// Where its row is found.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The whole of it: what is shown once.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{MARK}{}_{}", self.id.0, hex(&*self.secret)))
    }

    /// What is kept of it.
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.secret.as_slice()).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let (id, digits) = text.strip_prefix(MARK).and_then(|s| s.split_once('_')).ok_or(NoKey)?;
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        if digits.len() != 2 * SECRET_BYTES || !digits.bytes().all(is_hex) {
            return Err(NoKey);
        }
        for (byte, pair) in secret.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_not_ascii| NoKey)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_no_digit| NoKey)?;
        }
        Ok(Self { id: id.parse().map_err(|NoKeyId| NoKey)?, secret })
    }
}

/// The text has not the form of a key's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no key's id: it has 16 digits, as in `sw_` and id, see GET /v1/keys")]
pub struct NoKeyId;

/// The text has not the form of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this has not the form of a key")]
pub struct NoKey;

/// A key that an operator chose himself, as it is kept. Its text is forgotten at once.
#[derive(Debug, Clone, Copy)]
pub struct ChosenKey(KeyHash);

impl ChosenKey {
    /// What tells it from another one, and lets nobody find it.
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes())[..ID_BYTES])
    }

    /// Whether this text is that key.
    pub fn is(&self, text: &str) -> bool {
        self.0.is(KeyHash::of_text(text).as_bytes())
    }
}

/// The shortest key that an operator may choose, in bytes.
const CHOSEN_BYTES_MIN: usize = 32;

impl FromStr for ChosenKey {
    type Err = WeakKey;

    fn from_str(text: &str) -> Result<Self, WeakKey> {
        let is_strong =
            text.len() >= CHOSEN_BYTES_MIN && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_strong.then(|| Self(KeyHash::of_text(text))).ok_or(WeakKey)
    }
}

/// The text is too short for a key, or has characters that a header cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the admin's key must have {CHOSEN_BYTES_MIN} or more characters of ASCII and no space; \
     `openssl rand -hex 32` makes one"
)]
pub struct WeakKey;

/// What is kept of a key: SHA-256 of its secret. Of 256 random bits nothing can be guessed, so a slow hash with a salt would
/// protect nothing more and cost every request.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash")
    }
}

impl KeyHash {
    /// That of a text of any form.
    fn of_text(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// As it lies in a row.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is the one in a row. How long that takes says nothing of where they differ.
    pub fn is(&self, kept: &[u8]) -> bool {
        self.0.as_slice().ct_eq(kept).into()
    }
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write;

    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes every text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_shown() {
        let key = Key::made_of(KeyKind::Lasting, [[7; 32], [9; 32]]);

        let read: Key = key.reveal().parse().unwrap();

        assert_eq!(read.id().as_str(), "0707070707070707");
        assert!(read.hash().is(key.hash().as_bytes()));
        assert!(key.reveal().starts_with("sw_0707070707070707_0909"));
    }

    #[test]
    fn the_secret_of_a_key_is_not_printed() {
        let key = Key::made_of(KeyKind::Session, [[7; 32], [9; 32]]);

        assert!(!format!("{key:?}").contains("0909"));
        assert_eq!(key.id().as_str(), "s0707070707070707");
    }

    #[test]
    fn a_key_that_was_chosen_is_long() {
        let text = "0123456789abcdef0123456789abcdef";

        let chosen: ChosenKey = text.parse().unwrap();

        assert!(chosen.is(text) && !chosen.is(&text[1..]));
        assert!(text[1..].parse::<ChosenKey>().is_err());
        assert!(text.replace('0', " ").parse::<ChosenKey>().is_err());
    }

    #[test]
    fn a_key_that_was_chosen_is_no_sessions_however_it_begins() {
        let session = Key::made_of(KeyKind::Session, [[7; 32], [9; 32]]);
        let lasting = Key::made_of(KeyKind::Lasting, [[7; 32], [9; 32]]);

        assert!(KeyId::is_of_session(&session.reveal()));
        assert!(!KeyId::is_of_session(&lasting.reveal()));
        assert!(!KeyId::is_of_session("sw_secret-of-the-operator-0123456789"));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let whole = Key::made_of(KeyKind::Lasting, [[7; 32], [9; 32]]).reveal();
        for text in ["", "sw_", "sw__", &whole[3..], &whole[..whole.len() - 1], "sw_07_09"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
        assert!(whole.to_uppercase().parse::<Key>().is_err());
    }

    #[test]
    fn another_secret_has_another_hash() {
        let one = Key::made_of(KeyKind::Lasting, [[7; 32], [9; 32]]);
        let other = Key::made_of(KeyKind::Lasting, [[7; 32], [8; 32]]);

        assert!(!one.hash().is(other.hash().as_bytes()));
        assert!(!one.hash().is(b"short"));
    }
}
