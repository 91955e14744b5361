//! Percent-encoding (RFC 3986, section 2.1), whatever an encoder leaves as it is, and that of forms, where `+` is
//! a blank.

use super::Step;
use crate::grams::Grams;
use crate::prefix::Next;

pub(super) fn find(rest: &[u8]) -> Option<usize> {
    memchr::memchr(b'%', rest)
}

pub(super) fn find_plus(rest: &[u8]) -> Option<usize> {
    memchr::memchr2(b'%', b'+', rest)
}

/// Every `+` that may be a blank of a value: one of the fours that it ends or begins must stand in a pattern, where
/// no other kind of token is near.
pub(super) fn plusses<'a>(text: &'a [u8], grams: &'a Grams) -> impl Iterator<Item = usize> + 'a {
    memchr::memchr_iter(b'+', text).filter(|at| {
        let blank = |byte: u8| if byte == b'+' { b' ' } else { byte };
        // A token that ends among the three bytes before it begins at most two bytes before those.
        let around = text.get(at.wrapping_sub(5)..).and_then(<[u8]>::first_chunk);
        match around {
            Some(&[z, y, a, b, c, _, d, e, f]) if ![z, y, a, b, c, d, e, f].contains(&b'%') => {
                grams.has(&[blank(a), blank(b), blank(c), b' '])
                    || grams.has(&[b' ', blank(d), blank(e), blank(f)])
            }
            _ => true,
        }
    })
}

/// `%XX` or `+`.
pub(super) fn read_plus(text: &[u8], at: usize, last: bool) -> Option<Step> {
    if text.get(at) == Some(&b'+') {
        return Some(Step::byte(at, 1, b' '));
    }
    read(text, at, last).map(Step::carried)
}

/// `%XX`.
#[inline(always)]
pub(super) fn read(text: &[u8], at: usize, last: bool) -> Option<Step> {
    if text.get(at) != Some(&b'%') {
        return None;
    }
    let Some(high) = text.get(at + 1) else { return (!last).then(|| Step::cut(at)) };
    let high = hex(*high)? << 4;
    let Some(low) = text.get(at + 2) else {
        return (!last)
            .then_some(Step::Cut { start: at, next: Some(Next { from: high, to: high | 15, plain: b'%' }) });
    };
    Some(Step::byte(at, 3, high | hex(*low)?))
}

/// The value of a digit of hex.
#[inline(always)]
pub(super) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
