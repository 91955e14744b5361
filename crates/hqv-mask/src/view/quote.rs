//! A `'` within `'...'` of a shell: the quote is closed, one stands by itself, and the quote is opened again.

use super::Step;
use crate::prefix::Next;

/// As most write it, and as dash and Python do.
const WAYS: [&[u8]; 2] = [br"'\''", br#"'"'"'"#];

pub(super) fn find(rest: &[u8]) -> Option<usize> {
    memchr::memchr(b'\'', rest)
}

/// Where these quotes or an escape begin.
pub(super) fn find_in_string(rest: &[u8]) -> Option<usize> {
    memchr::memchr3(b'\'', b'\\', b'$', rest)
}

/// One of the ways.
pub(super) fn read(text: &[u8], at: usize, last: bool) -> Option<Step> {
    let rest = text.get(at..)?;
    for way in WAYS {
        if rest.starts_with(way) {
            return Some(Step::byte(at, way.len(), b'\''));
        }
        if !last && way.starts_with(rest) {
            return Some(Step::Cut { start: at, next: Some(Next { from: b'\'', to: b'\'', plain: b'\'' }) });
        }
    }
    None
}
