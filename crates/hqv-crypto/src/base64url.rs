//! base64url without padding (RFC 4648 section 5) for token bytes.
//!
//! Arithmetic instead of tables: which table line a secret character touches would show in the cache.
//! It is also what the hot path parses on every request, so it allocates nothing.

use hqv_sys::memory::wipe;

/// Writes the text of `bytes` to the end of `out`.
pub(crate) fn encode_into(bytes: &[u8], out: &mut String) {
    for chunk in bytes.chunks(3) {
        let mut group = [0u8; 3];
        group[..chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for i in 0..=chunk.len() {
            out.push(char::from(symbol(((word >> (18 - 6 * i)) & 63) as u8)));
        }
    }
}

/// Longest text that is decoded, in characters.
const LONGEST: usize = 96;

/// Fills `out` from `text`. False for a wrong length, a character outside the alphabet, or spare bits
/// that are not zero; `out` then holds nothing of use.
pub(crate) fn decode_into(text: &[u8], out: &mut [u8]) -> bool {
    if text.len() != (out.len() * 4).div_ceil(3) || text.len() > LONGEST {
        return false;
    }
    let mut values = [0u8; LONGEST];
    let mut bad = 0u8;
    for (value, symbol) in values.iter_mut().zip(text) {
        let (found, wrong) = value_of(*symbol);
        *value = found;
        bad |= wrong;
    }
    let (fours, _) = values.as_chunks::<4>();
    let (threes, rest) = out.as_chunks_mut::<3>();
    let mut groups = fours.iter().map(|four| group(*four));
    for (three, whole) in threes.iter_mut().zip(&mut groups) {
        *three = whole;
    }
    if let (Some(last), false) = (groups.next(), rest.is_empty()) {
        let (head, spare) = last.split_at(rest.len());
        rest.copy_from_slice(head);
        bad |= spare.iter().fold(0, |sum, byte| sum | byte);
    }
    wipe(&mut values);
    bad == 0
}

/// Four values of six bits as three bytes.
#[inline(always)]
fn group([a, b, c, d]: [u8; 4]) -> [u8; 3] {
    [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]
}

/// Whether a character belongs to the alphabet.
pub(crate) fn is_symbol(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'-' || c == b'_'
}

/// The character of a value below 64.
fn symbol(value: u8) -> u8 {
    let v = i16::from(value);
    let mut s = i16::from(b'A') + v;
    s += ((25 - v) >> 8) & 6; // a-z
    s -= ((51 - v) >> 8) & 75; // 0-9
    s -= ((61 - v) >> 8) & 13; // -
    s += ((62 - v) >> 8) & 49; // _
    s as u8
}

/// The value of a character, and 255 beside it when it has none. Comparisons become masks, sixteen
/// characters at a time.
#[inline(always)]
fn value_of(symbol: u8) -> (u8, u8) {
    let within = |low: u8, high: u8| (u8::from(symbol >= low) & u8::from(symbol <= high)).wrapping_neg();
    let (upper, lower, digit) = (within(b'A', b'Z'), within(b'a', b'z'), within(b'0', b'9'));
    let (minus, under) = (within(b'-', b'-'), within(b'_', b'_'));
    let value = (upper & symbol.wrapping_sub(b'A'))
        | (lower & symbol.wrapping_sub(b'a' - 26))
        | (digit & symbol.wrapping_add(52 - b'0'))
        | (minus & 62)
        | (under & 63);
    (value, !(upper | lower | digit | minus | under))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_told_by_arithmetic_as_by_the_alphabet() {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for (value, &c) in alphabet.iter().enumerate() {
            assert_eq!(symbol(value as u8), c);
            assert_eq!(value_of(c), (value as u8, 0));
        }
        for c in 0..=255u8 {
            assert_eq!(value_of(c).1 == 0, alphabet.contains(&c), "character {c}");
            assert_eq!(is_symbol(c), alphabet.contains(&c));
        }
    }

    #[test]
    fn texts_of_every_length_come_back() {
        for len in 0..60usize {
            let bytes: Vec<u8> = (0..len).map(|i| (i * 37 + len) as u8).collect();
            let mut text = String::new();
            encode_into(&bytes, &mut text);
            let mut back = vec![0; len];
            assert!(decode_into(text.as_bytes(), &mut back));
            assert_eq!(back, bytes);
        }
    }

    #[test]
    fn spare_bits_and_wrong_lengths_are_refused() {
        let mut one = [0; 1];
        assert!(decode_into(b"AA", &mut one));
        assert!(!decode_into(b"AB", &mut one));
        assert!(!decode_into(b"AAA", &mut one));
        assert!(!decode_into(b"A", &mut one));
    }
}
