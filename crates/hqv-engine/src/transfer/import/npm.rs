//! As npm's `dotenv` (17) reads it: one regular expression, which is written out here by hand.
//!
//! ```text
//! ^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$
//! ```
//!
//! No two neighbours of it can take the same characters, but for quotes after a backslash: only there is something to try
//! again. What matches nowhere is left out by `dotenv`, and is a problem here.

use super::{Lines, NO_ASSIGNMENT, Reading, UNCLOSED, bad_name, is_js_space, unescape, with_newlines};

pub(super) fn read(text: &str) -> Reading {
    let text = with_newlines(text);
    let mut reading = Reading::default();
    let mut lines = Lines::new(text.as_bytes());
    // U+2028 and U+2029 end lines too, for this reader alone: not worth a second kind of line.
    if let Some(at) = text.find(['\u{2028}', '\u{2029}']) {
        reading.problem(lines.of(at), "holds a Unicode line separator, at which npm dotenv ends the line");
        return reading;
    }
    let mut rest: &str = text.trim_start_matches(is_js_space);
    while !rest.is_empty() {
        let line = lines.of(text.len() - rest.len());
        rest = match rest.starts_with('#') {
            true => after_line(rest),
            false => statement(rest, line, &mut reading),
        };
        rest = rest.trim_start_matches(is_js_space);
    }
    reading
}

/// From a name on: what stands after the assignment.
fn statement<'a>(rest: &'a str, line: usize, reading: &mut Reading) -> &'a str {
    let exported = rest.strip_prefix("export").filter(|after| after.starts_with(is_js_space));
    let exported = exported.and_then(|after| head(after.trim_start_matches(is_js_space)));
    let Some((name, after)) = exported.or_else(|| head(rest)) else {
        let what = if rest.starts_with('=') { bad_name("") } else { NO_ASSIGNMENT };
        reading.problem(line, what);
        return after_line(rest);
    };
    if let Some((value, after)) = quoted(after) {
        assign(reading, line, name, value);
        return after;
    }
    let end = after.find(['#', '\n']).unwrap_or(after.len());
    let (value, after) = after.split_at(end);
    let value = value.trim_matches(is_js_space);
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    if quote.is_some_and(|quote| value.matches(quote).count() == 1) {
        reading.problem(line, UNCLOSED);
    } else {
        assign(reading, line, name, value);
    }
    after_line(after)
}

/// Name and what divides it from its value: the rest begins with the value.
fn head(rest: &str) -> Option<(&str, &str)> {
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c)))?;
    let (name, after) = rest.split_at(end);
    if name.is_empty() {
        return None;
    }
    if let Some(after) = after.trim_start_matches(is_js_space).strip_prefix('=') {
        return Some((name, after));
    }
    let after = after.strip_prefix(':')?;
    after.strip_prefix(is_js_space).map(|after| (name, after))
}

/// A value with its quotes, where nothing but a comment follows on its last line; and what follows.
fn quoted(after: &str) -> Option<(&str, &str)> {
    let value = after.trim_start_matches(is_js_space);
    let quote = value.bytes().next().filter(|b| matches!(b, b'"' | b'\'' | b'`'))?;
    let bytes = value.as_bytes();
    let (mut escaped, mut ends) = (false, Vec::new());
    for (at, byte) in bytes.iter().enumerate().skip(1) {
        if *byte == quote {
            ends.push(at + 1);
            if !escaped {
                break;
            }
        }
        escaped = *byte == b'\\';
    }
    // The last one first: the expression is greedy.
    ends.into_iter().rev().find_map(|end| {
        let (value, after) = value.split_at_checked(end)?;
        Some((value, tail(after)?))
    })
}

/// What follows a closing quote: blanks, perhaps over several lines, and perhaps a comment.
fn tail(after: &str) -> Option<&str> {
    let next = after.trim_start_matches(is_js_space);
    if next.starts_with('#') {
        return Some(after_line(next));
    }
    let blanks = after.len() - next.len();
    let ends = next.is_empty() || after.get(..blanks).is_some_and(|blanks| blanks.contains('\n'));
    ends.then_some(next)
}

fn assign(reading: &mut Reading, line: usize, name: &str, value: &str) {
    let value = value.trim_matches(is_js_space);
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    let inner = quote.and_then(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let table: &[(u8, u8)] = if quote == Some('"') { &[(b'n', b'\n'), (b'r', b'\r')] } else { &[] };
    reading.assign(line, name, unescape(inner.unwrap_or(value), table));
}

fn after_line(rest: &str) -> &str {
    rest.split_once('\n').map_or("", |(_, after)| after)
}
