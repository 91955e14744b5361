//! `powershell`: `$env:NAME = ...`, for `hq-vault env-file P/ --format powershell | Out-String | Invoke-Expression`.
//!
//! The output is ASCII, one line a variable, since a pipeline decodes with a code page of its own and takes line
//! ends apart. ASCII text stands in single quotes, where a doubled `'` is the one escape; every other UTF-16 code
//! unit is added as `[char]0xHHHH`. Nothing that a value holds is expanded.
//!
//! Cannot carry: what is not UTF-8, NUL, an empty value (assigning it removes the variable), a variable over
//! 128 KiB, and variables that decide what runs (names.rs).

use super::names::{Keeper, check_name};
use super::{Entry, Sink, check_variable, measured, refused, text};
use hqv_model::{Result, SecretBytes};

pub(super) fn render(entries: &[Entry]) -> Result<SecretBytes> {
    for entry in entries {
        check_variable(entry)?;
        check_name(entry, Keeper::PowerShell)?;
        if text(entry, "PowerShell")?.is_empty() {
            let why = "the value is empty, and PowerShell takes that for no variable";
            return Err(refused(entry, why).hint("use --format json"));
        }
    }
    Ok(measured(|sink| {
        for Entry { name, value, .. } in entries {
            sink.put(b"$env:");
            sink.put(name.as_str().as_bytes());
            sink.put(b" = ");
            // Checked above: all of it is UTF-8.
            expression(sink, std::str::from_utf8(value.reveal()).unwrap_or_default());
            sink.put(b"\n");
        }
    }))
}

/// The first operand is a string, so that `+` joins.
fn expression(sink: &mut dyn Sink, value: &str) {
    let plain = |c: char| (' '..='~').contains(&c);
    let mut rest = value;
    let mut first = true;
    while !rest.is_empty() || first {
        let run = rest.find(|c| !plain(c)).unwrap_or(rest.len());
        if first || run > 0 {
            sink.put(if first { b"'" } else { b" + '" });
            doubled(sink, &rest[..run]);
            sink.put(b"'");
        }
        let others = &rest[run..];
        let end = others.find(plain).unwrap_or(others.len());
        others[..end].chars().for_each(|c| character(sink, c));
        rest = &others[end..];
        first = false;
    }
}

fn doubled(sink: &mut dyn Sink, text: &str) {
    for (index, part) in text.split('\'').enumerate() {
        if index > 0 {
            sink.put(b"''");
        }
        sink.put(part.as_bytes());
    }
}

fn character(sink: &mut dyn Sink, c: char) {
    let hex = |digit: u16| b"0123456789abcdef"[usize::from(digit & 15)];
    for unit in c.encode_utf16(&mut [0; 2]) {
        sink.put(b" + [char]0x");
        sink.put(&[12, 8, 4, 0].map(|shift| hex(*unit >> shift)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::tests::entry;
    use super::*;

    #[test]
    fn ou3_powershell_lines_are_ascii_and_hold_no_line_end() {
        let out =
            render(&[entry("A", "it's $x\né🔑!".as_bytes()), entry("B", b"\nx"), entry("C", b"x")]).unwrap();
        let expected = "$env:A = 'it''s $x' + [char]0x000a + [char]0x00e9 + [char]0xd83d + [char]0xdd11 + '!'\n\
                        $env:B = '' + [char]0x000a + 'x'\n$env:C = 'x'\n";
        assert_eq!(std::str::from_utf8(out.reveal()).unwrap(), expected);
    }

    #[test]
    fn ou3_powershell_cannot_hold_an_empty_value_or_bytes() {
        for value in [b"".as_slice(), b"\xff"] {
            assert!(render(&[entry("A", value)]).expect_err("refused").message().starts_with("app/A: "));
        }
    }
}
