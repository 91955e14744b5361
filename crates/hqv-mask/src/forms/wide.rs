//! Other encodings of the characters: UTF-16 in both byte orders, and Latin-1.

use super::made;
use crate::pattern::{Kind, Pattern};

/// A value that is not UTF-8 has no characters and so no other encoding.
pub(super) fn add(value: &[u8], into: &mut Vec<Pattern>) {
    let Some(text) = characters(value) else { return };
    for little in [true, false] {
        let mut bytes = Vec::with_capacity(text.len() * 2);
        for unit in text.encode_utf16() {
            bytes.extend(if little { unit.to_le_bytes() } else { unit.to_be_bytes() });
        }
        if bytes.len() >= super::SHORTEST {
            into.push(made(Kind::Exact, bytes));
        }
    }
}

/// The value in Latin-1, where that differs from UTF-8. `\xe9`, as Python's `ascii` writes it, is found by this.
pub(super) fn latin1(value: &[u8]) -> Option<Pattern> {
    let text = characters(value).filter(|text| !text.is_ascii())?;
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        bytes.push(u8::try_from(u32::from(character)).ok()?);
    }
    (bytes.len() >= super::SHORTEST).then(|| made(Kind::Exact, bytes))
}

/// As text, without the halves of characters that cutting into pieces may leave at the ends.
fn characters(value: &[u8]) -> Option<&str> {
    let start = value.iter().take(3).take_while(|byte| (0x80..0xc0).contains(*byte)).count();
    let value = value.get(start..)?;
    let text = match std::str::from_utf8(value) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(value.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    (text.len() >= super::SHORTEST).then_some(text)
}
