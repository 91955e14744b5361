//! The patterns of a value: every form whose bytes are known beforehand.
//!
//! - the value, without blanks and line ends around it;
//! - with its quotes doubled (SQL, CSV, YAML, PowerShell), and in Latin-1 where its characters allow that;
//! - of a value with several lines (a key in PEM): all of it on one line, which finds it with any line ends and any
//!   indentation, and each line of 16 bytes and more without a blank in it, which finds it behind line numbers and
//!   the prefixes of logs. The frame of a PEM file (`-----BEGIN ...`) is no secret and is not looked for alone;
//! - base64, standard and for URLs, at each of the three offsets that text before it may give it;
//! - hex, together or with the usual separators; decimal with commas, as a `Buffer` in JSON is printed;
//! - with a NUL and the octal digits after it as the one byte that readers of `\0` make of them;
//! - UTF-16 in both byte orders, where that has six bytes or more.
//!
//! A value of more than 512 bytes is looked for in overlapping pieces of that length, which bounds what a
//! stream holds back, and hides a part of it where only a part is printed.

mod base64;
mod digits;
mod pieces;
mod wide;

use crate::pattern::{Kind, Pattern};
use zeroize::Zeroizing;

/// Values shorter than this are not looked for: they would turn output into noise.
pub const SHORTEST: usize = 6;

/// Above this length a value is looked for in fewer forms, so that a file of a megabyte does not become a
/// hundred of patterns.
const LARGE: usize = 16 << 10;

/// What is looked for of a value: no blanks or line ends around it.
pub(crate) fn core(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}

/// Adds the patterns of `value`, which is a `core`.
pub(crate) fn of_value(value: &[u8], into: &mut Vec<Pattern>) {
    let large = value.len() > LARGE;
    for piece in pieces::of(value) {
        into.push(plain(piece));
        base64::add(piece, into);
        if large {
            into.push(digits::together(piece));
            continue;
        }
        digits::add(piece, into);
        wide::add(piece, into);
        for quote in [b'\'', b'"'] {
            into.extend(doubled(piece, quote));
        }
        into.extend(wide::latin1(piece));
        into.extend(misread(piece));
    }
    if value.contains(&b'\n') {
        let line = pieces::one_line(value);
        if line.len() >= SHORTEST {
            into.extend(pieces::of(&line).map(plain));
        }
        into.extend(pieces::lines(value).flat_map(pieces::of).map(plain));
    }
}

fn plain(bytes: &[u8]) -> Pattern {
    made(Kind::Exact, bytes.to_vec())
}

/// A pattern all of which must be there: [`SHORTEST`] bytes or more, or the filter has no window for it.
fn made(kind: Kind, bytes: Vec<u8>) -> Pattern {
    debug_assert!(bytes.len() >= SHORTEST, "too short to be looked for");
    Pattern { kind, least: bytes.len(), bytes: Zeroizing::new(bytes) }
}

/// Rust prints a NUL as `\0`, whatever follows; everybody else reads the octal digits after it along. So does the view
/// that undoes backslashes, and finds this.
fn misread(value: &[u8]) -> Option<Pattern> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, tail)) = rest.split_first() {
        let digits = match first {
            0 => tail.iter().take(2).take_while(|byte| matches!(byte, b'0'..=b'7')).count(),
            _ => 0,
        };
        let (octal, after) = tail.split_at(digits);
        bytes.push(octal.iter().fold(*first, |sum, digit| sum * 8 + (digit - b'0')));
        rest = after;
    }
    (bytes.len() < value.len() && bytes.len() >= SHORTEST).then(|| made(Kind::Exact, bytes))
}

fn doubled(value: &[u8], quote: u8) -> Option<Pattern> {
    let quotes = value.iter().filter(|byte| **byte == quote).count();
    if quotes == 0 {
        return None;
    }
    let mut bytes = Vec::with_capacity(value.len() + quotes);
    for byte in value {
        bytes.push(*byte);
        if *byte == quote {
            bytes.push(quote);
        }
    }
    Some(made(Kind::Exact, bytes))
}
