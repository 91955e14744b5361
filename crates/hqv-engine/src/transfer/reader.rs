//! Who reads dotenv files, and `--for READER`: a file that one of them reads back byte for byte.
//!
//! | reader | how a value is written |
//! |---|---|
//! | `bash` | in single quotes, `'\''` for each `'`: carries every byte but NUL |
//! | `python` | in single quotes with `\\` and `\'`, or, for a carriage return, in double quotes with `\r` |
//! | `node`, `dotenv` | as it is, between the first of `'`, `` ` `` and `"` that is not in it |
//! | both | or without quotes, where nothing would be trimmed or taken for a comment |
//! | `dotenv` | or, for a carriage return, in double quotes with `\r` |
//!
//! Cannot carry, besides: for `python` what is not UTF-8 and `${...}`, where it puts a variable in whatever the
//! quotes; for `node` what is not UTF-8, and carriage returns; for both of them values that hold all three quotes
//! and cannot stand without, and a few in which the quotes that are left would make an escape of a backslash.

use super::dotenv::is_interpolated;
use super::names::{Keeper, check_name};
use super::{Entry, Sink, check_variable, measured, refused};
use hqv_model::{Error, Result, SecretBytes};
use std::fmt;

/// Who reads dotenv files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// `node --env-file`
    Node,
    /// npm `dotenv`
    Dotenv,
    /// `python-dotenv`
    Python,
    /// `source` in bash
    Bash,
}

impl Reader {
    /// Every reader.
    pub const ALL: &[Reader] = &[Reader::Node, Reader::Dotenv, Reader::Python, Reader::Bash];

    /// The reader as `--for` takes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reader::Node => "node",
            Reader::Dotenv => "dotenv",
            Reader::Python => "python",
            Reader::Bash => "bash",
        }
    }

    /// Reads what `--for` was given.
    ///
    /// # Errors
    /// `BAD_REQUEST`, with the names there are.
    pub fn parse(text: &str) -> Result<Self> {
        let found = Reader::ALL.iter().copied().find(|reader| reader.as_str() == text);
        found.ok_or_else(|| {
            Error::bad_request("an unknown reader").hint("readers are node, dotenv, python and bash")
        })
    }

    /// Whether there is a way to write this value for this reader alone.
    pub fn can_read(self, value: &[u8]) -> bool {
        self.style(value).is_some()
    }

    fn style(self, value: &[u8]) -> Option<Style> {
        if value.contains(&0) {
            return None;
        }
        if self == Reader::Bash {
            return Some(Style::Bash);
        }
        let text = std::str::from_utf8(value).ok()?;
        match self {
            Reader::Python if is_interpolated(text) => None,
            Reader::Python if text.contains('\r') => Some(Style::PythonDouble),
            Reader::Python => Some(Style::PythonSingle),
            Reader::Node if text.contains('\r') => None,
            _ => self.quoted(text).or_else(|| is_bare(text).then_some(Style::Bare)),
        }
    }

    /// The quotes in which one of the JavaScript readers leaves this text alone.
    fn quoted(self, text: &str) -> Option<Style> {
        let final_backslash = self == Reader::Dotenv && text.ends_with('\\');
        if final_backslash {
            None
        } else if !text.contains(['\'', '\r']) {
            Some(Style::Between(b'\''))
        } else if !text.contains(['`', '\r']) {
            Some(Style::Between(b'`'))
        } else if text.contains('"') || text.contains("\\n") {
            None
        } else if self == Reader::Dotenv {
            (!text.contains("\\r")).then_some(Style::DotenvDouble)
        } else {
            Some(Style::Between(b'"'))
        }
    }
}

/// Whether the JavaScript readers take this text as it is without quotes: one line, no comment, nothing to trim.
fn is_bare(text: &str) -> bool {
    let trimmed = |c: char| c.is_whitespace() || c == '\u{feff}';
    let ends_well = !text.starts_with(|c| trimmed(c) || "'\"`".contains(c)) && !text.ends_with(trimmed);
    !text.is_empty() && ends_well && !text.contains(['#', '\n', '\r'])
}

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Reader::Node => "node --env-file",
            Reader::Dotenv => "npm dotenv",
            Reader::Python => "python-dotenv",
            Reader::Bash => "source in bash",
        })
    }
}

/// How one value is written for one reader.
#[derive(Clone, Copy)]
enum Style {
    /// As it is, between these quotes.
    Between(u8),
    /// As it is, without any.
    Bare,
    Bash,
    PythonSingle,
    PythonDouble,
    DotenvDouble,
}

