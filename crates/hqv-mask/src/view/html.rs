//! Entities of HTML and XML: the five of XML, and numbers.

use super::Step;

const NAMED: [(&[u8], char); 5] =
    [(b"amp;", '&'), (b"lt;", '<'), (b"gt;", '>'), (b"quot;", '"'), (b"apos;", '\'')];

/// The longest number: `#x10ffff;` or `#1114111;`.
const NUMBER: usize = 9;

pub(super) fn find(rest: &[u8]) -> Option<usize> {
    memchr::memchr(b'&', rest)
}

/// An entity.
pub(super) fn read(text: &[u8], at: usize, last: bool) -> Option<Step> {
    let rest = text.get(at + 1..)?;
    if rest.first() == Some(&b'#') {
        return number(rest, at, last);
    }
    for (name, character) in NAMED {
        if rest.starts_with(name) {
            return Some(Step::character(at, 1 + name.len(), character));
        }
        if !last && name.starts_with(rest) {
            return Some(Step::cut(at));
        }
    }
    None
}

/// `#39;` or `#x27;`.
fn number(rest: &[u8], at: usize, last: bool) -> Option<Step> {
    let (skip, radix) = if matches!(rest.get(1), Some(b'x' | b'X')) { (2, 16) } else { (1, 10) };
    let digits = rest.get(skip..).unwrap_or_default();
    let count = digits.iter().take(NUMBER).take_while(|digit| char::from(**digit).is_digit(radix)).count();
    match digits.get(count) {
        None if !last => return Some(Step::cut(at)),
        Some(b';') if count > 0 => {}
        _ => return None,
    }
    let digits = std::str::from_utf8(digits.get(..count)?).ok()?;
    let character = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
    Some(Step::character(at, 1 + skip + count + 1, character))
}
