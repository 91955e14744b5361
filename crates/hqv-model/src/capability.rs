//! Capabilities, and sets of them.

use crate::{Error, Result};
use std::fmt;

/// One thing that a token may be allowed to do.
///
/// The bit of each is part of the stored format and never changes. Bit 7 is kept for `use` (the broker may
/// spend a secret that nobody can read), which is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Capability {
    /// Bit 0: be handed values.
    Read = 0,
    /// Bit 1: see paths and metadata.
    List = 1,
    /// Bit 2: store values.
    Write = 2,
    /// Bit 3: delete.
    Delete = 3,
    /// Bit 4: have a person type a value.
    Ingest = 4,
    /// Bit 5: create narrower tokens, and see and revoke them.
    Delegate = 5,
    /// Bit 6: read the family's records.
    Audit = 6,
}

impl Capability {
    /// Every capability, in the order of their bits.
    pub const ALL: &[Capability] = &[
        Capability::Read,
        Capability::List,
        Capability::Write,
        Capability::Delete,
        Capability::Ingest,
        Capability::Delegate,
        Capability::Audit,
    ];

    /// The bit kept for `use`.
    pub const RESERVED_USE_BIT: u8 = 7;

    const fn mask(self) -> u16 {
        1 << self as u8
    }

    /// The capability as it is written in a rule.
    pub const fn as_str(self) -> &'static str {
        match self {
            Capability::Read => "read",
            Capability::List => "list",
            Capability::Write => "write",
            Capability::Delete => "delete",
            Capability::Ingest => "ingest",
            Capability::Delegate => "delegate",
            Capability::Audit => "audit",
        }
    }

    /// Reads one capability. `use` is refused as not yet available.
    pub fn parse(text: &str) -> Result<Self> {
        if text == "use" {
            return Err(Error::bad_request("the capability use is not available yet"));
        }
        Capability::ALL.iter().copied().find(|can| can.as_str() == text).ok_or_else(|| {
            Error::bad_request("an unknown capability")
                .hint("capabilities are read, list, write, delete, ingest, delegate and audit")
        })
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CapabilitySet(u16);

impl CapabilitySet {
    /// The set with nothing in it.
    pub const EMPTY: CapabilitySet = CapabilitySet(0);

    /// The set of these bits; `None` where a bit has no capability.
    pub fn from_bits(bits: u16) -> Option<Self> {
        let known = Capability::ALL.iter().fold(0, |all, can| all | can.mask());
        (bits & !known == 0).then_some(CapabilitySet(bits))
    }

    /// The bits, as stored.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether the capability is in the set.
    pub const fn contains(self, can: Capability) -> bool {
        self.0 & can.mask() != 0
    }

    /// Adds a capability.
    pub fn insert(&mut self, can: Capability) {
        self.0 |= can.mask();
    }

    /// Takes a capability out.
    pub fn remove(&mut self, can: Capability) {
        self.0 &= !can.mask();
    }

    /// Whether there is nothing in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The capabilities, in the order of their bits.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.iter().copied().filter(move |can| self.contains(*can))
    }

    /// Reads a list such as `read,list`. At least one.
    pub fn parse(text: &str) -> Result<Self> {
        text.split(',').map(|part| Capability::parse(part.trim_matches(' '))).collect()
    }
}

impl FromIterator<Capability> for CapabilitySet {
    fn from_iter<I: IntoIterator<Item = Capability>>(all: I) -> Self {
        let mut set = CapabilitySet::EMPTY;
        all.into_iter().for_each(|can| set.insert(can));
        set
    }
}

impl fmt::Display for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, can) in self.iter().enumerate() {
            write!(f, "{}{can}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn use_is_refused_as_not_yet_there_and_its_bit_is_kept() {
        let error = CapabilitySet::parse("read,use").expect_err("use");
        assert_eq!(error.message(), "the capability use is not available yet");
        assert_eq!(CapabilitySet::from_bits(1 << Capability::RESERVED_USE_BIT), None);
        assert_eq!(CapabilitySet::from_bits(0x7f).map(|set| set.iter().count()), Some(Capability::ALL.len()));
        for (bit, can) in Capability::ALL.iter().enumerate() {
            assert_eq!(CapabilitySet::from_iter([*can]).bits(), 1 << bit);
            assert_eq!(Capability::parse(can.as_str()).ok(), Some(*can));
        }
    }

    #[test]
    fn sets_are_written_in_the_order_of_their_bits() {
        let set = CapabilitySet::parse("audit,read,list,read").unwrap();
        assert_eq!(set.to_string(), "read,list,audit");
        for bad in ["", ",", "read,", "READ", "rea", "read;list", "read\n"] {
            assert!(CapabilitySet::parse(bad).is_err(), "{bad}");
        }
    }
}