impl Style {
    const fn quote(self) -> &'static [u8] {
        match self {
            Style::Bare => b"",
            Style::Between(b'`') => b"`",
            Style::Between(b'"') | Style::PythonDouble | Style::DotenvDouble => b"\"",
            Style::Between(_) | Style::Bash | Style::PythonSingle => b"'",
        }
    }

    /// What stands for a byte, where it does not stand for itself.
    const fn escape(self, byte: u8) -> Option<&'static [u8]> {
        match (self, byte) {
            (Style::Bash, b'\'') => Some(b"'\\''"),
            (Style::PythonSingle, b'\'') => Some(b"\\'"),
            (Style::PythonDouble, b'"') => Some(b"\\\""),
            (Style::PythonDouble | Style::DotenvDouble, b'\r') => Some(b"\\r"),
            (Style::PythonSingle | Style::PythonDouble, b'\\') => Some(b"\\\\"),
            _ => None,
        }
    }

    fn write(self, sink: &mut dyn Sink, value: &[u8]) {
        sink.put(self.quote());
        for run in value.chunk_by(|a, b| self.escape(*a).is_none() && self.escape(*b).is_none()) {
            let escape = run.first().and_then(|byte| self.escape(*byte));
            sink.put(escape.unwrap_or(run));
        }
        sink.put(self.quote());
    }
}

/// Writes all entries for one reader, or fails naming the first path that it could not read back.
///
/// # Errors
/// As [`super::render`]'s.
pub fn render_for(reader: Reader, entries: &[Entry]) -> Result<SecretBytes> {
    let mut styles = Vec::with_capacity(entries.len());
    for entry in entries {
        check_variable(entry)?;
        check_name(entry, if reader == Reader::Bash { Keeper::Bash } else { Keeper::Programs })?;
        let style = reader.style(entry.value.reveal());
        styles.push(style.ok_or_else(|| {
            refused(entry, &format!("{reader} cannot read this value back, however it is written"))
                .hint("use --format export or --format json")
        })?);
    }
    Ok(measured(|sink| {
        for (Entry { name, value, .. }, style) in entries.iter().zip(&styles) {
            sink.put(name.as_str().as_bytes());
            sink.put(b"=");
            style.write(sink, value.reveal());
            sink.put(b"\n");
        }
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::tests::entry;
    use super::*;

    fn written(reader: Reader, value: &str) -> Option<String> {
        let out = render_for(reader, &[entry("A", value.as_bytes())]).ok()?;
        Some(String::from_utf8(out.reveal().to_vec()).unwrap())
    }

    #[test]
    fn ou3_each_reader_gets_the_quotes_that_it_understands() {
        let value = "it's `x` \\ \"${";
        assert_eq!(written(Reader::Bash, value).unwrap(), "A='it'\\''s `x` \\ \"${'\n");
        assert_eq!(written(Reader::Python, value).unwrap(), "A='it\\'s `x` \\\\ \"${'\n");
        assert_eq!(written(Reader::Python, "a\r\"\\").unwrap(), "A=\"a\\r\\\"\\\\\"\n");
        assert_eq!(written(Reader::Node, value).unwrap(), format!("A={value}\n"));
        assert_eq!(written(Reader::Node, "'`\""), None);
        assert_eq!(written(Reader::Node, "it's \"x\"").unwrap(), "A=`it's \"x\"`\n");
        assert_eq!(written(Reader::Dotenv, "it's `x`").unwrap(), "A=\"it's `x`\"\n");
        assert_eq!(written(Reader::Node, "it's `x` \\n #"), None);
        assert_eq!(written(Reader::Dotenv, " it's `x` \\r"), None);
        assert_eq!(written(Reader::Node, "a\rb"), None);
        assert_eq!(written(Reader::Python, "${a}"), None);
    }

    #[test]
    fn readers_read_back() {
        for reader in Reader::ALL {
            assert_eq!(Reader::parse(reader.as_str()).unwrap(), *reader);
        }
        assert!(Reader::parse("ruby").is_err());
    }

    #[test]
    fn ou3_a_refusal_names_path_and_reader() {
        let error = render_for(Reader::Node, &[entry("KEY", b"\xff")]).expect_err("bytes");
        let wanted = "app/KEY: node --env-file cannot read this value back, however it is written";
        assert_eq!(error.message(), wanted);
    }
}
