//! `export`: assignments that survive `eval $(...)` without quotes round it.
//!
//! Before `eval` sees anything, the shell has split our output at the characters of IFS, has replaced what
//! looks like a pattern by the names of files, and has joined the rest with single spaces. So nothing that
//! either step acts on may stand in the output: no newline, no tab, no two spaces in a row, and none of
//! `* ? [ ] { } ( ) , ~ # ^ | < >` and their like from a value. Quotes do not help there, they are text to
//! those steps. What stands as it is, in single quotes, is letters, digits, `_ - . / : = + @ %` and bytes from 0x80.
//!
//! Every other byte is spelled by a helper variable (`$_hqv2a`). Those are made first, by one `echo` of
//! octal escapes, which is built into every shell: bash, zsh, ksh93, mksh and busybox need `-e` for it, and
//! dash, which needs none, prints the `-e` too, where it ends up as an argument of `:`. The backslash it
//! needs is written followed by a space, which is then cut off: a word that ends in a backslash is no
//! pattern to any shell (bash 5.0 takes other words with a backslash for one). `printf` would not do: it is an
//! external program in mksh. No value passes through `echo`, only the helpers' bytes do.
//!
//! Where `echo` cannot read octal after all (mksh in its `posix` mode), no variable is set and the `eval` fails.
//!
//! Cannot carry: NUL, a variable over 128 KiB, and the shells' own variables (names.rs).

use super::names::{Keeper, check_name};
use super::{Entry, Sink, check_variable, measured};
use hqv_model::{Result, SecretBytes};

/// Which bytes need a helper.
struct Helpers([bool; 256]);

impl Helpers {
    fn used_by(entries: &[Entry]) -> Self {
        let mut used = [false; 256];
        for byte in entries.iter().flat_map(|entry| entry.value.reveal()) {
            used[usize::from(*byte)] |= !is_plain(*byte);
        }
        Helpers(used)
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(|byte| self.0[usize::from(*byte)])
    }

    fn is_empty(&self) -> bool {
        self.bytes().next().is_none()
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || b"_-./:=+@%".contains(&byte)
}

pub(super) fn render(entries: &[Entry]) -> Result<SecretBytes> {
    for entry in entries {
        check_variable(entry)?;
        check_name(entry, Keeper::Shells)?;
    }
    let helpers = Helpers::used_by(entries);
    Ok(measured(|sink| match (entries.is_empty(), helpers.is_empty()) {
        (true, _) => {}
        (false, true) => {
            assignments(sink, entries);
            sink.put(b"\n");
        }
        (false, false) => with_helpers(sink, entries, &helpers),
    }))
}

fn with_helpers(sink: &mut dyn Sink, entries: &[Entry], helpers: &Helpers) {
    sink.put(br"_hqv='\ ';_hqv=${_hqv% };");
    // The octal 170 is an x: what proves that echo has read the escapes.
    sink.put(br#"_hqv=`echo -e ";_hqv=${_hqv}0170"#);
    for byte in helpers.bytes() {
        let quote = if byte == b'\'' { b'"' } else { b'\'' };
        sink.put(format!(";_hqv{byte:02x}=").as_bytes());
        for code in [quote, byte, quote] {
            sink.put(format!("${{_hqv}}0{code:03o}").as_bytes());
        }
    }
    sink.put(br#""`;eval ": $_hqv";if test "$_hqv" = x;then "#);
    assignments(sink, entries);
    sink.put(b";");
    unset(sink, helpers);
    sink.put(b";else ");
    unset(sink, helpers);
    sink.put(b";echo hq-vault: this shell cannot read the export format>&2;false;fi\n");
}

fn unset(sink: &mut dyn Sink, helpers: &Helpers) {
    sink.put(b"unset _hqv");
    helpers.bytes().for_each(|byte| sink.put(format!(" _hqv{byte:02x}").as_bytes()));
}

/// A long value is put together from pieces: zsh copies the whole word for each helper in it.
const PIECE_BYTES: usize = 4096;

fn assignments(sink: &mut dyn Sink, entries: &[Entry]) {
    for (index, Entry { name, value, .. }) in entries.iter().enumerate() {
        if index > 0 {
            sink.put(b";");
        }
        let name = name.as_str().as_bytes();
        let (first, rest) = value.reveal().split_at(value.len().min(PIECE_BYTES));
        sink.put(name);
        sink.put(b"=");
        quoted(sink, first);
        for piece in rest.chunks(PIECE_BYTES) {
            [b";", name, b"=\"$", name, b"\""].iter().for_each(|part| sink.put(part));
            quoted(sink, piece);
        }
        sink.put(b";export ");
        sink.put(name);
    }
}

/// Runs of plain bytes in single quotes, runs of others as helpers in double quotes.
fn quoted(sink: &mut dyn Sink, value: &[u8]) {
    if value.is_empty() {
        sink.put(b"''");
    }
    for run in value.chunk_by(|a, b| is_plain(*a) == is_plain(*b)) {
        if run.first().copied().is_some_and(is_plain) {
            sink.put(b"'");
            sink.put(run);
            sink.put(b"'");
        } else {
            sink.put(b"\"");
            run.iter().for_each(|byte| sink.put(&helper(*byte)));
            sink.put(b"\"");
        }
    }
}

/// `$_hqv2a`, on the stack: these bytes are the value.
fn helper(byte: u8) -> [u8; 7] {
    let hex = |digit: u8| b"0123456789abcdef"[usize::from(digit & 15)];
    [b'$', b'_', b'h', b'q', b'v', hex(byte >> 4), hex(byte)]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::tests::entry;
    use super::*;
    use proptest::prelude::*;

    fn text(entries: &[Entry]) -> String {
        String::from_utf8(render(entries).unwrap().reveal().to_vec()).unwrap()
    }

    #[test]
    fn plain_values_need_no_helper() {
        let entries =
            [entry("A", b"postgres://u:p@host:5432/db"), entry("B", b""), entry("C", "clé".as_bytes())];
        let expected = "A='postgres://u:p@host:5432/db';export A;B='';export B;C='clé';export C\n";
        assert_eq!(text(&entries), expected);
    }

    #[test]
    fn other_bytes_are_spelled_by_helpers() {
        let out = text(&[entry("A", b"a *'b")]);
        assert!(
            out.contains(r#"A='a'"$_hqv20$_hqv2a$_hqv27"'b';export A;unset _hqv _hqv20 _hqv27 _hqv2a;else "#)
        );
        assert!(out.contains(";_hqv2a=${_hqv}0047${_hqv}0052${_hqv}0047"));
        assert!(out.contains(";_hqv27=${_hqv}0042${_hqv}0047${_hqv}0042"));
    }

    proptest! {
        #[test]
        fn ou1_nothing_in_the_output_is_split_or_globbed(value in prop::collection::vec(1_u8..=255, 0..200)) {
            let out = render(&[entry("KEY", &value)]).unwrap();
            let (last, body) = out.reveal().split_last().unwrap();
            prop_assert_eq!(*last, b'\n');
            prop_assert!(!body.iter().any(|b| b"\t\n\r*?[]()~#^|,!".contains(b)));
            prop_assert!(!body.windows(2).any(|pair| pair == b"  "));
            // The one backslash ends its word.
            let backslashes: Vec<_> = (0..body.len()).filter(|at| body[*at] == b'\\').collect();
            prop_assert!(backslashes.len() <= 1 && backslashes.iter().all(|at| body[at + 1] == b' '));
        }
    }
}
