//! Under which name the result of a call answers later ones.

use sha2::{Digest, Sha256};

use super::{Name, Payload};

/// What two calls share that are given one result: a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResultKey([u8; 32]);

/// What a key says besides the call's own word: whose result it is.
#[derive(Debug, Clone, Copy)]
pub struct ResultOf<'a> {
    /// The name of the module, which all its versions share.
    pub module: &'a Name,
    /// The step.
    pub step: &'a Name,
    /// The step's version: raised where older results should answer nobody any more.
    pub version: &'a str,
}

impl ResultKey {
    /// Calls with the same input, byte for byte, share a result.
    pub fn of_input(of: ResultOf<'_>, input: &Payload) -> Self {
        Self::of(of, b"input", input.as_str())
    }

    /// Calls with the same key share a result, whatever their input.
    pub fn of_key(of: ResultOf<'_>, key: &str) -> Self {
        Self::of(of, b"key", key)
    }

    fn of(of: ResultOf<'_>, kind: &[u8], word: &str) -> Self {
        let mut hash = Sha256::new().chain_update(b"stepwell:result:").chain_update(kind);
        for part in [of.module.as_str(), of.step.as_str(), of.version] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        Self(hash.chain_update(word).finalize().into())
    }

    /// Takes the bytes of a key that was made before.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes that databases keep.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_key_counts_and_an_input_is_no_key() {
        let name = |text: &str| Name::new(text).unwrap();
        let (shop, store, charge, refund) =
            (name("shop"), name("store"), name("charge"), name("refund"));
        let of = ResultOf { module: &shop, step: &charge, version: "1" };
        let key = |of, word: &str| ResultKey::of_input(of, &Payload::from_checked(word));

        let keys = [
            key(of, "1"),
            key(of, "2"),
            key(ResultOf { version: "2", ..of }, "1"),
            key(ResultOf { step: &refund, ..of }, "1"),
            key(ResultOf { module: &store, ..of }, "1"),
            ResultKey::of_key(of, "1"),
        ];

        for (place, one) in keys.iter().enumerate() {
            assert!(keys[place + 1..].iter().all(|other| other != one), "{place}");
        }
        assert_eq!(keys[0], key(of, "1"));
    }
}
