//! Ids: newtypes, never a bare `Uuid` or number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Name, Timestamp};

/// A text that should have been an id.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no {what}")]
pub struct ParseIdError {
    what: &'static str,
    text: String,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = "uuid")]
        pub struct $name(Uuid);

        impl $name {
            /// Takes the sixteen bytes of an id that was made before.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The sixteen bytes that databases keep.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let parsed = Uuid::from_str(text);
                parsed.map(Self).map_err(|_unparsed| ParseIdError { what: $what, text: text.into() })
            }
        }
    };
}

uuid_id!(
    /// One execution of a workflow.
    ExecutionId,
    "execution id"
);
uuid_id!(
    /// One incarnation of one host process: made anew at every start.
    HostId,
    "host id"
);
uuid_id!(
    /// One step attempt that waits in a queue, or is leased by a host.
    TaskId,
    "task id"
);

impl ExecutionId {
    /// None comes after it.
    pub const LAST: Self = Self::from_bytes([0xff; 16]);

    /// The id that a start with an idempotency key has, so that the primary key refuses the second one
    /// (a UUID of version 8, RFC 9562, over SHA-256).
    pub fn of_key(workflow: &Name, key: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(b"stepwell:execution:")
            .chain_update(u64::try_from(workflow.as_str().len()).unwrap_or(u64::MAX).to_be_bytes())
            .chain_update(workflow.as_str())
            .chain_update(key)
            .finalize();
        Self::of_hash(&hash)
    }

    /// The id of the child that a run of a parent starts under a promise: the same on every replay.
    pub fn of_child(parent: Self, run: Run, promise: Promise) -> Self {
        let hash = Sha256::new()
            .chain_update(b"stepwell:child:")
            .chain_update(parent.as_bytes())
            .chain_update(run.0.to_be_bytes())
            .chain_update(promise.0.to_be_bytes())
            .finalize();
        Self::of_hash(&hash)
    }

    /// The id of what a schedule starts at one of its times, so that the primary key refuses the second start of it.
    pub fn of_firing(schedule: &Name, at: Timestamp) -> Self {
        let hash = Sha256::new()
            .chain_update(b"stepwell:firing:")
            .chain_update(schedule.as_str())
            .chain_update([0])
            .chain_update(at.as_micros().to_be_bytes())
            .finalize();
        Self::of_hash(&hash)
    }

    /// The id of what a schedule starts by hand, with an idempotency key.
    pub fn of_trigger(schedule: &Name, key: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(b"stepwell:trigger:")
            .chain_update(schedule.as_str())
            .chain_update([0])
            .chain_update(key)
            .finalize();
        Self::of_hash(&hash)
    }

    fn of_hash(hash: &[u8]) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// The SHA-256 of a module's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
pub struct ModuleDigest([u8; 32]);

impl ModuleDigest {
    /// Digests the bytes of an uploaded component.
    pub fn of(wasm: &[u8]) -> Self {
        Self(Sha256::digest(wasm).into())
    }

    /// Takes the bytes of a digest that was made before.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes that databases keep.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first twelve hexadecimal digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for ModuleDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ModuleDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ModuleDigest {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let bad =
            || ParseIdError { what: "module digest (64 hexadecimal digits)", text: text.into() };
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(bad());
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = str::from_utf8(digits).map_err(|_utf8| bad())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_digit| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for ModuleDigest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
            ToSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// The one that follows.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// A numbered life of an execution: 0 at first.
    Run,
    u32
);
number!(
    /// The number of one thing that will settle, from 0 in the order of creation, per run.
    Promise,
    u32
);
number!(
    /// The place of an entry in its journal, from 1 without gaps.
    Seq,
    u64
);
number!(
    /// The number of an arrival in the inbox, given by the database.
    InboxId,
    i64
);

/// Where ids come from: one is handed down from `app`.
pub trait Ids: Send + Sync + fmt::Debug {
    /// An id that sorts by the time it was made (UUID version 7, RFC 9562).
    fn execution(&self) -> ExecutionId;
    /// An id for a new incarnation.
    fn host(&self) -> HostId;
    /// An id for a new task.
    fn task(&self) -> TaskId;
    /// Fresh randomness for an execution.
    fn seed(&self) -> [u8; 32];
}

/// Ids from the system's clock and randomness.
#[derive(Debug, Default, Clone, Copy)]
pub struct RandomIds;

impl RandomIds {
    #[expect(clippy::disallowed_methods, reason = "this is the one source of ids")]
    fn uuid() -> Uuid {
        Uuid::now_v7()
    }
}

impl Ids for RandomIds {
    fn execution(&self) -> ExecutionId {
        ExecutionId(Self::uuid())
    }

    fn host(&self) -> HostId {
        HostId(Self::uuid())
    }

    fn task(&self) -> TaskId {
        TaskId(Self::uuid())
    }

    fn seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the operating system has randomness");
        seed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_of_one_workflow_is_one_id() {
        let (a, b) = (Name::new("a").unwrap(), Name::new("b").unwrap());

        assert_eq!(ExecutionId::of_key(&a, "k"), ExecutionId::of_key(&a, "k"));
        assert_ne!(ExecutionId::of_key(&a, "k"), ExecutionId::of_key(&b, "k"));
        assert_ne!(ExecutionId::of_key(&a, "k"), ExecutionId::of_key(&a, "l"));
    }

    #[test]
    fn a_digest_is_read_back_from_its_text() {
        let digest = ModuleDigest::of(b"module");

        assert_eq!(digest.to_string().parse::<ModuleDigest>().unwrap(), digest);
        assert!("12".parse::<ModuleDigest>().is_err());
    }
}
