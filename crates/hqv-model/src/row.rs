//! Rows as the shelf sees them: a clear header and bytes that say nothing.
//!
//! The header is written one way only ([`RowHeader::encode`]), because it is part of what the seal binds.

use crate::SecretId;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// What a row is. The numbers are part of the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A key slot.
    Slot = 1,
    /// The keyring.
    Keyring = 2,
    /// Settings.
    Setting = 3,
    /// A secret: path and metadata.
    Secret = 4,
    /// One version of a secret: its value.
    Version = 5,
    /// A token.
    Token = 6,
    /// A line of the ledger.
    Ledger = 7,
    /// The row state.
    State = 8,
}

impl Kind {
    /// Every kind.
    pub const ALL: &[Kind] = &[
        Kind::Slot,
        Kind::Keyring,
        Kind::Setting,
        Kind::Secret,
        Kind::Version,
        Kind::Token,
        Kind::Ledger,
        Kind::State,
    ];

    /// The number it is stored as.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind stored as this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Kind::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// The id of a row within its kind: 1 to 32 bytes, ordered as bytes.
#[derive(Clone, Copy)]
pub struct RowId {
    len: u8,
    bytes: [u8; 32],
}

impl RowId {
    /// The id of these bytes; `None` for none and for more than 32.
    pub fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        bytes.get_mut(..id.len())?.copy_from_slice(id);
        match u8::try_from(id.len()) {
            Ok(len) if len > 0 => Some(RowId { len, bytes }),
            _ => None,
        }
    }

    /// The id of a row that is named by 16 random bytes.
    pub fn of(id: [u8; 16]) -> Self {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&id);
        RowId { len: 16, bytes }
    }

    /// The id of a version row: secret id ‖ version, big-endian (24 bytes).
    pub fn of_version(secret: SecretId, version: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&secret.bytes());
        bytes[16..24].copy_from_slice(&version.to_be_bytes());
        RowId { len: 24, bytes }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        // `len` is at most 32 by construction; the fallback keeps this free of panics all the same.
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }
}

impl PartialEq for RowId {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for RowId {}

impl Hash for RowId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Ord for RowId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for RowId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What stands in clear before every row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowHeader {
    /// What the row is.
    pub kind: Kind,
    /// Its id within the kind.
    pub id: RowId,
    /// Counts the writes of this row, from 1.
    pub revision: u64,
    /// The epoch in which it was sealed.
    pub epoch: u32,
    /// The term of the key that sealed it; 0 where none did.
    pub term: u32,
}

impl RowHeader {
    /// The version of the row format.
    pub const FORMAT: u8 = 1;

    /// The most bytes that [`RowHeader::encode`] gives.
    pub const LONGEST: usize = 3 + 32 + 16;

    /// The one encoding: format version (1) ‖ kind ‖ length of the id ‖ id ‖ revision ‖ epoch ‖ term, numbers
    /// big-endian (8, 4 and 4 bytes).
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(RowHeader::LONGEST);
        self.encode_into(&mut out);
        out
    }

    /// Appends [`RowHeader::encode`].
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let id = self.id.as_bytes();
        out.extend_from_slice(&[RowHeader::FORMAT, self.kind.code(), self.id.len]);
        out.extend_from_slice(id);
        out.extend_from_slice(&self.revision.to_be_bytes());
        out.extend_from_slice(&self.epoch.to_be_bytes());
        out.extend_from_slice(&self.term.to_be_bytes());
    }
}

/// A row: the header, the look-up hash of a secret row, and sealed bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// What stands in clear.
    pub header: RowHeader,
    /// The keyed hash of the path, for a secret row.
    pub lookup: Option<[u8; 32]>,
    /// The nonce; zeros where nothing is sealed.
    pub nonce: [u8; 24],
    /// The tag; zeros where nothing is sealed.
    pub tag: [u8; 16],
    /// The ciphertext without its tag, or clear bytes (key slots, the clear settings).
    pub body: Box<[u8]>,
}

impl Row {
    /// The row without its body.
    pub fn facts(&self) -> RowFacts {
        RowFacts {
            header: self.header,
            lookup: self.lookup,
            nonce: self.nonce,
            tag: self.tag,
            body_len: self.body.len() as u64,
        }
    }
}

impl fmt::Debug for Row {
    /// Names the row; its bytes would be noise.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("header", &self.header).field("body_len", &self.body.len()).finish()
    }
}

/// A row without its body, which may be too long to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowFacts {
    /// What stands in clear.
    pub header: RowHeader,
    /// The keyed hash of the path, for a secret row.
    pub lookup: Option<[u8; 32]>,
    /// The nonce.
    pub nonce: [u8; 24],
    /// The tag.
    pub tag: [u8; 16],
    /// Bytes in the body.
    pub body_len: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_one_encoding() {
        let id = RowId::of_version(SecretId::from_bytes([0xaa; 16]), 3);
        let header = RowHeader { kind: Kind::Version, id, revision: 1, epoch: 2, term: 7 };
        let mut expected = vec![1, 5, 24];
        expected.extend([0xaa; 16]);
        expected.extend([0, 0, 0, 0, 0, 0, 0, 3]);
        expected.extend([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 7]);
        assert_eq!(header.encode(), expected);
    }

    #[test]
    fn ids_have_1_to_32_bytes_and_sort_as_bytes() {
        assert_eq!(RowId::new(&[]), None);
        assert_eq!(RowId::new(&[0; 33]), None);
        assert_eq!(RowId::new(&[9; 32]).map(|id| id.as_bytes().to_vec()), Some(vec![9; 32]));
        let id = |bytes: &[u8]| RowId::new(bytes).map(|id| (id, bytes.to_vec()));
        let mut all: Vec<_> =
            [&[2][..], &[1, 0], &[1], &[1, 0, 0], &[0xff; 32]].into_iter().filter_map(id).collect();
        all.sort_by_key(|(id, _)| *id);
        assert!(all.windows(2).all(|pair| pair[0].1 < pair[1].1));
        assert_ne!(RowId::new(&[1]), RowId::new(&[1, 0]));
        assert_eq!(RowId::new(&[5; 16]), Some(RowId::of([5; 16])));
    }

    #[test]
    fn kinds_read_back() {
        for (at, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(usize::from(kind.code()), at + 1);
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
        }
        assert_eq!((Kind::from_code(0), Kind::from_code(9)), (None, None));
    }
}
