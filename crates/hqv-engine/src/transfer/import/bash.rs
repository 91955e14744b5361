//! As `source` in bash reads it, for plain assignments alone.
//!
//! A file that is sourced is a program. Here only `NAME=word` and `export NAME=word` are read, with quotes and
//! backslashes as bash takes them off. What bash would run or expand is refused by line; nothing is ever run.

use super::{Reading, UNCLOSED};
use hqv_model::SecretBytes;
use zeroize::Zeroizing;

const RUN: &str = "would be run as a command by bash";
const EXPANDED: &str = "holds a $, `, ~ or { that bash would expand";

pub(super) fn read(file: &[u8]) -> Reading {
    let mut scan = Scan { file, at: 0, line: 1 };
    let mut reading = Reading::default();
    while let Some(byte) = scan.peek() {
        match byte {
            b' ' | b'\t' | b'\n' => scan.step(),
            b'#' => scan.skip_line(),
            _ => {
                let line = scan.line;
                match scan.statement() {
                    Ok((name, value)) => reading.assign(line, &name, value),
                    Err(what) => {
                        reading.problem(line, what);
                        scan.skip_line();
                    }
                }
            }
        }
    }
    reading
}

struct Scan<'a> {
    file: &'a [u8],
    at: usize,
    line: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.file.get(self.at).copied()
    }

    fn step(&mut self) {
        self.line += usize::from(self.peek() == Some(b'\n'));
        self.at += 1;
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.step();
        Some(byte)
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|b| b != b'\n') {
            self.step();
        }
    }

    fn skip_blanks(&mut self) -> bool {
        let from = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.step();
        }
        self.at > from
    }

    fn word(&mut self) -> String {
        let rest = self.file.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        self.at += length;
        String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).into_owned()
    }

    fn statement(&mut self) -> Result<(String, SecretBytes), &'static str> {
        let mut name = self.word();
        let exports = name == "export" && self.skip_blanks();
        if exports {
            name = self.word();
        }
        if self.peek() != Some(b'=') {
            return Err(RUN);
        }
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(super::bad_name(&name));
        }
        self.step();
        let value = self.value(exports)?;
        let blank = self.skip_blanks();
        match self.peek() {
            None | Some(b'\n') => Ok((name, value)),
            Some(b'#') if blank => {
                self.skip_line();
                Ok((name, value))
            }
            _ => Err(RUN),
        }
    }

    /// The arguments of `export` are split at braces, a plain assignment is not.
    fn value(&mut self, exports: bool) -> Result<SecretBytes, &'static str> {
        let mut out = Zeroizing::new(Vec::with_capacity(128));
        let mut tilde = true;
        while let Some(byte) = self.peek() {
            let after_colon = byte == b':';
            match byte {
                b' ' | b'\t' | b'\n' => break,
                b'\'' => self.single(&mut out)?,
                b'"' => self.double(&mut out)?,
                b'\\' => {
                    self.step();
                    match self.next() {
                        Some(b'\n') => {}
                        Some(byte) => push(&mut out, byte),
                        None => push(&mut out, b'\\'),
                    }
                }
                b'$' | b'`' => return Err(EXPANDED),
                b'~' if tilde => return Err(EXPANDED),
                b'{' if exports => return Err(EXPANDED),
                b'|' | b'&' | b';' | b'<' | b'>' | b'(' | b')' => return Err(RUN),
                other => {
                    self.step();
                    push(&mut out, other);
                }
            }
            tilde = after_colon;
        }
        Ok(SecretBytes::from_slice(&out))
    }

    fn single(&mut self, out: &mut Zeroizing<Vec<u8>>) -> Result<(), &'static str> {
        self.step();
        loop {
            match self.next() {
                Some(b'\'') => return Ok(()),
                Some(byte) => push(out, byte),
                None => return Err(UNCLOSED),
            }
        }
    }

    fn double(&mut self, out: &mut Zeroizing<Vec<u8>>) -> Result<(), &'static str> {
        self.step();
        loop {
            match self.next() {
                Some(b'"') => return Ok(()),
                Some(b'$' | b'`') => return Err(EXPANDED),
                Some(b'\\') => match self.peek() {
                    Some(b'\n') => self.step(),
                    Some(byte @ (b'"' | b'\\' | b'$' | b'`')) => {
                        self.step();
                        push(out, byte);
                    }
                    _ => push(out, b'\\'),
                },
                Some(byte) => push(out, byte),
                None => return Err(UNCLOSED),
            }
        }
    }
}

/// A buffer that must grow leaves no copy behind.
fn push(out: &mut Zeroizing<Vec<u8>>, byte: u8) {
    if out.len() == out.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(out.capacity().max(64) * 2));
        larger.extend_from_slice(out);
        *out = larger;
    }
    out.push(byte);
}
