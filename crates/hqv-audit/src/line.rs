//! Lines as bytes: their types, their limits, base64url, and the clear lines' common frame.
//!
//! A clear line is a type byte, a JSON object, a full stop and a signature over domain, type byte and
//! object. There is exactly one spelling of each: what does not encode back to the same bytes is refused,
//! so that no byte of a log can be changed without a verifier seeing it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use crate::AuditError;

/// The longest line, its newline included. A record that would be longer is split into parts.
pub const MAX_LINE: usize = 64 * 1024;
/// The version in every clear line.
pub(crate) const VERSION: u8 = 1;
const DOMAIN: &[u8] = b"hq-vault/audit/v1/line\0";

/// What a line is, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineType {
    /// `H`: a segment begins.
    Header,
    /// `R`: a sealed record, or the last part of one.
    Record,
    /// `P`: a part of a sealed record that is continued on the next line.
    Part,
    /// `C`: a signed checkpoint.
    Checkpoint,
    /// `A`: segments written before an unlock are adopted.
    Adoption,
    /// `D`: a signed statement that stands for what retention dropped.
    Dropped,
}

impl LineType {
    /// The byte that a line of this type begins with.
    pub fn byte(self) -> u8 {
        match self {
            LineType::Header => b'H',
            LineType::Record => b'R',
            LineType::Part => b'P',
            LineType::Checkpoint => b'C',
            LineType::Adoption => b'A',
            LineType::Dropped => b'D',
        }
    }

    /// The type of a line; `None` for an empty line or an unknown type.
    pub fn of(line: &[u8]) -> Option<Self> {
        match line.first()? {
            b'H' => Some(LineType::Header),
            b'R' => Some(LineType::Record),
            b'P' => Some(LineType::Part),
            b'C' => Some(LineType::Checkpoint),
            b'A' => Some(LineType::Adoption),
            b'D' => Some(LineType::Dropped),
            _ => None,
        }
    }
}

/// base64url without padding (RFC 4648 section 5).
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The two characters of each twelve bits. What is looked up is sealed, so it may show in the cache.
static PAIRS: [[u8; 2]; 4096] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut pairs = [[0; 2]; 4096];
    let mut at = 0;
    while at < 4096 {
        pairs[at] = [alphabet[at >> 6], alphabet[at & 63]];
        at += 1;
    }
    pairs
};

/// Appends base64url without an intermediate string. Each record passes here: twelve bits at a time, it takes
/// half of what the crate does.
pub(crate) fn encode_into(bytes: &[u8], out: &mut Vec<u8>) {
    let (threes, rest) = bytes.as_chunks::<3>();
    let start = out.len();
    out.resize(start + threes.len() * 4, 0);
    let (_, room) = out.split_at_mut(start);
    for ([a, b, c], four) in threes.iter().zip(room.as_chunks_mut::<4>().0) {
        let bits = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let [[w, x], [y, z]] = [PAIRS[bits >> 12], PAIRS[bits & 0xfff]];
        *four = [w, x, y, z];
    }
    match rest {
        [] => {}
        [a] => out.extend_from_slice(&PAIRS[usize::from(*a) << 4]),
        [a, b, ..] => {
            let bits = usize::from(*a) << 10 | usize::from(*b) << 2;
            out.extend_from_slice(&PAIRS[bits >> 6]);
            let [_, last] = PAIRS[bits & 63];
            out.push(last);
        }
    }
}

/// Strict base64url: no padding, no spare bits.
pub(crate) fn decode_into(text: &[u8], out: &mut Vec<u8>) -> Result<(), AuditError> {
    out.resize(text.len() / 4 * 3 + 3, 0);
    let n = URL_SAFE_NO_PAD.decode_slice(text, out).map_err(|_| AuditError::Malformed("not base64url"))?;
    out.truncate(n);
    Ok(())
}

/// A fixed number of bytes from base64url.
pub(crate) fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], AuditError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| AuditError::Malformed("not base64url"))?;
    bytes.try_into().map_err(|_| AuditError::Malformed("a field of the wrong length"))
}

/// What is signed for a clear line whose object is `body`.
fn signed_bytes(kind: LineType, body: &[u8]) -> Vec<u8> {
    [DOMAIN, &[kind.byte()], body].concat()
}

