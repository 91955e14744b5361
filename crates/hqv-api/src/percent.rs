//! Percent-encoding (RFC 3986 section 2.1), strict in both directions.
//!
//! A target decodes to one text or is refused: no half escapes, no bytes that are not UTF-8, no second decoding.

use std::fmt::Write as _;

use hqv_model::{Error, Result};

/// Encodes a secret path for a target: slashes stay, everything but unreserved characters is escaped.
pub fn encode_path(path: &str) -> String {
    encode(path, b"/")
}

/// Encodes one part of a target or query: nothing but unreserved characters stays.
pub fn encode_part(text: &str) -> String {
    encode(text, b"")
}

/// Encodes a header's value: visible ASCII and blanks stay, `%` and everything else is escaped.
pub fn encode_header(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if (0x20..0x7F).contains(&byte) && byte != b'%' {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn encode(text: &str, keep: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Decodes the part of a target that holds a path, or a token's name.
///
/// # Errors
/// `BAD_REQUEST` for a `%` without two hexadecimal digits, and for bytes that are not UTF-8.
pub fn decode(text: &str) -> Result<String> {
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        match rest {
            [] => break,
            [b'%', high, low, tail @ ..] => {
                let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) else {
                    return Err(bad());
                };
                out.push(high << 4 | low);
                rest = tail;
            }
            [b'%', ..] => return Err(bad()),
            [byte, tail @ ..] => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(out).map_err(|_| Error::bad_request("the address does not decode to UTF-8 text"))
}

fn nibble(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn bad() -> Error {
    Error::bad_request("a % in the address is not followed by two hexadecimal digits")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slashes_stay_in_a_path_and_not_in_a_part() {
        assert_eq!(encode_path("a/b c%"), "a/b%20c%25");
        assert_eq!(encode_part("a/b&c=+"), "a%2Fb%26c%3D%2B");
        assert_eq!(decode("a%2Fb%2fc").unwrap(), "a/b/c");
        assert_eq!(decode("%2525").unwrap(), "%25");
    }

    #[test]
    fn ht1_half_escapes_and_bad_text_are_refused() {
        for bad in ["%", "%z", "%zz", "a%1", "%-1", "%ff", "%ed%a0%80", "a%+f"] {
            assert!(decode(bad).is_err(), "{bad}");
        }
        // A NUL decodes; that it is no path is the model's to say.
        assert_eq!(decode("%00").unwrap(), "\0");
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(text in "\\PC{0,40}") {
            prop_assert_eq!(decode(&encode_path(&text)).unwrap(), text.clone());
            prop_assert_eq!(decode(&encode_part(&text)).unwrap(), text.clone());
            prop_assert!(encode_header(&text).bytes().all(|byte| (0x20..0x7F).contains(&byte)));
            prop_assert_eq!(decode(&encode_header(&text)).unwrap(), text);
        }
    }
}
