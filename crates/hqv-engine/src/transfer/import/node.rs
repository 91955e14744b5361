//! As `node --env-file` reads it.
//!
//! Values end at a newline, or at the next quote of the kind that opens them; there is no escape but `\n` between
//! double quotes, and every `#` outside of quotes begins a comment. Versions of node differ in what they make of a line
//! without `=`, of one with nothing but blanks after it, of an export of nothing, of tabs, and of lines that begin with blanks: those are refused.

use super::{Lines, NO_ASSIGNMENT, Reading, UNCLOSED, unescape};
use hqv_model::SecretBytes;
use zeroize::Zeroizing;

const BLANKS: [char; 3] = [' ', '\t', '\n'];
const INDENTED: &str = "has blanks before it that some versions of node take for a part of a name";
const BLANK: &str =
    "has blanks and nothing else after its =, where newer versions of node take the next line for its value";
const EXPORT: &str =
    "exports an empty value, where newer versions of node take `export` for a part of the name";
const TAB: &str = "has a tab round its value, which some versions of node keep and some drop";

pub(super) fn read(text: &str) -> Reading {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    text.split('\r').for_each(|part| plain.push_str(part));
    let mut reading = Reading::default();
    let mut lines = Lines::new(plain.as_bytes());
    let mut rest = plain.trim_start_matches('\n');
    while !rest.trim_start_matches(BLANKS).is_empty() {
        let next = rest.trim_start_matches(BLANKS);
        let line = lines.of(plain.len() - next.len());
        let blanks = rest.strip_suffix(next).unwrap_or_default();
        rest = if blanks.contains(['\t', '\n']) || (next.starts_with('#') && !blanks.is_empty()) {
            reading.problem(line, INDENTED);
            after_line(next)
        } else if next.starts_with('#') {
            after_line(next)
        } else {
            statement(next, line, &mut reading)
        };
        rest = rest.trim_start_matches('\n');
    }
    reading
}

fn statement<'a>(rest: &'a str, line: usize, reading: &mut Reading) -> &'a str {
    let (head, value) = match rest.split_once('=') {
        Some((head, value)) if !head.contains('\n') => (head, value),
        _ => {
            reading.problem(line, NO_ASSIGNMENT);
            return after_line(rest);
        }
    };
    let name = head.trim_matches(' ');
    let (bare_name, after) = (name.strip_prefix("export "), value);
    if bare_name.is_some() && (value.is_empty() || value.starts_with('\n')) {
        reading.problem(line, EXPORT);
        return after_line(value);
    }
    let name = bare_name.unwrap_or(name);
    let value = value.trim_start_matches(' ');
    if after != value && value.starts_with('\n') && !value.trim_start_matches(BLANKS).is_empty() {
        reading.problem(line, BLANK);
        return after_line(value);
    }
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    let Some(quote) = quote else {
        return bare(value, line, name, reading);
    };
    let inner = value.strip_prefix(quote).unwrap_or_default();
    let Some((inner, after)) = inner.split_once(quote) else {
        reading.problem(line, UNCLOSED);
        return after_line(value);
    };
    let table: &[(u8, u8)] = if quote == '"' { &[(b'n', b'\n')] } else { &[] };
    reading.assign(line, name, unescape(inner, table));
    after_line(after)
}

fn bare<'a>(value: &'a str, line: usize, name: &str, reading: &mut Reading) -> &'a str {
    let (text, _) = value.split_once('\n').unwrap_or((value, ""));
    let (text, _) = text.split_once('#').unwrap_or((text, ""));
    let text = text.trim_matches(' ');
    if text.starts_with('\t') || text.ends_with('\t') {
        reading.problem(line, TAB);
    } else {
        reading.assign(line, name, SecretBytes::from_slice(text.as_bytes()));
    }
    after_line(value)
}

fn after_line(rest: &str) -> &str {
    rest.split_once('\n').map_or("", |(_, after)| after)
}
