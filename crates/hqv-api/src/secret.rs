//! The one type that serialises a secret.
//!
//! A value that is UTF-8 travels as a JSON string; any other as base64 with `"encoding": "base64"` beside it.
//! Reading does not go through serde's own strings: those keep an unescaped copy in a scratch buffer that nobody
//! wipes. We take the raw JSON text from the body (which is wiped by its owner) and unescape it ourselves, into one
//! buffer that never grows and is wiped on drop.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hqv_model::{SecretBytes, SecretText};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// RFC 4648 section 4 with padding, for a login that goes into a header.
pub fn base64_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// How the bytes of a value are written in its JSON string; absent means "as text".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// RFC 4648 section 4, with padding.
    Base64,
}

/// A secret as JSON text: a value, passphrase, recovery key, token or session.
///
/// It can be serialised, and that is the point of it; it cannot be printed, cloned or compared. Deserialises from
/// JSON in memory only (`serde_json::from_slice` or `from_str`), since it borrows the raw text.
#[derive(ToSchema)]
#[schema(value_type = String, format = Password)]
pub struct WireSecret(Zeroizing<String>);

/// The text beside `"encoding": "base64"` is not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotBase64;

impl WireSecret {
    /// Wraps a text: a token, a session, a recovery key, a passphrase. Both copies are wiped in their time.
    pub fn from_text(text: &SecretText) -> Self {
        Self(Zeroizing::new(text.reveal().to_owned()))
    }

    /// The text form of any bytes, and the encoding to write beside it.
    pub fn carry(value: &[u8]) -> (Self, Option<Encoding>) {
        match std::str::from_utf8(value) {
            Ok(text) => (Self(Zeroizing::new(text.to_owned())), None),
            Err(_) => (Self(Zeroizing::new(STANDARD.encode(value))), Some(Encoding::Base64)),
        }
    }

    /// The text, for the code that writes or checks it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Hands the text on without copying it.
    pub fn into_text(mut self) -> SecretText {
        SecretText::new(std::mem::take(&mut *self.0))
    }

    /// The bytes that the text stands for.
    ///
    /// # Errors
    /// [`NotBase64`] where the encoding says base64 and the text is something else.
    pub fn into_bytes(mut self, encoding: Option<Encoding>) -> Result<SecretBytes, NotBase64> {
        match encoding {
            None => Ok(SecretBytes::from_vec(std::mem::take(&mut *self.0).into_bytes())),
            Some(Encoding::Base64) => decode(&self.0),
        }
    }
}

fn decode(text: &str) -> Result<SecretBytes, NotBase64> {
    let mut buffer = Zeroizing::new(vec![0u8; base64::decoded_len_estimate(text.len())]);
    let length = STANDARD.decode_slice(text, &mut buffer).map_err(|_| NotBase64)?;
    buffer.truncate(length);
    Ok(SecretBytes::from_vec(std::mem::take(&mut *buffer)))
}

impl std::fmt::Debug for WireSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl Serialize for WireSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for WireSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        unescape(raw.get()).map(Self).ok_or_else(|| de::Error::custom("expected a string of valid Unicode"))
    }
}

/// Unescapes one JSON string literal, quotes included. `None` for anything else, lone surrogates too (RFC 8259
/// section 8.2 leaves those open; a value must come back byte for byte, so they are refused).
fn unescape(literal: &str) -> Option<Zeroizing<String>> {
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?;
    // What is escaped is always longer than what it stands for, so this never grows and leaves no copy behind.
    let mut out = Zeroizing::new(String::with_capacity(rest.len()));
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        out.push_str(plain);
        let (character, tail) = one_escape(escape.strip_prefix('\\')?)?;
        out.push(character);
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
}

fn one_escape(text: &str) -> Option<(char, &str)> {
    let mut characters = text.chars();
    let character = match characters.next()? {
        'u' => return unicode_escape(characters.as_str()),
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        same @ ('"' | '\\' | '/') => same,
        _ => return None,
    };
    Some((character, characters.as_str()))
}

fn unicode_escape(text: &str) -> Option<(char, &str)> {
    let (first, rest) = four_hex(text)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Some((char::from_u32(first)?, rest));
    }
    let (second, rest) = four_hex(rest.strip_prefix("\\u")?)?;
    if !(0xDC00..0xE000).contains(&second) {
        return None;
    }
    Some((char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))?, rest))
}

fn four_hex(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
