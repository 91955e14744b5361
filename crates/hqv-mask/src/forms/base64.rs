//! Base64 (RFC 4648, sections 4 and 5) of a value that stands somewhere in what was encoded.
//!
//! Three bytes become four characters, so the value begins at one of three offsets. A character that also
//! holds bits of the byte before or after the value differs each time; the pattern is what lies between. Where the
//! value is the end of what was encoded, its last character and the padding follow: that much may be there.

use crate::pattern::{Kind, Pattern};
use zeroize::Zeroizing;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn add(value: &[u8], into: &mut Vec<Pattern>) {
    for before in 0..3 {
        let standard = pattern(value, before, STANDARD);
        let url = pattern(value, before, URL);
        if *url.bytes != *standard.bytes {
            into.push(url);
        }
        into.push(standard);
    }
}

/// The characters of `value` with `before` bytes in front of it.
fn pattern(value: &[u8], before: usize, alphabet: &[u8; 64]) -> Pattern {
    let all = (value.len() + before).div_ceil(3) * 4;
    let mut bytes = Zeroizing::new(Vec::with_capacity(all));
    // The first byte of the value begins in the character at this place, and shares it unless the offset is 0.
    let first = (before * 8).div_ceil(6);
    let bits = (before + value.len()) * 8;
    let (whole, some) = (bits / 6, bits.div_ceil(6));
    for at in first..some {
        bytes.push(alphabet[usize::from(sextet(value, before, at))]);
    }
    let least = whole - first;
    let padding = (4 - some % 4) % 4;
    bytes.extend(std::iter::repeat_n(b'=', padding));
    Pattern { kind: Kind::Exact, bytes, least }
}

/// Six bits of the encoded text; those outside the value are 0.
fn sextet(value: &[u8], before: usize, at: usize) -> u8 {
    let bit = at * 6;
    let byte =
        |index: usize| index.checked_sub(before).and_then(|index| value.get(index)).copied().unwrap_or(0);
    let pair = u16::from_be_bytes([byte(bit / 8), byte(bit / 8 + 1)]);
    (pair >> (10 - bit % 8) & 63) as u8
}
