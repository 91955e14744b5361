//! `GET /v1/secrets/{path}`: the hot path.
//!
//! The answer exists twice: [`GetAnswer`] is what a client reads and what the OpenAPI document shows, [`GetView`] is
//! what the server writes from borrowed parts, by hand, into one buffer of the exact size. A test holds the two
//! equal. Serde would cost the copies and about a microsecond, and each counts here.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hqv_model::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

use crate::body::JsonBody;
use crate::list::Metadata;
use crate::query::{Pairs, Writer};
use crate::secret::{Encoding, WireSecret};
use crate::time::write_rfc3339;

/// One secret with its value.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetAnswer {
    /// The path in its canonical form.
    pub path: String,
    /// The value: text, or base64 where `encoding` says so.
    pub value: WireSecret,
    /// `base64` for a value that is not UTF-8, else absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// What is said about it.
    pub metadata: Metadata,
    /// The version that this value is.
    pub version: u64,
    /// When the path was first stored (RFC 3339, UTC).
    pub created_at: String,
    /// When its newest version was stored (RFC 3339, UTC).
    pub updated_at: String,
}

/// The query of a read.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct GetQuery {
    /// An older version; absent: the newest.
    #[param(required = false, minimum = 1)]
    pub version: Option<u64>,
}

impl GetQuery {
    /// Reads a query string.
    ///
    /// # Errors
    /// `BAD_REQUEST` for an unknown or doubled name or a version that is no number from 1 on.
    pub fn parse(query: Option<&str>) -> Result<Self> {
        if query.is_none() {
            return Ok(Self::default());
        }
        let mut pairs = Pairs::parse(query)?;
        let parsed = Self { version: pairs.number("version")? };
        pairs.finish()?;
        if parsed.version == Some(0) {
            return Err(Error::bad_request("versions count from 1"));
        }
        Ok(parsed)
    }

    /// Writes the query string.
    pub fn to_query(&self) -> String {
        let mut writer = Writer::new();
        writer.number("version", self.version);
        writer.finish()
    }
}

/// The same answer, borrowed from where its parts stand.
pub struct GetView<'a> {
    /// The path.
    pub path: &'a str,
    /// The value's bytes.
    pub value: &'a [u8],
    /// The secret's id as text.
    pub id: &'a str,
    /// The type's name.
    pub kind: &'a str,
    /// May be empty.
    pub description: &'a str,
    /// May be empty.
    pub tags: &'a BTreeMap<String, String>,
    /// Milliseconds since 1970.
    pub expires: Option<i64>,
    /// Its own variable name.
    pub env: Option<&'a str>,
    /// How the value came in.
    pub route: Option<&'a str>,
    /// Who wrote it.
    pub written_by: Option<&'a str>,
    /// The version.
    pub version: u64,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

/// Room for the names, quotes, numbers and times of one answer; the texts come on top.
const FIXED: usize = 360;

impl GetView<'_> {
    /// The finished body, in one buffer that was never moved.
    pub fn to_body(&self) -> JsonBody {
        let mut out = Zeroizing::new(Vec::with_capacity(self.capacity()));
        self.write(&mut out);
        JsonBody::from_bytes(out)
    }

    /// Upper bound of what [`GetView::write`] adds.
    pub fn capacity(&self) -> usize {
        FIXED + value_len(self.value) + self.texts()
    }

    /// All texts but the value, as they will be written.
    fn texts(&self) -> usize {
        let texts = [self.path, self.id, self.kind, self.description];
        let options = [self.env, self.route, self.written_by];
        let tags: usize = self.tags.iter().map(|(k, v)| escaped_len(k) + escaped_len(v) + 6).sum();
        let texts: usize = texts.into_iter().chain(options.into_iter().flatten()).map(escaped_len).sum();
        texts + tags
    }

    /// Writes the JSON object at the end of `out`, which should have [`GetView::capacity`] free.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_before(out);
        write_value(self.value, out);
        self.write_after(out);
    }

    /// What stands before the value and after it: the same for every reader, so worth keeping. See [`framed`].
    pub fn frame(&self) -> (Box<[u8]>, Box<[u8]>) {
        let (mut before, mut after) = (Vec::new(), Vec::with_capacity(FIXED + self.texts()));
        self.write_before(&mut before);
        self.write_after(&mut after);
        (before.into(), after.into())
    }

    fn write_before(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"path\":\"");
        escape(out, self.path);
        out.extend_from_slice(b"\",\"value\":\"");
    }

    fn write_after(&self, out: &mut Vec<u8>) {
        self.write_metadata(out);
        out.extend_from_slice(b",\"version\":");
        number(out, self.version);
        moment(out, b",\"createdAt\":\"", self.created_at);
        moment(out, b",\"updatedAt\":\"", self.updated_at);
        out.push(b'}');
    }

    fn write_metadata(&self, out: &mut Vec<u8>) {
        text(out, b",\"metadata\":{\"id\":\"", self.id);
        text(out, b",\"type\":\"", self.kind);
        text(out, b",\"description\":\"", self.description);
        out.extend_from_slice(b",\"tags\":{");
        for (index, (key, value)) in self.tags.iter().enumerate() {
            text(out, if index == 0 { b"\"" } else { b",\"" }, key);
            text(out, b":\"", value);
        }
        out.push(b'}');
        if let Some(at) = self.expires {
            moment(out, b",\"expires\":\"", at);
        }
        if let Some(env) = self.env {
            text(out, b",\"env\":\"", env);
        }
        if let Some(route) = self.route {
            text(out, b",\"route\":\"", route);
        }
        if let Some(by) = self.written_by {
            text(out, b",\"writtenBy\":\"", by);
        }
        out.push(b'}');
    }
}

