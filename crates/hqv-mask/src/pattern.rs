//! A pattern: one thing to look for.

use zeroize::Zeroizing;

/// What a pattern is, which decides how it is compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    /// As it is.
    Exact,
    /// Bytes as numbers: hex, together or apart, and decimal. Letters are compared without their case.
    Digits,
}

/// Bytes to look for, wiped when dropped.
pub(crate) struct Pattern {
    pub(crate) kind: Kind,
    /// All of it. `Digits` are in lower case.
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// How much of it must be there. The rest (the last character of base64 and its padding) may be.
    pub(crate) least: usize,
}

impl Pattern {
    /// How much of the pattern stands at the start of `text`, where that is enough.
    pub(crate) fn stands_in(&self, text: &[u8]) -> Option<usize> {
        let (must, may) = self.bytes.split_at_checked(self.least)?;
        let there = text.get(..must.len())?;
        let same = if self.kind == Kind::Digits { there.eq_ignore_ascii_case(must) } else { there == must };
        if !same {
            return None;
        }
        let rest = text.get(must.len()..).unwrap_or_default();
        Some(must.len() + may.iter().zip(rest).take_while(|(a, b)| a == b).count())
    }
}
