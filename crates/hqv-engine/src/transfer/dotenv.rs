//! `dotenv`: one line a variable, read back byte for byte by `node --env-file`, npm `dotenv`, `python-dotenv` and
//! `source` in bash.
//!
//! The four grammars agree on little. What all read alike:
//! - in single quotes everything but `'`, a final `\`, `\\` (Python makes one of it) and `${...}` (Python puts a
//!   variable in, even here);
//! - in double quotes text without `"` and `` ` ``, where no `\` stands before a character that one of them takes
//!   for an escape, and no `$` before one that bash takes for a variable.
//!
//! A carriage return is lost in both JavaScript readers; none but bash reads what is not UTF-8. Newlines are fine.
//! What neither quoting carries is refused, naming the readers that could read the value if it were written for
//! them alone.
//!
//! Cannot carry, besides: NUL, a variable over 128 KiB, and bash's own variables (names.rs).

use super::names::{Keeper, check_name};
use super::reader::Reader;
use super::{Entry, Sink, check_variable, measured, refused};
use hqv_model::{Error, Result, SecretBytes};

pub(super) fn render(entries: &[Entry]) -> Result<SecretBytes> {
    let mut quotes = Vec::with_capacity(entries.len());
    for entry in entries {
        check_variable(entry)?;
        check_name(entry, Keeper::Bash)?;
        quotes.push(common_quote(entry.value.reveal()).ok_or_else(|| not_common(entry))?);
    }
    Ok(measured(|sink| {
        entries.iter().zip(&quotes).for_each(|(entry, quote)| line(sink, entry, *quote));
    }))
}

fn line(sink: &mut dyn Sink, entry: &Entry, quote: u8) {
    sink.put(entry.name.as_str().as_bytes());
    sink.put(b"=");
    sink.put(&[quote]);
    sink.put(entry.value.reveal());
    sink.put(&[quote, b'\n']);
}

/// The quote between which all readers read the value as it is.
fn common_quote(value: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(value).ok()?;
    if text.contains('\r') || is_interpolated(text) {
        return None;
    }
    let single = !text.contains('\'') && !text.contains("\\\\") && !text.ends_with('\\');
    let double =
        || !text.contains(['"', '`']) && follows(text, '\\', no_escape) && follows(text, '$', no_variable);
    if single {
        Some(b'\'')
    } else if double() {
        Some(b'"')
    } else {
        None
    }
}

/// Whether what follows each `mark` (nothing, at the end) is all right.
fn follows(text: &str, mark: char, allowed: fn(Option<char>) -> bool) -> bool {
    text.split(mark)
        .skip(1)
        .zip(text.match_indices(mark))
        .all(|(_, (at, _))| allowed(text[at + 1..].chars().next()))
}

/// Bash: `$`, a backtick, `"`, `\` and a newline; Python: `\ ' " a b f n r t v`; the others: `n` and `r`.
fn no_escape(next: Option<char>) -> bool {
    next.is_some_and(|c| !"$`\"\\\n'abfnrtv".contains(c))
}

/// Before these bash leaves a `$` alone.
fn no_variable(next: Option<char>) -> bool {
    next.is_none_or(|c| " \n.,:;/%+=~^&|<>)]}".contains(c))
}

/// Whether python-dotenv would put a variable in: `${`, anything but `}` and `:`, perhaps `:-` and a default, `}`.
pub(super) fn is_interpolated(text: &str) -> bool {
    text.split("${").skip(1).any(|rest| {
        let name = rest.find(['}', ':']).map(|end| rest.split_at(end).1);
        name.is_some_and(|end| end.starts_with('}') || (end.starts_with(":-") && end.contains('}')))
    })
}

fn not_common(entry: &Entry) -> Error {
    let able: Vec<_> =
        Reader::ALL.iter().filter(|r| r.can_read(entry.value.reveal())).map(ToString::to_string).collect();
    let why = format!(
        "the readers of dotenv files do not agree on this value; written for it alone, {} could read it",
        able.join(", or ")
    );
    refused(entry, &why).hint("use --for READER, --format export or --format json")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::tests::entry;
    use super::*;

    fn written(value: &str) -> Option<String> {
        let out = render(&[entry("A", value.as_bytes())]).ok()?;
        Some(String::from_utf8(out.reveal().to_vec()).unwrap())
    }

    #[test]
    fn ou3_single_quotes_then_double_quotes_then_refused() {
        assert_eq!(written("").unwrap(), "A=''\n");
        assert_eq!(written("a\n#b $HOME \"`\\n").unwrap(), "A='a\n#b $HOME \"`\\n'\n");
        assert_eq!(written("it's").unwrap(), "A=\"it's\"\n");
        assert_eq!(written("it's \\d 5$").unwrap(), "A=\"it's \\d 5$\"\n");
        for value in [
            "it's $HOME",
            "it's \\n",
            "it's \\",
            "it's \"",
            "it's `",
            "a\\\\",
            "a\\",
            "a\rb",
            "${a}",
            "${a:-b}",
        ] {
            assert_eq!(written(value), None, "{value}");
        }
        assert!(written("${").is_some() && written("${a:b}").is_some() && written("$").is_some());
    }

    #[test]
    fn ou3_the_refusal_names_path_and_readers_and_not_the_value() {
        let message =
            |value: &[u8]| render(&[entry("KEY", value)]).expect_err("refused").message().to_owned();
        let start = "app/KEY: the readers of dotenv files do not agree on this value; written for it alone, ";
        let rest = |value: &[u8]| message(value).strip_prefix(start).map(str::to_owned).unwrap();
        assert_eq!(rest(b"\xff"), "source in bash could read it");
        assert_eq!(rest(b"a\rb"), "npm dotenv, or python-dotenv, or source in bash could read it");
        assert_eq!(rest(b"${a}"), "node --env-file, or npm dotenv, or source in bash could read it");
        assert_eq!(rest(b"'\"`"), "python-dotenv, or source in bash could read it");
        assert_eq!(rest(b"a\n\\"), "node --env-file, or python-dotenv, or source in bash could read it");
    }
}