/// Appends a signed clear line, without newline.
pub(crate) fn write_clear<T: Serialize>(
    kind: LineType,
    body: &T,
    sign: impl FnOnce(&[u8]) -> [u8; 64],
    out: &mut Vec<u8>,
) -> Result<(), AuditError> {
    let body =
        serde_json::to_vec(body).map_err(|_| AuditError::Malformed("a field that JSON cannot hold"))?;
    let signature = sign(&signed_bytes(kind, &body));
    out.push(kind.byte());
    out.extend_from_slice(&body);
    out.push(b'.');
    encode_into(&signature, out);
    Ok(())
}

/// A clear line taken apart: its object, the bytes that were signed, and the signature.
pub(crate) struct Clear<T> {
    pub(crate) body: T,
    pub(crate) signed: Vec<u8>,
    pub(crate) signature: [u8; 64],
}

/// Reads a clear line, given without newline.
pub(crate) fn read_clear<T: Serialize + DeserializeOwned>(
    kind: LineType,
    line: &[u8],
) -> Result<Clear<T>, AuditError> {
    let rest = line.strip_prefix(&[kind.byte()]).ok_or(AuditError::Malformed("another type of line"))?;
    let dot = rest.iter().rposition(|b| *b == b'.').ok_or(AuditError::Malformed("no signature"))?;
    let (body, signature) = rest.split_at(dot);
    let signature = std::str::from_utf8(signature.get(1..).unwrap_or_default())
        .map_err(|_| AuditError::Malformed("not base64url"))?;
    let signature = decode_array::<64>(signature)?;
    let parsed: T =
        serde_json::from_slice(body).map_err(|_| AuditError::Malformed("not the agreed object"))?;
    let again = serde_json::to_vec(&parsed).map_err(|_| AuditError::Malformed("not the agreed object"))?;
    if again != body {
        return Err(AuditError::Malformed("a spelling other than the one agreed"));
    }
    Ok(Clear { body: parsed, signed: signed_bytes(kind, body), signature })
}

/// A newtype over fixed bytes that is base64url in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Bytes<const N: usize>(pub(crate) [u8; N]);

impl<const N: usize> Serialize for Bytes<N> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&encode(&self.0))
    }
}

impl<'de, const N: usize> serde::Deserialize<'de> for Bytes<N> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        decode_array(&text).map(Bytes).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        n: u64,
        key: Bytes<4>,
    }

    #[test]
    fn base64_is_the_crates_at_every_length() {
        for length in 0..=64_u8 {
            let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(0x9d).wrapping_add(length)).collect();
            let mut ours = b"R".to_vec();
            encode_into(&bytes, &mut ours);
            assert_eq!(ours, format!("R{}", encode(&bytes)).as_bytes(), "{length}");
        }
    }

    #[test]
    fn a_clear_line_has_one_spelling() {
        let mut line = Vec::new();
        let body = Body { n: 7, key: Bytes([1, 2, 3, 4]) };
        write_clear(LineType::Checkpoint, &body, |m| [m.len() as u8; 64], &mut line).unwrap();
        let read = read_clear::<Body>(LineType::Checkpoint, &line).unwrap();
        assert_eq!((read.body, read.signature), (body, [read.signed.len() as u8; 64]));
        let signature = encode(&[9; 64]);
        let good = format!(r#"C{{"n":7,"key":"AQIDBA"}}.{signature}"#);
        assert!(read_clear::<Body>(LineType::Checkpoint, good.as_bytes()).is_ok());
        let bodies = [
            r#"{"n": 7,"key":"AQIDBA"}"#,
            r#"{"key":"AQIDBA","n":7}"#,
            r#"{"n":07,"key":"AQIDBA"}"#,
            r#"{"n":7,"key":"AQIDBB"}"#,
            r#"{"n":7,"key":"AQIDBA=="}"#,
            r#"{"n":7,"key":"AQIDB"}"#,
            r#"{"n":7,"key":"AQIDBA","more":1}"#,
            r#"{"n":7,"n":7,"key":"AQIDBA"}"#,
            r#"{"n":7}"#,
            r#"{"\u006e":7,"key":"AQIDBA"}"#,
        ];
        for body in bodies {
            let line = format!("C{body}.{signature}");
            assert!(read_clear::<Body>(LineType::Checkpoint, line.as_bytes()).is_err(), "{body}");
        }
        for other in [
            good.replacen('C', "H", 1),
            good.replace('.', ""),
            good[..good.len() - 1].to_owned(),
            String::new(),
        ] {
            assert!(read_clear::<Body>(LineType::Checkpoint, other.as_bytes()).is_err(), "{other}");
        }
    }
}
