//! Reading `.env` files as the programs read them that they were written for, and JSON.
//!
//! One file a reader, each with that reader's grammar. Where a reader would quietly leave a line out, make a name of
//! it that no program can use, or run it, that is a [`Problem`] here: an import drops nothing in silence and runs
//! nothing. Values stand in wiped buffers from the start, and no sentence holds a piece of one.

mod bash;
mod compare;
mod json;
mod node;
mod npm;
mod python;

pub use compare::{Difference, agreed};

use super::Reader;
use hqv_model::{EnvName, Error, Result, SecretBytes};

/// The largest file that is read: 16 MiB.
pub const MAX_FILE: usize = 16 << 20;

/// One variable as a reader reads it.
#[derive(Debug)]
pub struct Assignment {
    /// Its name.
    pub name: EnvName,
    /// What it holds.
    pub value: SecretBytes,
    /// The line on which its name stands, from 1.
    pub line: usize,
}

/// A line that the reader does not take for a plain assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it, as the end of a sentence about the line.
    pub what: &'static str,
}

/// What a reader makes of a file.
#[derive(Debug, Default)]
pub struct Reading {
    /// In the order of the file; a name that stands twice is here twice.
    pub assignments: Vec<Assignment>,
    /// In the order of the file.
    pub problems: Vec<Problem>,
}

const UNCLOSED: &str = "opens a quote that is never closed";
const NO_ASSIGNMENT: &str = "is no assignment";
const NOT_UTF8: &str = "is not UTF-8";
const BOM: &[u8] = b"\xef\xbb\xbf";

impl Reading {
    fn assign(&mut self, line: usize, name: &str, value: SecretBytes) {
        match EnvName::parse(name) {
            Ok(name) => self.assignments.push(Assignment { name, value, line }),
            Err(_) => self.problem(line, bad_name(name)),
        }
    }

    fn problem(&mut self, line: usize, what: &'static str) {
        self.problems.push(Problem { line, what });
    }

    fn only(line: usize, what: &'static str) -> Self {
        Reading { assignments: Vec::new(), problems: vec![Problem { line, what }] }
    }

    /// The variables, the last of each name, in the order of their lines; and each line that a later one undoes.
    pub fn last(self) -> (Vec<Assignment>, Vec<(usize, EnvName)>) {
        let mut seen = std::collections::HashSet::new();
        let (mut last, mut undone) = (Vec::with_capacity(self.assignments.len()), Vec::new());
        for one in self.assignments.into_iter().rev() {
            if seen.insert(one.name.clone()) {
                last.push(one);
            } else {
                undone.push((one.line, one.name));
            }
        }
        last.reverse();
        undone.reverse();
        (last, undone)
    }
}

/// The name itself is not said: where quotes went wrong it may be a piece of a value.
fn bad_name(name: &str) -> &'static str {
    if name.is_empty() {
        "has no name before the ="
    } else if name.starts_with(|c: char| c.is_ascii_digit()) {
        "has a name that starts with a digit"
    } else {
        "has a name that is not letters, digits and _"
    }
}

/// Reads a file as one reader does.
///
/// # Errors
/// `BAD_REQUEST` for a NUL byte, `TOO_LARGE` above [`MAX_FILE`].
pub fn read(reader: Reader, file: &[u8]) -> Result<Reading> {
    check(file)?;
    if file.starts_with(BOM) && matches!(reader, Reader::Node | Reader::Bash) {
        return Ok(Reading::only(1, "begins with a byte-order mark, which is taken for a part of the name"));
    }
    if reader == Reader::Bash {
        return Ok(bash::read(file));
    }
    let text = match std::str::from_utf8(file) {
        Ok(text) => text,
        Err(error) => {
            let before = file.get(..error.valid_up_to()).unwrap_or_default();
            return Ok(Reading::only(1 + before.iter().filter(|b| **b == b'\n').count(), NOT_UTF8));
        }
    };
    Ok(match reader {
        Reader::Node => node::read(text),
        Reader::Dotenv => npm::read(text),
        Reader::Python | Reader::Bash => python::read(text),
    })
}

/// Reads one flat JSON object of strings, numbers and booleans.
///
/// # Errors
/// As [`read`], and `BAD_REQUEST` with the line for what is not such an object.
pub fn read_json(file: &[u8]) -> Result<Reading> {
    check(file)?;
    json::read(file.strip_prefix(BOM).unwrap_or(file))
}

fn check(file: &[u8]) -> Result<()> {
    if file.len() > MAX_FILE {
        return Err(too_large());
    }
    match file.iter().position(|b| *b == 0) {
        Some(at) => {
            let line = 1 + file.get(..at).unwrap_or_default().iter().filter(|b| **b == b'\n').count();
            Err(Error::bad_request(format!("line {line} holds a NUL byte, which no variable can carry")))
        }
        None => Ok(()),
    }
}

/// A file that is larger than an import.
pub fn too_large() -> Error {
    Error::too_large(format!("the file is over {} MiB, which no environment file is", MAX_FILE >> 20))
}

/// Which line an offset is on. Offsets must not go back.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a [u8]) -> Self {
        Lines { text, at: 0, line: 1 }
    }

    fn of(&mut self, offset: usize) -> usize {
        let between = self.text.get(self.at..offset).unwrap_or_default();
        self.line += between.iter().filter(|b| **b == b'\n').count();
        self.at = self.at.max(offset);
        self.line
    }
}

/// Replaces each escape that stands in the table; two characters become one.
fn unescape(text: &str, table: &[(u8, u8)]) -> SecretBytes {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let found = match (byte, bytes.peek()) {
            (b'\\', Some(next)) => table.iter().find(|(letter, _)| letter == next),
            _ => None,
        };
        if let Some((_, stands_for)) = found {
            bytes.next();
            out.push(*stands_for);
        } else {
            out.push(byte);
        }
    }
    SecretBytes::from_vec(out)
}

/// A copy whose lines end in a newline alone, wiped when dropped.
fn with_newlines(text: &str) -> zeroize::Zeroizing<String> {
    let mut out = zeroize::Zeroizing::new(String::with_capacity(text.len()));
    let mut parts = text.split('\r');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push('\n');
        out.push_str(part.strip_prefix('\n').unwrap_or(part));
    }
    out
}

/// What JavaScript's `\s` and `trim` take for white space.
fn is_js_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