/// The body that [`GetView::to_body`] gives, from the two halves of [`GetView::frame`] and the value.
pub fn framed(before: &[u8], value: &[u8], after: &[u8]) -> JsonBody {
    let room = before.len() + value_len(value) + ENCODING.len() + after.len();
    let mut out = Zeroizing::new(Vec::with_capacity(room));
    out.extend_from_slice(before);
    write_value(value, &mut out);
    out.extend_from_slice(after);
    JsonBody::from_bytes(out)
}

/// Ends the value's string and says that it is no text.
const ENCODING: &[u8] = b"\",\"encoding\":\"base64\"";

fn value_len(value: &[u8]) -> usize {
    match std::str::from_utf8(value) {
        Ok(text) => escaped_len(text),
        Err(_) => value.len().div_ceil(3) * 4,
    }
}

/// The value and the quote after it.
fn write_value(value: &[u8], out: &mut Vec<u8>) {
    match std::str::from_utf8(value) {
        Ok(text) => {
            escape(out, text);
            out.push(b'"');
        }
        Err(_) => {
            base64(out, value);
            out.extend_from_slice(ENCODING);
        }
    }
}

fn text(out: &mut Vec<u8>, before: &[u8], value: &str) {
    out.extend_from_slice(before);
    escape(out, value);
    out.push(b'"');
}

fn moment(out: &mut Vec<u8>, before: &[u8], millis: i64) {
    out.extend_from_slice(before);
    write_rfc3339(out, millis);
    out.push(b'"');
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    let start = out.len();
    loop {
        out.push(b'0' + u8::try_from(value % 10).unwrap_or(0));
        value /= 10;
        if value == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

fn base64(out: &mut Vec<u8>, value: &[u8]) {
    let start = out.len();
    out.resize(start + value.len().div_ceil(3) * 4, 0);
    let written = match out.get_mut(start..) {
        Some(room) => STANDARD.encode_slice(value, room).unwrap_or(0),
        None => 0,
    };
    out.truncate(start + written);
}

/// How a byte is written in a JSON string: 0 as it is, `u` as `\u00XX`, else a backslash and this letter (the
/// short forms that serde_json writes too).
const fn escape_of(byte: u8) -> u8 {
    match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        0x09 => b't',
        0x0A => b'n',
        0x0C => b'f',
        0x0D => b'r',
        0x00..=0x1F => b'u',
        _ => 0,
    }
}

/// [`escape_of`] every byte: a look-up is what the loops over a value of 1 MiB can afford.
static ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = escape_of(byte as u8);
        byte += 1;
    }
    table
};

fn escaped(byte: u8) -> u8 {
    ESCAPES[usize::from(byte)]
}

fn escaped_len(value: &str) -> usize {
    let extra = |byte: u8| match escaped(byte) {
        0 => 0,
        b'u' => 5,
        _ => 1,
    };
    value.len() + value.bytes().map(extra).sum::<usize>()
}

fn escape(out: &mut Vec<u8>, value: &str) {
    let mut rest = value.as_bytes();
    while let Some(at) = rest.iter().position(|byte| escaped(*byte) != 0) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, tail)) = tail.split_first() else {
            return;
        };
        match escaped(*byte) {
            b'u' => out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]),
            short => out.extend_from_slice(&[b'\\', short]),
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
}

const fn hex(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

#[cfg(test)]
#[path = "get_tests.rs"]
mod tests;
