//! `systemd`: `NAME="value"` lines, for `EnvironmentFile=` (systemd.exec(5)).
//!
//! In double quotes systemd reads all but `"` and `\` as it is, newlines too; it puts no variable in. Both are
//! written behind a backslash, which old and new versions take away alike.
//!
//! Cannot carry: what is not UTF-8, NUL, and a variable over 128 KiB.

use super::names::{Keeper, check_name};
use super::{Entry, Sink, check_variable, measured, text};
use hqv_model::{Result, SecretBytes};

pub(super) fn render(entries: &[Entry]) -> Result<SecretBytes> {
    for entry in entries {
        check_variable(entry)?;
        check_name(entry, Keeper::Programs)?;
        text(entry, "systemd")?;
    }
    Ok(measured(|sink| {
        for Entry { name, value, .. } in entries {
            sink.put(name.as_str().as_bytes());
            sink.put(b"=\"");
            escaped(sink, value.reveal());
            sink.put(b"\"\n");
        }
    }))
}

fn escaped(sink: &mut dyn Sink, value: &[u8]) {
    for run in value.split_inclusive(|byte| b"\"\\".contains(byte)) {
        match run.split_last() {
            Some((last, before)) if b"\"\\".contains(last) => {
                sink.put(before);
                sink.put(&[b'\\', *last]);
            }
            _ => sink.put(run),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::tests::entry;
    use super::*;

    #[test]
    fn ou3_systemd_reads_double_quotes_with_two_escapes() {
        let out = render(&[entry("A", b"a\\\"b\n'$x' `"), entry("B", b"")]).unwrap();
        assert_eq!(out.reveal(), b"A=\"a\\\\\\\"b\n'$x' `\"\nB=\"\"\n");
        assert!(render(&[entry("A", b"\xff")]).expect_err("refused").message().starts_with("app/A: "));
    }
}
