//! What goes over the wire: a version, a kind, who speaks, and ids.

use bytes::{BufMut, Bytes, BytesMut};

use crate::model::ExecutionId;

/// The first byte of every message. A host that reads another version ignores the message: it is a hint.
const VERSION: u8 = 1;
/// Bytes before the ids: the version, the kind, the speaker.
const HEAD_BYTES: usize = 2 + SPEAKER_BYTES;
const SPEAKER_BYTES: usize = 32;
const ID_BYTES: usize = 16;

/// Ids in one message, so that none is longer than 16 KiB and a little.
pub(super) const IDS_MAX: usize = 1_024;

/// Who speaks: drawn anew by each process, so that it knows its own words when they come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Speaker(pub(super) [u8; SPEAKER_BYTES]);

/// What one host says to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// Something is ready in some queue.
    Work,
    /// These executions of the hearer have something in their inbox. At most [`IDS_MAX`].
    Arrivals(Vec<ExecutionId>),
    /// These executions have changed. At most [`IDS_MAX`].
    Changes(Vec<ExecutionId>),
}

impl Message {
    /// As bytes.
    pub(super) fn encode(&self, speaker: Speaker) -> Bytes {
        let (kind, ids): (u8, &[ExecutionId]) = match self {
            Self::Work => (1, &[]),
            Self::Arrivals(ids) => (2, ids),
            Self::Changes(ids) => (3, ids),
        };
        let mut bytes = BytesMut::with_capacity(HEAD_BYTES + ID_BYTES * ids.len());
        bytes.put_u8(VERSION);
        bytes.put_u8(kind);
        bytes.put_slice(&speaker.0);
        ids.iter().for_each(|id| bytes.put_slice(id.as_bytes()));
        bytes.freeze()
    }

    /// Reads what another host said. None: it is no message of this version.
    pub(super) fn decode(bytes: &[u8]) -> Option<(Speaker, Self)> {
        let ([VERSION, kind], rest) = bytes.split_first_chunk()? else { return None };
        let (speaker, ids) = rest.split_first_chunk()?;
        let (ids, []) = ids.as_chunks::<ID_BYTES>() else { return None };
        let ids = || ids.iter().copied().map(ExecutionId::from_bytes).collect();
        let message = match kind {
            1 => Self::Work,
            2 => Self::Arrivals(ids()),
            3 => Self::Changes(ids()),
            _ => return None,
        };
        Some((Speaker(*speaker), message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some_ids(count: usize) -> Vec<ExecutionId> {
        (0..count).map(|n| ExecutionId::from_bytes((n as u128).to_be_bytes())).collect()
    }

    #[test]
    fn what_is_said_is_heard() {
        let speaker = Speaker([7; 32]);

        for message in [
            Message::Work,
            Message::Arrivals(some_ids(1)),
            Message::Changes(some_ids(IDS_MAX)),
            Message::Changes(Vec::new()),
        ] {
            let bytes = message.encode(speaker);
            assert!(bytes.len() <= HEAD_BYTES + ID_BYTES * IDS_MAX);
            assert_eq!(Message::decode(&bytes), Some((speaker, message)));
        }
    }

    #[test]
    fn what_cannot_be_understood_is_nothing() {
        let message = Message::Changes(some_ids(2)).encode(Speaker([7; 32]));
        let with = |place: usize, byte: u8| {
            let mut bytes = message.to_vec();
            bytes[place] = byte;
            bytes
        };

        assert_eq!(Message::decode(&with(0, 2)), None, "another version");
        assert_eq!(Message::decode(&with(1, 9)), None, "another kind");
        for length in 0..message.len() {
            let is_whole = length >= HEAD_BYTES && (length - HEAD_BYTES).is_multiple_of(ID_BYTES);
            assert_eq!(Message::decode(&message[..length]).is_some(), is_whole, "{length}");
        }
    }
}
