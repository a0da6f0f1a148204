//! Keeps the values of secrets out of what comes back. A server may repeat what it was sent: in a header, in an error, in a
//! page for debugging. Each byte of a value is overwritten with `*`, so lengths stay as they are.

use bytes::{Bytes, BytesMut};
use hyper::HeaderMap;
use hyper::header::HeaderValue;

use crate::sandbox::step::secret::Held;

/// Looks for some texts in what passes by, however it is cut into pieces.
#[derive(Debug, Clone, Default)]
pub(super) struct Scrubber {
    patterns: Vec<Pattern>,
    /// The end of what has passed, as it came, where it may be the beginning of a text.
    kept: BytesMut,
    /// Which bytes of it belong to a text that has been found: one may be the beginning of another.
    found: Vec<bool>,
}

#[derive(Clone)]
struct Pattern(zeroize::Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pattern(…)")
    }
}

impl Scrubber {
    /// One that looks for these secrets: as they are, as within a JSON text, and as within an address.
    pub(super) fn of<'a>(secrets: impl Iterator<Item = &'a Held>) -> Self {
        let forms = secrets.flat_map(|held| {
            let value = held.value.reveal();
            [value.to_owned(), within_json(value), within_address(value)]
        });
        let mut patterns: Vec<Pattern> =
            forms.map(|form| Pattern(form.into_bytes().into())).collect();
        patterns.sort_by(|one, other| {
            other.0.len().cmp(&one.0.len()).then_with(|| one.0.cmp(&other.0))
        });
        patterns.dedup_by(|one, other| one.0 == other.0);
        Self { patterns, kept: BytesMut::new(), found: Vec::new() }
    }

    /// What of a piece, and of what was kept of those before, may go on.
    pub(super) fn pass(&mut self, piece: Bytes) -> Bytes {
        if self.patterns.is_empty() {
            return piece;
        }
        self.kept.extend_from_slice(&piece);
        self.found.resize(self.kept.len(), false);
        mark(&self.patterns, &self.kept, &mut self.found);
        let rest = self.unfinished();
        self.let_go(self.kept.len() - rest)
    }

    fn let_go(&mut self, length: usize) -> Bytes {
        let mut gone = self.kept.split_to(length);
        star(&mut gone, self.found.drain(..length));
        gone.freeze()
    }

    /// What was kept, at the end.
    pub(super) fn finish(&mut self) -> Bytes {
        self.let_go(self.kept.len())
    }

    /// Overwrites in the values of headers.
    pub(super) fn clean(&self, headers: &mut HeaderMap) {
        if self.patterns.is_empty() {
            return;
        }
        for value in headers.values_mut() {
            let bytes = value.as_bytes();
            let mut found = vec![false; bytes.len()];
            if mark(&self.patterns, bytes, &mut found) {
                let mut clean = bytes.to_vec();
                star(&mut clean, found);
                *value = HeaderValue::from_bytes(&clean)
                    .expect("asterisks may stand wherever another byte may");
            }
        }
    }

    /// How many bytes at the end may be the beginning of a text.
    fn unfinished(&self) -> usize {
        let tail = |pattern: &Pattern| {
            let most = self.kept.len().min(pattern.0.len() - 1);
            let is_begun = |length: &usize| self.kept.ends_with(&pattern.0[..*length]);
            (1..=most).rev().find(is_begun).unwrap_or(0)
        };
        self.patterns.iter().map(tail).max().unwrap_or(0)
    }
}

/// Marks the bytes of every text that is there. Whether there was any.
fn mark(patterns: &[Pattern], bytes: &[u8], found: &mut [bool]) -> bool {
    let mut any = false;
    for pattern in patterns {
        let mut from = 0;
        while let Some(at) = find(&bytes[from..], &pattern.0) {
            let begin = from + at;
            found[begin..begin + pattern.0.len()].fill(true);
            from = begin + 1;
            any = true;
        }
    }
    any
}

fn star(bytes: &mut [u8], found: impl IntoIterator<Item = bool>) {
    for (byte, _) in bytes.iter_mut().zip(found).filter(|(_, found)| *found) {
        *byte = b'*';
    }
}

/// Where a text begins in others.
pub(super) fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    let (first, rest) = text.split_first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|byte| byte == first) {
        let after = from + at + 1;
        if bytes.get(after..)?.starts_with(rest) {
            return Some(from + at);
        }
        from = after;
    }
    None
}

fn within_json(value: &str) -> String {
    let quoted = serde_json::to_string(value).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

fn within_address(value: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to memory does not fail");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubber(texts: &[&str]) -> Scrubber {
        let patterns = texts.iter().map(|text| Pattern(text.as_bytes().to_vec().into()));
        Scrubber { patterns: patterns.collect(), kept: BytesMut::new(), found: Vec::new() }
    }

    /// However the text is cut.
    fn passed(texts: &[&str], whole: &str, cut: usize) -> String {
        let mut scrubber = scrubber(texts);
        let mut out = Vec::new();
        for piece in whole.as_bytes().chunks(cut) {
            out.extend_from_slice(&scrubber.pass(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&scrubber.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_text_is_found_however_it_is_cut() {
        let whole = "a hunter2hunter hunter2hunter2 b hunter2hunter2";
        for cut in 1..whole.len() {
            assert_eq!(
                passed(&["hunter2hunter2"], whole, cut),
                "a hunter2hunter ************** b **************"
            );
        }
    }

    #[test]
    fn a_text_that_begins_with_another_is_found_as_a_whole_however_it_is_cut() {
        let whole = "x hunter22-and-the-rest y hunter22 z";
        for cut in 1..whole.len() {
            assert_eq!(
                passed(&["hunter22-and-the-rest", "hunter22", "the-rest y"], whole, cut),
                "x *********************** ******** z"
            );
        }
    }

    #[test]
    fn what_cannot_be_a_beginning_is_not_held_back() {
        let mut scrubber = scrubber(&["secret-value"]);

        assert_eq!(scrubber.pass(Bytes::from_static(b"nothing here")), "nothing here");
        assert_eq!(scrubber.pass(Bytes::from_static(b"a sec")), "a ");
        assert_eq!(scrubber.pass(Bytes::from_static(b"tor")), "sector");
    }

    #[test]
    fn a_text_is_known_in_json_and_in_an_address() {
        assert_eq!(within_json("a\"b\\c\"d"), "a\\\"b\\\\c\\\"d");
        assert_eq!(within_json("\"\"ends\""), "\\\"\\\"ends\\\"");
        assert_eq!(within_address("a b/c+~"), "a%20b%2Fc%2B~");
    }
}
