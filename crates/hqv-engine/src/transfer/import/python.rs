//! As python-dotenv (1.x) reads it.
//!
//! It leaves out lines that it cannot parse and says so in its log; here they are problems. `${...}` is put in from the
//! environment whatever the quotes, so a value with it has no meaning of its own and is refused.

use super::super::dotenv::is_interpolated;
use super::{Lines, NO_ASSIGNMENT, Reading, UNCLOSED, bad_name, unescape, with_newlines};
use hqv_model::SecretBytes;

const DOUBLE: &[(u8, u8)] = &[
    (b'\\', b'\\'),
    (b'\'', b'\''),
    (b'"', b'"'),
    (b'a', 7),
    (b'b', 8),
    (b'f', 12),
    (b'n', b'\n'),
    (b'r', b'\r'),
    (b't', b'\t'),
    (b'v', 11),
];
const SINGLE: &[(u8, u8)] = &[(b'\\', b'\\'), (b'\'', b'\'')];
const EXPANDED: &str = "holds ${...}, where python-dotenv would put a variable in";

/// What Python's `\s` takes for white space.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn is_blank(c: char) -> bool {
    is_space(c) && c != '\n'
}

pub(super) fn read(text: &str) -> Reading {
    let text = with_newlines(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut reading = Reading::default();
    let mut lines = Lines::new(text.as_bytes());
    let mut rest: &str = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        let line = lines.of(text.len() - rest.len());
        rest = match rest.starts_with('#') {
            true => after_line(rest),
            false => statement(rest, line, &mut reading),
        };
        rest = rest.trim_start_matches(is_space);
    }
    reading
}

fn statement<'a>(rest: &'a str, line: usize, reading: &mut Reading) -> &'a str {
    let named = rest.strip_prefix("export").filter(|after| after.starts_with(is_blank));
    let named = named.map_or(rest, |after| after.trim_start_matches(is_blank));
    let end = named.find(|c: char| is_space(c) || c == '=' || c == '#').unwrap_or(named.len());
    let (name, after) = named.split_at(end);
    let Some(value) = after.trim_start_matches(is_blank).strip_prefix('=') else {
        reading.problem(line, NO_ASSIGNMENT);
        return after_line(named);
    };
    if name.is_empty() {
        reading.problem(line, bad_name(""));
        return after_line(value);
    }
    let (blank, value) = (value.starts_with(is_blank), value.trim_start_matches(is_blank));
    if blank && value.starts_with('#') {
        reading.assign(line, name, SecretBytes::from_slice(b""));
        return after_line(value);
    }
    match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => quoted(value, quote, line, name, reading),
        None => {
            let (text, _) = value.split_once('\n').unwrap_or((value, ""));
            assign(reading, line, name, SecretBytes::from_slice(without_comment(text).as_bytes()));
            after_line(value)
        }
    }
}

/// Up to the first `#` after white space.
fn without_comment(text: &str) -> &str {
    let comment = text
        .match_indices('#')
        .map(|(at, _)| text.get(..at).unwrap_or_default())
        .find(|before| before.ends_with(is_space));
    comment.unwrap_or(text).trim_end_matches(is_space)
}

fn quoted<'a>(value: &'a str, quote: char, line: usize, name: &str, reading: &mut Reading) -> &'a str {
    let mut escaped = false;
    let end = value.char_indices().skip(1).find_map(|(at, c)| {
        let ends = !escaped && c == quote;
        escaped = !escaped && c == '\\';
        ends.then_some(at)
    });
    let Some(end) = end else {
        reading.problem(line, UNCLOSED);
        return after_line(value);
    };
    let (inner, after) = value.split_at(end);
    let inner = inner.strip_prefix(quote).unwrap_or_default();
    let after = after.strip_prefix(quote).unwrap_or_default().trim_start_matches(is_blank);
    if !after.is_empty() && !after.starts_with(['\n', '#']) {
        reading.problem(line, "has text after its closing quote");
    } else {
        assign(reading, line, name, unescape(inner, if quote == '"' { DOUBLE } else { SINGLE }));
    }
    after_line(after)
}

fn assign(reading: &mut Reading, line: usize, name: &str, value: SecretBytes) {
    if std::str::from_utf8(value.reveal()).is_ok_and(is_interpolated) {
        reading.problem(line, EXPANDED);
        return;
    }
    // A name may stand in single quotes.
    let inner = name.strip_prefix('\'').and_then(|name| name.strip_suffix('\''));
    reading.assign(line, inner.unwrap_or(name), value);
}

fn after_line(rest: &str) -> &str {
    rest.split_once('\n').map_or("", |(_, after)| after)
}
