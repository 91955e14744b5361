//! Backslashes: strings of JSON, C, Python, JavaScript, Rust and Go, and `"..."`, `$'...'` and `\ ` of the shells.
//!
//! A letter that no language gives a meaning stands for itself, as every other byte does.

use super::Step;
use super::percent::hex;
use crate::prefix::Next;

pub(super) fn find(rest: &[u8]) -> Option<usize> {
    memchr::memchr2(b'\\', b'$', rest)
}

/// An escape.
pub(super) fn read(text: &[u8], at: usize, last: bool) -> Option<Step> {
    match text.get(at)? {
        b'\\' => escape(text, at, last),
        b'$' => dollar(text, at, last),
        _ => None,
    }
}

/// `$'\n'`, as zsh writes a control character in a word without quotes.
fn dollar(text: &[u8], at: usize, last: bool) -> Option<Step> {
    let cut =
        || (!last).then_some(Step::Cut { start: at, next: Some(Next { from: 1, to: 31, plain: b'$' }) });
    for (place, byte) in [(at + 1, b'\''), (at + 2, b'\\')] {
        match text.get(place) {
            Some(there) if *there == byte => {}
            Some(_) => return None,
            None => return cut(),
        }
    }
    match escape(text, at + 2, last)? {
        Step::Token { start, len, bytes: [byte @ 1..=31, ..], count: 1, .. } => match text.get(start + len) {
            Some(b'\'') => Some(Step::byte(at, len + 3, byte)),
            Some(_) => None,
            None => cut(),
        },
        Step::Cut { .. } => cut(),
        _ => None,
    }
}

fn escape(text: &[u8], at: usize, last: bool) -> Option<Step> {
    let Some(letter) = text.get(at + 1) else { return (!last).then(|| Step::cut(at)) };
    let control = match letter {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        b'e' | b'E' => 27,
        b'0'..=b'7' => return octal(text, at, last),
        b'x' => return byte(text, at, last),
        b'u' if text.get(at + 2) == Some(&b'{') => return braced(text, at, last),
        b'u' => return unit(text, at, last),
        b'U' => return long(text, at, last),
        other => *other,
    };
    Some(Step::byte(at, 2, control))
}

/// `\0` to `\377`.
fn octal(text: &[u8], at: usize, last: bool) -> Option<Step> {
    let digits = text.get(at + 1..)?.iter().take(3);
    let (mut value, mut count) = (0_u8, 0);
    for digit in digits.take_while(|digit| matches!(digit, b'0'..=b'7')) {
        value = value << 3 | (digit - b'0');
        count += 1;
    }
    if !last && count < 3 && text.len() == at + 1 + count {
        return Some(Step::cut(at));
    }
    Some(Step::byte(at, 1 + count, value))
}

/// `\x7` and `\x7f`.
fn byte(text: &[u8], at: usize, last: bool) -> Option<Step> {
    let digit = |place: usize| text.get(at + place).map(|digit| hex(*digit));
    match (digit(2), digit(3)) {
        (None, _) | (Some(Some(_)), None) if !last => Some(Step::cut(at)),
        (Some(Some(high)), Some(Some(low))) => Some(Step::byte(at, 4, high << 4 | low)),
        (Some(Some(low)), _) => Some(Step::byte(at, 3, low)),
        _ => Some(Step::byte(at, 2, b'x')),
    }
}

/// `\u00e9`, or two of them for a character beyond the first plane.
fn unit(text: &[u8], at: usize, last: bool) -> Option<Step> {
    let first = match digits(text, at + 2, 4) {
        Digits::Value(value) => value,
        Digits::Ended if !last => return Some(Step::cut(at)),
        _ => return Some(Step::byte(at, 2, b'u')),
    };
    if let Some(character) = char::from_u32(first) {
        return Some(Step::character(at, 6, character));
    }
    let second = match (text.get(at + 6), text.get(at + 7)) {
        (None, _) | (Some(b'\\'), None) if !last => return Some(Step::cut(at)),
        (Some(b'\\'), Some(b'u')) => digits(text, at + 8, 4),
        _ => return None,
    };
    match second {
        Digits::Ended if !last => Some(Step::cut(at)),
        Digits::Value(second @ 0xdc00..=0xdfff) if first < 0xdc00 => {
            let value = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            Some(Step::character(at, 12, char::from_u32(value)?))
        }
        _ => None,
    }
}

/// `\U0001f600`.
fn long(text: &[u8], at: usize, last: bool) -> Option<Step> {
    match digits(text, at + 2, 8) {
        Digits::Value(value) => Some(Step::character(at, 10, char::from_u32(value)?)),
        Digits::Ended if !last => Some(Step::cut(at)),
        _ => Some(Step::byte(at, 2, b'U')),
    }
}

/// `\u{1f600}`.
fn braced(text: &[u8], at: usize, last: bool) -> Option<Step> {
    let rest = text.get(at + 3..)?;
    let count = rest.iter().take(7).take_while(|digit| digit.is_ascii_hexdigit()).count();
    match (rest.get(count), digits(text, at + 3, count)) {
        (None, _) if !last && count < 7 => Some(Step::cut(at)),
        (Some(b'}'), Digits::Value(value)) if count > 0 => {
            Some(Step::character(at, count + 4, char::from_u32(value)?))
        }
        _ => Some(Step::byte(at, 2, b'u')),
    }
}

/// Some digits of hex.
enum Digits {
    Value(u32),
    /// The text ends within them.
    Ended,
    Others,
}

fn digits(text: &[u8], from: usize, count: usize) -> Digits {
    let mut value = 0_u32;
    for place in from..from + count {
        let Some(digit) = text.get(place) else { return Digits::Ended };
        let Some(digit) = hex(*digit) else { return Digits::Others };
        value = value << 4 | u32::from(digit);
    }
    Digits::Value(value)
}
