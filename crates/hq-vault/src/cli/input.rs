//! Where the value of `store` comes from, and what is kept of it.
//!
//! Bytes are kept as given with one exception: a single line loses its final
//! newline, because `echo v |` and `<(grep ... | cut ...)` mean the line and not
//! its end. What looks like a slip is warned of, never changed.

use std::io::IsTerminal;
use std::path::Path;

use hqv_model::{Entropy, EntryRoute, SecretBytes};
use zeroize::Zeroizing;

use super::output::error::Failure;
use super::passphrase;
use crate::settings::paths::shown;

/// The largest value: 1 MiB.
pub const VALUE_MAX: usize = 1 << 20;

/// How a value may be handed over.
pub struct Wanted<'a> {
    /// `--file`.
    pub file: Option<&'a Path>,
    /// `--generate`.
    pub generate: Option<usize>,
    /// `--raw`.
    pub raw: bool,
    /// `--allow-empty`.
    pub allow_empty: bool,
    /// What is asked at a prompt.
    pub prompt: String,
}

impl Wanted<'_> {
    /// Whether a person will be asked for it.
    pub fn asks(&self) -> bool {
        self.file.is_none() && self.generate.is_none() && std::io::stdin().is_terminal()
    }
}

/// A value, the way it came, and what to tell about it.
pub struct Value {
    /// The bytes to keep.
    pub bytes: SecretBytes,
    /// How they came.
    pub route: EntryRoute,
    /// A final newline was taken off.
    pub newline_dropped: bool,
    /// What looks like a slip.
    pub warnings: Vec<&'static str>,
}

/// Gets the value.
pub fn value(wanted: &Wanted<'_>, entropy: &mut dyn Entropy) -> Result<Value, Failure> {
    if let Some(length) = wanted.generate {
        return Ok(plain(generated(length, entropy), EntryRoute::Generated));
    }
    match wanted.file {
        Some(path) if path != Path::new("-") => {
            let bytes = from_file(path)?;
            kept(bytes, wanted, EntryRoute::File, &format!("{} is empty", shown(path)))
        }
        None if wanted.asks() => typed(wanted),
        _ => {
            let mut stdin = std::io::stdin().lock();
            let bytes = hqv_sys::input::read_bounded(&mut stdin, VALUE_MAX + 2)
                .map_err(|e| Failure::io("cannot read the value from stdin", &e))?;
            kept(bytes, wanted, EntryRoute::Pipe, "nothing came on stdin")
        }
    }
}

fn plain(bytes: SecretBytes, route: EntryRoute) -> Value {
    Value { bytes, route, newline_dropped: false, warnings: Vec::new() }
}

fn typed(wanted: &Wanted<'_>) -> Result<Value, Failure> {
    if !passphrase::person_is_there() {
        return Err(Failure::usage("nobody can be asked: this command is not in the terminal's foreground")
            .hint("pipe the value, or use --file or --generate"));
    }
    let bytes = passphrase::ask_hidden(&wanted.prompt, VALUE_MAX + 1)?;
    if bytes.is_empty() && !wanted.allow_empty {
        return Err(nothing("nothing was typed"));
    }
    check_size(bytes.len())?;
    let warnings = slips(&bytes);
    Ok(Value {
        bytes: SecretBytes::from_slice(&bytes),
        route: EntryRoute::Tty,
        newline_dropped: false,
        warnings,
    })
}

fn from_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |e: &std::io::Error| Failure::io(format!("cannot read {}", shown(path)), e);
    let mut file = hqv_sys::input::open_input(path).map_err(|e| failed(&e))?;
    hqv_sys::input::read_bounded(&mut file, VALUE_MAX + 2).map_err(|e| failed(&e))
}

fn kept(
    mut bytes: Zeroizing<Vec<u8>>,
    wanted: &Wanted<'_>,
    route: EntryRoute,
    empty: &str,
) -> Result<Value, Failure> {
    if bytes.is_empty() && !wanted.allow_empty {
        return Err(nothing(empty));
    }
    let dropped = !wanted.raw && is_single_line(&bytes);
    if dropped {
        let rest = bytes.len() - 1;
        bytes.truncate(rest);
    }
    if bytes.is_empty() && dropped && !wanted.allow_empty {
        return Err(nothing("the value is an empty line"));
    }
    check_size(bytes.len())?;
    let warnings = slips(&bytes);
    Ok(Value { bytes: SecretBytes::from_slice(&bytes), route, newline_dropped: dropped, warnings })
}

fn nothing(what: &str) -> Failure {
    Failure::usage(format!("{what}; nothing was stored"))
        .hint("to store an empty value on purpose: --allow-empty")
}

fn check_size(len: usize) -> Result<(), Failure> {
    if len <= VALUE_MAX {
        return Ok(());
    }
    Err(Failure::of(hqv_model::Code::TooLarge, "the value is over 1 MiB; nothing was stored")
        .hint("keep large files elsewhere, encrypted, and the key to them here"))
}

/// One newline, and it is the last byte.
fn is_single_line(bytes: &[u8]) -> bool {
    bytes.iter().position(|b| *b == b'\n').is_some_and(|at| at + 1 == bytes.len())
}

