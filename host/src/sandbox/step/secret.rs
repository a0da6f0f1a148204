//! Secrets: a guest holds a placeholder, the host holds the value.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::model::{EnvName, SecretRule};

/// The value of a secret. It is shown nowhere, and wiped when it goes.
#[derive(Clone)]
pub(in crate::sandbox) struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// The fewest bytes of a value: a shorter one would be found by chance in what servers answer.
    pub(in crate::sandbox) const BYTES_MIN: usize = 8;
    /// The most bytes of a value: it goes into a header.
    pub(in crate::sandbox) const BYTES_MAX: usize = 8 << 10;

    /// A value, or why it is none. The answer never holds it.
    pub(in crate::sandbox) fn new(value: Zeroizing<String>) -> Result<Self, &'static str> {
        if value.len() < Self::BYTES_MIN {
            return Err("has fewer than 8 bytes");
        }
        if value.len() > Self::BYTES_MAX {
            return Err("has more than 8192 bytes");
        }
        if value.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            return Err("holds a line break or another control character, which no header may");
        }
        Ok(Self(Arc::new(value)))
    }

    /// What it is. Whoever calls this sees to it that it goes into a request and nowhere else.
    pub(in crate::sandbox) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret that a module has, with its value.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Held {
    pub(in crate::sandbox) name: EnvName,
    pub(in crate::sandbox) value: Secret,
    pub(in crate::sandbox) rule: SecretRule,
}

/// What stands for a secret in one attempt.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) held: Held,
    /// Nobody can guess it, so nobody who feeds the guest can have the secret put where the guest did not put it. It is of
    /// no use outside the attempt that it was made for.
    pub(super) placeholder: String,
}

impl Placed {
    /// A placeholder of its own for a secret.
    pub(super) fn new(held: &Held) -> Result<Self, getrandom::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        let placeholder =
            format!("secret-{}-{:032x}", held.name, u128::from_be_bytes(random)).to_lowercase();
        Ok(Self { held: held.clone(), placeholder })
    }
}
