//! Whether the end of a text may be the beginning of a pattern.
//!
//! The patterns lie sorted; whether one begins with some bytes is a binary search. A bitmap of the patterns'
//! first four bytes spares nearly all of them.

use std::cmp::Ordering;

use crate::pattern::{Kind, Pattern};

const BITS: u32 = 16;
const NO_CASE: u32 = 0x2020_2020;

/// What the next byte may be where the text ends within an escape: one of some, or, should it turn out to be no escape,
/// the first byte of what is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Next {
    pub(crate) from: u8,
    pub(crate) to: u8,
    pub(crate) plain: u8,
}

impl Next {
    pub(crate) const ANY: Next = Next { from: 0, to: 255, plain: 0 };
}

/// The patterns in order.
pub(crate) struct Prefixes {
    /// First four bytes, without case.
    first: Vec<u64>,
    exact: Vec<u32>,
    digits: Vec<u32>,
    longest: usize,
}

impl Prefixes {
    pub(crate) fn new(patterns: &[Pattern]) -> Prefixes {
        let sorted = |kind: Kind| {
            let mut all: Vec<_> =
                patterns.iter().zip(0_u32..).filter(|(pattern, _)| pattern.kind == kind).collect();
            all.sort_unstable_by_key(|(pattern, _)| &pattern.bytes[..]);
            all.into_iter().map(|(_, number)| number).collect()
        };
        let mut first = vec![0; 1 << (BITS - 6)];
        for start in patterns.iter().filter_map(|pattern| pattern.bytes.first_chunk()) {
            let hash = hash(start);
            first[hash >> 6] |= 1_u64 << (hash & 63);
        }
        Prefixes {
            first,
            exact: sorted(Kind::Exact),
            digits: sorted(Kind::Digits),
            longest: patterns.iter().map(|pattern| pattern.bytes.len()).max().unwrap_or(0),
        }
    }

    /// The longest pattern's length.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// The first place from which on `text` may be the beginning of a pattern that more bytes would complete.
    /// With `next`, one of those bytes follows. The text's own length is an answer only then.
    pub(crate) fn open(&self, patterns: &[Pattern], text: &[u8], next: Option<Next>) -> Option<usize> {
        let from = text.len().saturating_sub(self.longest.saturating_sub(1));
        let to = text.len() + usize::from(next.is_some());
        (from..to).find(|at| {
            let tail = text.get(*at..).unwrap_or_default();
            self.may_begin(tail) && self.begins(patterns, tail, next)
        })
    }

    fn may_begin(&self, tail: &[u8]) -> bool {
        let Some(start) = tail.first_chunk() else { return true };
        let hash = hash(start);
        self.first.get(hash >> 6).is_some_and(|word| word >> (hash & 63) & 1 != 0)
    }

    fn begins(&self, patterns: &[Pattern], tail: &[u8], next: Option<Next>) -> bool {
        let one = |from, to| {
            begins(patterns, &self.exact, false, tail, from, to)
                || begins(patterns, &self.digits, true, tail, from, to)
        };
        match next {
            None => one(0, 255),
            Some(Next { from, to, plain }) => one(from, to) || one(plain, plain),
        }
    }
}

/// Whether one of the sorted patterns begins with `tail` and goes on with a byte from `from` to `to`.
fn begins(patterns: &[Pattern], sorted: &[u32], no_case: bool, tail: &[u8], from: u8, to: u8) -> bool {
    let bytes = |number: &u32| patterns.get(*number as usize).map_or(&[][..], |pattern| &pattern.bytes);
    // Whatever is below the tail followed by the lowest byte comes first; the tail alone is below that, too.
    let below = |number: &u32| {
        let pattern = bytes(number);
        match compare(pattern, tail, no_case) {
            Ordering::Equal => pattern.get(tail.len()).is_none_or(|byte| *byte < from),
            other => other == Ordering::Less,
        }
    };
    let Some(pattern) = sorted.get(sorted.partition_point(below)).map(bytes) else { return false };
    compare(pattern, tail, no_case) == Ordering::Equal
        && pattern.get(tail.len()).is_some_and(|byte| *byte <= to)
}

/// The pattern, as far as the tail is long, against the tail.
fn compare(pattern: &[u8], tail: &[u8], no_case: bool) -> Ordering {
    let pattern = pattern.get(..tail.len()).unwrap_or(pattern);
    if no_case {
        pattern.iter().copied().cmp(tail.iter().map(u8::to_ascii_lowercase))
    } else {
        pattern.cmp(tail)
    }
}

fn hash(start: &[u8; 4]) -> usize {
    ((u32::from_le_bytes(*start) | NO_CASE).wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as usize
}
