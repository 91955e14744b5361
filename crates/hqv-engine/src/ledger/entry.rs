//! One line of the ledger: who, what, how, from when to when.

use hqv_model::{SecretId, Timestamp, TokenId};
use std::sync::Arc;

/// Different claims that are kept of one line; more say nothing new.
const MOST_CLAIMS: usize = 8;
/// Bytes kept of a claim: it is the client's own word and may be long.
const MOST_CLAIM: usize = 64;

/// The sort of identity that acted. The numbers are part of the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhoKind {
    /// A token.
    Token = 1,
    /// A session of the owner.
    Session = 2,
    /// A process on the socket without a credential; its id is its uid.
    Peer = 3,
    /// Nobody: the page of an entry.
    Nobody = 4,
}

impl WhoKind {
    /// The sort stored as this number.
    pub fn from_code(code: u64) -> Option<Self> {
        [WhoKind::Token, WhoKind::Session, WhoKind::Peer, WhoKind::Nobody]
            .into_iter()
            .find(|kind| *kind as u64 == code)
    }

    /// The word in answers, as in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            WhoKind::Token => "token",
            WhoKind::Session => "session",
            WhoKind::Peer => "peer",
            WhoKind::Nobody => "nobody",
        }
    }
}

/// Who acted, with what outlives the token's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// What sort.
    pub kind: WhoKind,
    /// The 16 bytes of the id.
    pub id: [u8; 16],
    /// A token's ancestry; else empty.
    pub name: Box<str>,
    /// A token's ancestors, the first one first.
    pub ancestors: Box<[TokenId]>,
}

impl Who {
    /// Whether it is this token or one that descends from it.
    pub fn within(&self, token: &TokenId) -> bool {
        self.kind == WhoKind::Token && (self.id == token.bytes() || self.ancestors.contains(token))
    }
}

/// What was done with a version. The numbers are part of the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It was handed out in plain.
    Exposed = 1,
    /// It was spent and handed to nobody.
    Used = 2,
    /// It was written.
    Written = 3,
}

impl Access {
    /// The access stored as this number.
    pub fn from_code(code: u64) -> Option<Self> {
        [Access::Exposed, Access::Used, Access::Written].into_iter().find(|access| *access as u64 == code)
    }

    /// The access that the record calls so; none for what the ledger leaves out.
    pub fn parse(word: &str) -> Option<Self> {
        [Access::Exposed, Access::Used, Access::Written].into_iter().find(|access| access.as_str() == word)
    }

    /// The word in record and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Access::Exposed => "exposed",
            Access::Used => "used",
            Access::Written => "written",
        }
    }
}

/// The ways by which values go, a bit each: what the server knows of it. Words that this program does not know are kept
/// as `other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Channels(u16);

const CHANNELS: [&str; 9] =
    ["get", "batch", "put", "copy", "move", "import", "entry-store", "broker", "other"];

impl Channels {
    /// A person typed it into an entry: whoever asked for it has not seen it.
    pub const ENTRY: Channels = Channels(1 << 6);

    /// The one that the record calls so.
    #[inline]
    pub fn of(word: &str) -> Self {
        let at = CHANNELS.iter().position(|known| *known == word).unwrap_or(CHANNELS.len() - 1);
        Channels(1 << at)
    }

    /// Adds another's.
    #[inline]
    pub fn add(&mut self, more: Channels) {
        self.0 |= more.0;
    }

    /// The words.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        CHANNELS.into_iter().enumerate().filter(move |(at, _)| self.0 & (1 << at) != 0).map(|(_, word)| word)
    }
}

/// What tells one line from another, without a secret in it: two different lines share a key with a chance of 2^-128,
/// since ids are random and nobody chooses them.
pub type Key = u128;

/// The key of a line. Multiplying by odd numbers loses nothing, so lines of the same identity and secret never meet.
#[inline]
pub fn key(kind: WhoKind, id: [u8; 16], secret: SecretId, version: u64, access: Access) -> Key {
    const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    let who = u128::from_le_bytes(id) ^ kind as u128;
    let what = u128::from(version) << 2 | access as u128;
    let mixed =
        who.wrapping_mul(ODD) ^ u128::from_le_bytes(secret.bytes()) ^ what.wrapping_mul(ODD).rotate_left(64);
    mixed ^ (mixed >> 64)
}

