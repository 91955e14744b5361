//! The bytes of a value as numbers: hex in either case, and decimal.

use super::made;
use crate::pattern::{Kind, Pattern};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// What stands between the bytes: `openssl`, Node's `Buffer`, UUIDs, lists of C and Go.
const BETWEEN: [&[u8]; 6] = [b":", b" ", b"-", b", ", b", 0x", b",0x"];

pub(super) fn add(value: &[u8], into: &mut Vec<Pattern>) {
    into.push(together(value));
    into.extend(BETWEEN.iter().map(|between| made(Kind::Digits, hex(value, |_| between))));
    // xxd: a blank after every second byte.
    let pairs = |odd: usize| hex(value, move |at| if at % 2 == odd { b" " } else { b"" });
    into.extend([pairs(0), pairs(1)].map(|bytes| made(Kind::Digits, bytes)));
    into.extend([b",".as_slice(), b", "].map(|between| made(Kind::Digits, decimal(value, between))));
}

/// Hex without anything between.
pub(super) fn together(value: &[u8]) -> Pattern {
    made(Kind::Digits, hex(value, |_| b""))
}

/// Hex, with `before(n)` in front of every byte but the first.
fn hex(value: &[u8], before: impl Fn(usize) -> &'static [u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len() * 6);
    for (at, byte) in value.iter().enumerate() {
        if at > 0 {
            bytes.extend_from_slice(before(at));
        }
        bytes.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
    bytes
}

fn decimal(value: &[u8], between: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len() * 5);
    for (at, byte) in value.iter().enumerate() {
        if at > 0 {
            bytes.extend_from_slice(between);
        }
        let digits = [byte / 100, byte / 10 % 10, byte % 10];
        let first = digits.iter().take(2).take_while(|digit| **digit == 0).count();
        bytes.extend(digits.iter().skip(first).map(|digit| b'0' + digit));
    }
    bytes
}
