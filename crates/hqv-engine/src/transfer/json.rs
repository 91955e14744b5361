//! `json`: one object, a member a variable, in the order of the entries (RFC 8259).
//!
//! Carries every UTF-8 value, NUL and long ones too: it is no environment. Cannot carry: what is not UTF-8.

use super::{Entry, Sink, measured, text};
use hqv_model::{Result, SecretBytes};

pub(super) fn render(entries: &[Entry]) -> Result<SecretBytes> {
    for entry in entries {
        text(entry, "JSON")?;
    }
    Ok(measured(|sink| {
        sink.put(b"{");
        for (index, Entry { name, value, .. }) in entries.iter().enumerate() {
            sink.put(if index == 0 { b"\n  \"" } else { b",\n  \"" });
            sink.put(name.as_str().as_bytes());
            sink.put(b"\": \"");
            escaped(sink, value.reveal());
            sink.put(b"\"");
        }
        sink.put(if entries.is_empty() { b"}\n" } else { b"\n}\n" });
    }))
}

/// The inside of a string. Only ASCII is ever escaped, so bytes will do.
fn escaped(sink: &mut dyn Sink, value: &[u8]) {
    let hex = |digit: u8| b"0123456789abcdef"[usize::from(digit & 15)];
    for run in value.chunk_by(|a, b| !needs_escape(*a) && !needs_escape(*b)) {
        match run {
            [b'"'] => sink.put(b"\\\""),
            [b'\\'] => sink.put(b"\\\\"),
            [b'\n'] => sink.put(b"\\n"),
            [b'\r'] => sink.put(b"\\r"),
            [b'\t'] => sink.put(b"\\t"),
            [byte] if needs_escape(*byte) => sink.put(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(*byte)]),
            plain => sink.put(plain),
        }
    }
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::tests::entry;
    use super::*;

    #[test]
    fn every_character_is_escaped_as_it_must_be() {
        let value = "say \"\\\" \u{0}\u{1f}\u{7f}\t\r\n é🔑\u{2028}";
        let out = render(&[entry("A", value.as_bytes()), entry("b", b"")]).unwrap();
        let expected = "{\n  \"A\": \"say \\\"\\\\\\\" \\u0000\\u001f\\u007f\\t\\r\\n é🔑\u{2028}\",\n  \"b\": \"\"\n}\n";
        assert_eq!(std::str::from_utf8(out.reveal()).unwrap(), expected);
    }

    #[test]
    fn ou3_what_is_not_utf_8_is_refused_by_path() {
        let error = render(&[entry("A", b"ok"), entry("B", &[0xff])]).expect_err("not UTF-8");
        assert_eq!(error.message(), "app/B: the value is not UTF-8, which JSON cannot carry");
    }
}