/// See the module's comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who acted.
    pub who: Arc<Who>,
    /// On which secret.
    pub secret: SecretId,
    /// Its path at the last access.
    pub path: Arc<str>,
    /// Which version.
    pub version: u64,
    /// What was done.
    pub access: Access,
    /// The first time.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
    /// By which ways.
    pub channels: Channels,
    /// What the client said it was doing (`run`, `env-file`): its own word.
    pub claims: Vec<Box<str>>,
}

impl Entry {
    /// Its key.
    pub fn key(&self) -> Key {
        key(self.who.kind, self.who.id, self.secret, self.version, self.access)
    }

    /// Whether who acted has had the value in plain. What one writes one knows, unless a person typed it.
    pub fn seen(&self) -> bool {
        match self.access {
            Access::Exposed => true,
            Access::Used => false,
            Access::Written => self.channels != Channels::ENTRY,
        }
    }

    /// Takes in another account of the same line, in either order, as often as one likes. True where it said more.
    pub fn merge(&mut self, other: &Entry) -> bool {
        let before = (self.first, self.last, self.channels, self.claims.len());
        if other.last > self.last {
            self.path = other.path.clone();
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.channels.add(other.channels);
        other.claims.iter().for_each(|claim| self.claim(claim));
        before != (self.first, self.last, self.channels, self.claims.len())
    }

    /// Notes what the client said it was doing.
    pub fn claim(&mut self, claim: &str) {
        let short = &claim[..claim.floor_char_boundary(MOST_CLAIM)];
        if self.claims.len() < MOST_CLAIMS && !self.claims.iter().any(|known| **known == *short) {
            self.claims.push(short.into());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn entry(times: (i64, i64), channels: &[&str], claims: &[&str]) -> Entry {
        let who = Who { kind: WhoKind::Token, id: [1; 16], name: "w".into(), ancestors: Box::default() };
        let mut all = Channels::default();
        channels.iter().for_each(|word| all.add(Channels::of(word)));
        Entry {
            who: Arc::new(who),
            secret: SecretId::from_bytes([2; 16]),
            path: "a/b".into(),
            version: 1,
            access: Access::Written,
            first: Timestamp::from_millis(times.0),
            last: Timestamp::from_millis(times.1),
            channels: all,
            claims: claims.iter().map(|claim| (*claim).into()).collect(),
        }
    }

    #[test]
    fn what_a_person_typed_was_not_seen_by_who_asked_for_it() {
        assert!(!entry((1, 1), &["entry-store"], &[]).seen());
        assert!(entry((1, 1), &["entry-store", "put"], &[]).seen());
        assert!(entry((1, 1), &["put"], &[]).seen());
        assert!(!Entry { access: Access::Used, ..entry((1, 1), &["broker"], &[]) }.seen());
        assert!(Entry { access: Access::Exposed, ..entry((1, 1), &["get"], &[]) }.seen());
    }

    #[test]
    fn merging_twice_says_nothing_new() {
        let mut one = entry((5, 9), &["put"], &["run"]);
        let two = entry((3, 7), &["import"], &["env-file"]);
        assert!(one.merge(&two));
        assert!(!one.merge(&two));
        assert_eq!((one.first.millis(), one.last.millis()), (3, 9));
        assert_eq!(one.channels.words().collect::<Vec<_>>(), ["put", "import"]);
        assert_eq!(one.claims.len(), 2);
    }

    #[test]
    fn a_claim_is_cut_between_characters_and_their_number_is_bounded() {
        let mut one = entry((1, 1), &["put"], &[]);
        one.claim(&"é".repeat(100));
        assert_eq!(one.claims[0].len(), 64);
        (0..100).for_each(|n| one.claim(&n.to_string()));
        assert_eq!(one.claims.len(), MOST_CLAIMS);
    }

    proptest! {
        #[test]
        fn lines_of_few_ids_have_keys_of_their_own(
            one in (1u64..5, 0u8..3, 0u8..3, 0u64..4, 1u64..4),
            two in (1u64..5, 0u8..3, 0u8..3, 0u64..4, 1u64..4),
        ) {
            let of = |(kind, id, secret, version, access): (u64, u8, u8, u64, u64)| {
                let kind = WhoKind::from_code(kind).unwrap();
                key(kind, [id; 16], SecretId::from_bytes([secret; 16]), version, Access::from_code(access).unwrap())
            };
            prop_assert_eq!(one == two, of(one) == of(two));
        }
    }
}