fn slips(bytes: &[u8]) -> Vec<&'static str> {
    let mut found = Vec::new();
    let quoted = |q: u8| bytes.len() >= 2 && bytes.first() == Some(&q) && bytes.last() == Some(&q);
    if quoted(b'"') || quoted(b'\'') {
        found.push("the value begins and ends with a quote; quotes are kept as part of it");
    }
    if bytes.last() == Some(&b'\r') {
        found.push("the value ends with a carriage return, as Windows writes lines; it is kept");
    }
    if bytes.split(|b| *b == b'\n').filter(|line| is_assignment(line)).count() >= 2 {
        found.push("the value holds several NAME= lines; one secret is one value");
    }
    found
}

fn is_assignment(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"export ").unwrap_or(line);
    let Some(at) = line.iter().position(|b| *b == b'=') else {
        return false;
    };
    let name = line.get(..at).unwrap_or_default();
    let first = name.first().is_some_and(|b| b.is_ascii_uppercase() || *b == b'_');
    first && name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
}

/// Letters and digits only: they need no quoting anywhere. 32 of them hold 190 bits.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Bytes below 248 only, so that every character is equally likely.
fn generated(length: usize, entropy: &mut dyn Entropy) -> SecretBytes {
    let mut value = Zeroizing::new(Vec::with_capacity(length));
    let mut random = Zeroizing::new([0u8; 64]);
    while value.len() < length {
        entropy.fill(random.as_mut_slice());
        let usable = random.iter().filter(|b| **b < 248);
        let letters = usable.filter_map(|b| ALPHABET.get(usize::from(*b % 62)));
        let missing = length - value.len();
        value.extend(letters.take(missing));
    }
    SecretBytes::from_vec(std::mem::take(&mut *value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn wanted() -> Wanted<'static> {
        Wanted { file: None, generate: None, raw: false, allow_empty: false, prompt: String::new() }
    }

    fn keep(bytes: &[u8], wanted: &Wanted<'_>) -> Result<Value, Failure> {
        kept(Zeroizing::new(bytes.to_vec()), wanted, EntryRoute::Pipe, "nothing came on stdin")
    }

    #[test]
    fn in3_a_single_line_loses_its_newline_and_nothing_else_does() {
        let cases: [(&[u8], &[u8]); 7] = [
            (b"v\n", b"v"),
            (b"v", b"v"),
            (b"v\n\n", b"v\n\n"),
            (b"a\nb\n", b"a\nb\n"),
            (b"a\r\n", b"a\r"),
            (b"\x00\xff\n", b"\x00\xff"),
            (b"  v  \n", b"  v  "),
        ];
        for (given, stored) in cases {
            assert_eq!(keep(given, &wanted()).unwrap().bytes.reveal(), stored, "{given:?}");
        }
        let raw = Wanted { raw: true, ..wanted() };
        assert_eq!(keep(b"v\n", &raw).unwrap().bytes.reveal(), b"v\n");
    }

    #[test]
    fn in4_nothing_is_never_stored_by_accident() {
        assert!(keep(b"", &wanted()).is_err());
        assert!(keep(b"\n", &wanted()).is_err());
        let allowed = Wanted { allow_empty: true, ..wanted() };
        assert_eq!(keep(b"", &allowed).unwrap().bytes.len(), 0);
        assert_eq!(keep(b"\n", &allowed).unwrap().bytes.len(), 0);
    }

    #[test]
    fn in3_one_mebibyte_is_kept_and_one_byte_more_is_not() {
        assert_eq!(keep(&vec![b'x'; VALUE_MAX], &wanted()).unwrap().bytes.len(), VALUE_MAX);
        let mut line = vec![b'x'; VALUE_MAX];
        line.push(b'\n');
        assert_eq!(keep(&line, &wanted()).unwrap().bytes.len(), VALUE_MAX);
        let failure = keep(&vec![b'x'; VALUE_MAX + 1], &wanted()).err().unwrap();
        assert_eq!(failure.exit(), 2);
    }

    #[test]
    fn slips_are_warned_of_and_kept() {
        assert_eq!(slips(b"\"v\"").len(), 1);
        assert_eq!(slips(b"'v'").len(), 1);
        assert_eq!(slips(b"v\r").len(), 1);
        assert_eq!(slips(b"A=1\nexport B_2=3\n").len(), 1);
        for fine in [&b"v"[..], b"\"", b"a=b\nc=d", b"A=1", b"-----BEGIN KEY-----\nabc=\n"] {
            assert!(slips(fine).is_empty(), "{fine:?}");
        }
    }

    #[test]
    fn generated_values_are_letters_and_digits_of_the_length_asked_for() {
        let mut entropy = crate::compose::SystemEntropy::new();
        for length in [8, 32, 4096] {
            let value = generated(length, &mut entropy);
            assert_eq!(value.len(), length);
            assert!(value.reveal().iter().all(|b| b.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn in4_devices_directories_and_missing_files_have_their_sentence() {
        assert_eq!(from_file(Path::new("/dev/zero")).unwrap().len(), VALUE_MAX + 2);
        assert!(from_file(Path::new("/")).unwrap_err().message().contains("directory"));
        assert!(from_file(Path::new("/nothing/here")).unwrap_err().message().contains("no such file"));
    }
}
