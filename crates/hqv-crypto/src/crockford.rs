//! Crockford base 32 for what people copy by hand: no I, L, O or U; case, spaces and hyphens do not
//! count; I and L are read as 1, O as 0.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The upper-case text of `bytes`, most significant bit first; whole groups of 5 bytes only.
pub(crate) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(5) * 8));
    for chunk in bytes.chunks_exact(5) {
        let word = chunk.iter().fold(0u64, |word, b| (word << 8) | u64::from(*b));
        for i in (0..8).rev() {
            out.push(char::from(ALPHABET[((word >> (5 * i)) & 31) as usize]));
        }
    }
    out
}

/// What became of a text.
pub(crate) enum Decoded {
    /// As many characters as fit.
    Whole,
    /// Right characters, but too few.
    Short,
    /// A character that is none, or too many.
    Bad,
}

/// Fills `out` (whole groups of 5 bytes) from `text`.
pub(crate) fn decode_into(text: &str, out: &mut [u8]) -> Decoded {
    let mut symbols = Zeroizing::new([0u8; 64]);
    let mut count = 0;
    for c in text.bytes().filter(|c| !matches!(c, b'-' | b' ')) {
        let (Some(value), Some(slot)) = (value_of(c), symbols.get_mut(count)) else {
            return Decoded::Bad;
        };
        *slot = value;
        count += 1;
    }
    let wanted = out.len() / 5 * 8;
    if count > wanted {
        return Decoded::Bad;
    }
    if count < wanted {
        return Decoded::Short;
    }
    for (eight, five) in symbols.chunks_exact(8).zip(out.chunks_exact_mut(5)) {
        let word = eight.iter().fold(0u64, |word, v| (word << 5) | u64::from(*v));
        five.copy_from_slice(&word.to_be_bytes()[3..]);
    }
    Decoded::Whole
}

fn value_of(c: u8) -> Option<u8> {
    let upper = match c.to_ascii_uppercase() {
        b'I' | b'L' => b'1',
        b'O' => b'0',
        other => other,
    };
    ALPHABET.iter().position(|a| *a == upper).map(|at| at as u8)
}
