//! `yaml`: one mapping, a member a variable, in the order of the entries (YAML 1.1 and 1.2).
//!
//! Keys and values stand in double quotes with JSON's escapes, which both versions read, so that no `NO`, `1e3` or
//! `null` becomes anything but text. What YAML calls not printable is escaped.
//!
//! Carries every UTF-8 value, NUL and long ones too: it is no environment. Cannot carry: what is not UTF-8.

use super::{Entry, Sink, measured, text};
use hqv_model::{Result, SecretBytes};

pub(super) fn render(entries: &[Entry]) -> Result<SecretBytes> {
    for entry in entries {
        text(entry, "YAML")?;
    }
    Ok(measured(|sink| {
        if entries.is_empty() {
            sink.put(b"{}\n");
        }
        for Entry { name, value, .. } in entries {
            [b"\"", name.as_str().as_bytes(), b"\": \""].iter().for_each(|part| sink.put(part));
            // Checked above: all of it is UTF-8.
            escaped(sink, std::str::from_utf8(value.reveal()).unwrap_or_default());
            sink.put(b"\"\n");
        }
    }))
}

fn escaped(sink: &mut dyn Sink, value: &str) {
    let mut from = 0;
    for (at, c) in value.char_indices().filter(|(_, c)| needs_escape(*c)) {
        sink.put(&value.as_bytes()[from..at]);
        match c {
            '"' => sink.put(b"\\\""),
            '\\' => sink.put(b"\\\\"),
            '\n' => sink.put(b"\\n"),
            _ => code(sink, u32::from(c)),
        }
        from = at + c.len_utf8();
    }
    sink.put(&value.as_bytes()[from..]);
}

/// What is escaped lies in the basic plane.
fn code(sink: &mut dyn Sink, code: u32) {
    let digit = |shift: u32| b"0123456789abcdef"[(code >> shift & 15) as usize];
    sink.put(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

fn needs_escape(c: char) -> bool {
    matches!(c, '"' | '\\' | '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
        || matches!(c, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::tests::entry;
    use super::*;

    #[test]
    fn ou3_yaml_is_text_whatever_it_looks_like() {
        let out =
            render(&[entry("NO", b"yes"), entry("A", "\"\\\n\t\0\u{85}\u{2028} é🔑".as_bytes())]).unwrap();
        let expected = "\"NO\": \"yes\"\n\"A\": \"\\\"\\\\\\n\\u0009\\u0000\\u0085\\u2028 é🔑\"\n";
        assert_eq!(std::str::from_utf8(out.reveal()).unwrap(), expected);
        assert_eq!(render(&[]).unwrap().reveal(), b"{}\n");
        assert!(render(&[entry("A", b"\xff")]).expect_err("refused").message().starts_with("app/A: "));
    }
}
