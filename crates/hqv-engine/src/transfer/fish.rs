//! `fish`: `set -gx` commands, for `hq-vault env-file P/ --format fish | source`, or `eval (...)`.
//!
//! fish splits a command substitution at newlines and `eval` joins the parts with spaces, so no newline stands
//! in the output but at the end of each command, which a `;` ends as well. In single quotes fish reads all but
//! `'` and `\` as it is; what is left is written outside quotes as `\'`, `\\`, `\n` or `\xHH`, and bytes that
//! are not UTF-8 as `\XHH`. Nothing that a value holds is expanded.
//!
//! Cannot carry: NUL, a variable over 128 KiB, fish's own variables and those that decide what runs (names.rs).

use super::names::{Keeper, check_name};
use super::{Entry, Sink, check_variable, measured};
use hqv_model::Result;
use hqv_model::SecretBytes;

pub(super) fn render(entries: &[Entry]) -> Result<SecretBytes> {
    for entry in entries {
        check_variable(entry)?;
        check_name(entry, Keeper::Fish)?;
    }
    Ok(measured(|sink| {
        for Entry { name, value, .. } in entries {
            sink.put(b"set -gx ");
            sink.put(name.as_str().as_bytes());
            sink.put(b" ");
            quoted(sink, value.reveal());
            sink.put(b";\n");
        }
    }))
}

fn quoted(sink: &mut dyn Sink, value: &[u8]) {
    if value.is_empty() {
        sink.put(b"''");
    }
    let text = std::str::from_utf8(value).is_ok();
    let plain = |byte: u8| match byte {
        b'\'' | b'\\' | 0..0x20 | 0x7f => false,
        0x80.. => text,
        _ => true,
    };
    for run in value.chunk_by(|a, b| plain(*a) == plain(*b)) {
        if run.first().copied().is_some_and(plain) {
            sink.put(b"'");
            sink.put(run);
            sink.put(b"'");
        } else {
            run.iter().for_each(|byte| escaped(sink, *byte));
        }
    }
}

fn escaped(sink: &mut dyn Sink, byte: u8) {
    let hex = |digit: u8| b"0123456789abcdef"[usize::from(digit & 15)];
    match byte {
        b'\'' | b'\\' => sink.put(&[b'\\', byte]),
        b'\n' => sink.put(b"\\n"),
        0x80.. => sink.put(&[b'\\', b'X', hex(byte >> 4), hex(byte)]),
        _ => sink.put(&[b'\\', b'x', hex(byte >> 4), hex(byte)]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::entry;
    use super::*;

    #[test]
    fn ou3_fish_quotes_what_it_reads_as_it_is_and_escapes_the_rest() {
        let entries =
            [entry("A", b"it's\n$x\t\\"), entry("B", b""), entry("C", b"a\xff"), entry("D", "é".as_bytes())];
        let out = render(&entries).unwrap();
        let expected =
            "set -gx A 'it'\\''s'\\n'$x'\\x09\\\\;\nset -gx B '';\nset -gx C 'a'\\Xff;\nset -gx D 'é';\n";
        assert_eq!(std::str::from_utf8(out.reveal()).unwrap(), expected);
    }
}
