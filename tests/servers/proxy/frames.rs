//! The messages of Postgres's protocol (version 3), cut out of a stream of bytes.

use bytes::{Buf, Bytes, BytesMut};

/// One message as it came, with its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: Kind,
    pub bytes: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What a client begins with: known by a number instead of a letter.
    Opening(u32),
    Tagged(u8),
    /// The server's one letter for a client that asks for encryption.
    Answer(u8),
}

/// The protocol's first half; the second counts its revisions.
const VERSION: u32 = 3;
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

impl Kind {
    /// A client that asks for encryption hears one letter, and opens again.
    pub fn asks_for_encryption(self) -> bool {
        self == Self::Opening(SSL_REQUEST) || self == Self::Opening(GSS_REQUEST)
    }

    /// The last of the openings of a connection that will talk.
    pub fn starts_up(self) -> bool {
        matches!(self, Self::Opening(number) if number >> 16 == VERSION)
    }

    fn header(self) -> usize {
        match self {
            Self::Opening(_) => 8,
            Self::Tagged(_) => 5,
            Self::Answer(_) => 1,
        }
    }
}

impl Frame {
    /// What follows the header.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.kind.header()..]
    }

    /// The part of the body that ends with its `index`th zero byte: names and texts are written so.
    pub fn text(&self, index: usize) -> &[u8] {
        self.body().split(|byte| *byte == 0).nth(index).unwrap_or_default()
    }
}

/// What has come from one side and is not yet cut.
#[derive(Debug)]
pub struct Frames {
    waiting: BytesMut,
    opening: bool,
    answers: usize,
}

impl Frames {
    /// Of a client, who opens first.
    pub fn of_client() -> Self {
        Self { waiting: BytesMut::new(), opening: true, answers: 0 }
    }

    /// Of a server, whose messages all have letters, except for what [`Self::expect_answer`] announces.
    pub fn of_server() -> Self {
        Self { opening: false, ..Self::of_client() }
    }

    /// What comes next is a single letter.
    pub fn expect_answer(&mut self) {
        self.answers += 1;
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// The next message that has come whole.
    pub fn next_frame(&mut self) -> Option<Frame> {
        let first = *self.waiting.first()?;
        if self.answers > 0 {
            self.answers -= 1;
            return Some(self.cut(Kind::Answer(first), 1));
        }
        let tag = usize::from(!self.opening);
        let mut length = self.waiting.get(tag..tag + 4)?;
        let length = tag + usize::try_from(length.get_u32()).expect("a length fits");
        assert!(length >= tag + 4, "this is not Postgres's protocol");
        if self.waiting.len() < length {
            return None;
        }
        if !self.opening {
            return Some(self.cut(Kind::Tagged(first), length));
        }
        let kind = Kind::Opening((&self.waiting[4..length]).get_u32());
        self.opening = !kind.starts_up();
        Some(self.cut(kind, length))
    }

    fn cut(&mut self, kind: Kind, length: usize) -> Frame {
        Frame { kind, bytes: self.waiting.split_to(length).freeze() }
    }
}
