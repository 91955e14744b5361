//! References to secrets in a text: `hqv://path`, or `{{ hqv://path }}` where the path's end would not be seen.
//!
//! Bare, a path ends before the first character other than letters, digits, `_`, `-`, `.` and `/`, and without the dots
//! that end a sentence. In braces any path can stand. A backslash before a reference makes it text. What is put
//! in is not looked at again: a value that holds a reference stays as it is, so there is no circle.

use std::collections::{BTreeSet, HashMap};

use hqv_model::{SecretBytes, SecretPath};

/// What a reference begins with.
pub const SCHEME: &str = "hqv://";

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// To be kept as it is.
    Text(&'a [u8]),
    /// To be replaced by this secret's value.
    Secret(SecretPath),
}

/// A reference that names no secret.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong with it, as the end of a sentence about the line.
    pub what: &'static str,
}

/// Takes a text apart.
///
/// # Errors
/// The first reference that is none.
pub fn split(text: &[u8]) -> Result<Vec<Part<'_>>, Wrong> {
    let mut parts = Vec::new();
    // Where text that is kept began, and from where on to look.
    let (mut kept, mut from) = (0, 0);
    while let Some(at) = find(text, from) {
        let wrong = |what| Wrong { line: 1 + count_lines(text.get(..at).unwrap_or_default()), what };
        let after = at + SCHEME.len();
        let open = braces_before(text, kept, at);
        let start = open.unwrap_or(at);
        if start > kept && text.get(start - 1) == Some(&b'\\') {
            push(&mut parts, text, kept, start - 1);
            (kept, from) = (start, after);
            continue;
        }
        let rest = text.get(after..).unwrap_or_default();
        let (path, end) = match open {
            Some(_) => enclosed(rest).ok_or_else(|| wrong("opens a reference that is not closed by }}"))?,
            None => bare(rest),
        };
        let path = std::str::from_utf8(path).ok().and_then(|path| SecretPath::parse(path).ok());
        let path = path.ok_or_else(|| wrong("holds a reference that names no path"))?;
        push(&mut parts, text, kept, start);
        parts.push(Part::Secret(path));
        (kept, from) = (after + end, after + end);
    }
    push(&mut parts, text, kept, text.len());
    Ok(parts)
}

/// The value of a variable: where it begins with a reference and no brace, all of it is the path.
///
/// # Errors
/// As [`split`].
pub fn split_value(value: &[u8]) -> Result<Vec<Part<'_>>, Wrong> {
    let Some(path) = value.strip_prefix(SCHEME.as_bytes()) else { return split(value) };
    let path = std::str::from_utf8(path).ok().and_then(|path| SecretPath::parse(path).ok());
    let path = path.ok_or(Wrong { line: 1, what: "holds a reference that names no path" })?;
    Ok(vec![Part::Secret(path)])
}

/// The secrets that stand in it.
pub fn secrets<'a>(parts: &'a [Part<'_>]) -> BTreeSet<&'a SecretPath> {
    let secret = |part: &'a Part<'_>| match part {
        Part::Secret(path) => Some(path),
        Part::Text(_) => None,
    };
    parts.iter().filter_map(secret).collect()
}

/// Puts the values in. None where one is not there.
pub fn filled(parts: &[Part<'_>], values: &HashMap<SecretPath, SecretBytes>) -> Option<SecretBytes> {
    let pieces: Option<Vec<&[u8]>> = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => Some(*text),
            Part::Secret(path) => values.get(path).map(SecretBytes::reveal),
        })
        .collect();
    let pieces = pieces?;
    // Of its size from the start, so that no shorter buffer with values is left behind.
    let mut all = Vec::with_capacity(pieces.iter().map(|piece| piece.len()).sum());
    pieces.iter().for_each(|piece| all.extend_from_slice(piece));
    Some(SecretBytes::from_vec(all))
}

fn push<'a>(parts: &mut Vec<Part<'a>>, text: &'a [u8], from: usize, to: usize) {
    if let Some(text) = text.get(from..to).filter(|text| !text.is_empty()) {
        parts.push(Part::Text(text));
    }
}

fn find(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.windows(SCHEME.len()).position(|window| window == SCHEME.as_bytes()).map(|at| from + at)
}

fn count_lines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Where `{{` and blanks stand right before `at`, and not before `kept`.
fn braces_before(text: &[u8], kept: usize, at: usize) -> Option<usize> {
    let before = text.get(kept..at)?;
    let blanks = before.iter().rev().take_while(|byte| is_blank(**byte)).count();
    let open = before.len().checked_sub(blanks + 2)?;
    (before.get(open..open + 2)? == b"{{").then_some(kept + open)
}

/// The path up to `}}` on the same line, and where what follows begins.
fn enclosed(rest: &[u8]) -> Option<(&[u8], usize)> {
    let line = rest.split(|byte| *byte == b'\n').next()?;
    let close = line.windows(2).position(|window| window == b"}}")?;
    let path = line.get(..close)?;
    let blanks = path.iter().rev().take_while(|byte| is_blank(**byte)).count();
    Some((path.get(..path.len() - blanks)?, close + 2))
}

fn bare(rest: &[u8]) -> (&[u8], usize) {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./".contains(byte);
    let long = rest.iter().take_while(|byte| plain(byte)).count();
    let path = rest.get(..long).unwrap_or_default();
    let dots = path.iter().rev().take_while(|byte| **byte == b'.').count();
    (path.get(..long - dots).unwrap_or_default(), long - dots)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Part<'_> {
        Part::Text(text.as_bytes())
    }

    fn secret<'a>(path: &str) -> Part<'a> {
        Part::Secret(SecretPath::parse(path).unwrap())
    }

    #[test]
    fn references_are_found_where_they_stand() {
        let all: [(&str, Vec<Part<'_>>); 9] = [
            ("", vec![]),
            ("a: hqv://a/b\n", vec![text("a: "), secret("a/b"), text("\n")]),
            ("See hqv://a/b.c... Yes", vec![text("See "), secret("a/b.c"), text("... Yes")]),
            ("\"hqv://a/b\",", vec![text("\""), secret("a/b"), text("\",")]),
            ("postgres://u:{{hqv://db/pw}}@h", vec![text("postgres://u:"), secret("db/pw"), text("@h")]),
            ("{{  hqv://my app/a#1\t}}", vec![secret("my app/a#1")]),
            ("\\hqv://a \\{{ hqv://b }}", vec![text("hqv://a "), text("{{ hqv://b }}")]),
            ("{{hqv://a}}{{hqv://a}}", vec![secret("a"), secret("a")]),
            ("{{ x }} hqv:/ /a", vec![text("{{ x }} hqv:/ /a")]),
        ];
        for (template, parts) in all {
            assert_eq!(split(template.as_bytes()).unwrap(), parts, "{template}");
        }
    }

    #[test]
    fn what_names_nothing_is_told_with_its_line() {
        for (template, line, what) in [
            ("\n\nhqv:// x", 3, "no path"),
            ("hqv://a//b", 1, "no path"),
            ("a\n{{ hqv://a\n}}", 2, "not closed"),
            ("{{hqv://}}", 1, "no path"),
        ] {
            let wrong = split(template.as_bytes()).unwrap_err();
            assert!(wrong.line == line && wrong.what.contains(what), "{template}: {wrong:?}");
        }
    }

    #[test]
    fn a_variable_that_begins_with_a_reference_is_one() {
        assert_eq!(split_value(b"hqv://my app/a#1").unwrap(), [secret("my app/a#1")]);
        assert_eq!(split_value(b"x hqv://a").unwrap(), [text("x "), secret("a")]);
        assert!(split_value(b"hqv://").is_err());
    }

    #[test]
    fn a_value_that_holds_a_reference_is_not_looked_at_again() {
        let parts = split(b"<hqv://a>").unwrap();
        let path = SecretPath::parse("a").unwrap();
        let values = HashMap::from([(path, SecretBytes::from_slice(b"hqv://a"))]);
        assert_eq!(filled(&parts, &values).unwrap().reveal(), b"<hqv://a>");
        assert!(filled(&parts, &HashMap::new()).is_none());
    }

    #[test]
    fn a_large_template_takes_no_longer_than_its_size() {
        let template = "{{hqv://a}}".repeat(90_000);
        assert_eq!(split(template.as_bytes()).unwrap().len(), 90_000);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_apart_without_loss(pieces in prop::collection::vec(
            prop_oneof![Just("hqv://".to_owned()), Just("{{".to_owned()), Just("}}".to_owned()), Just("\\".to_owned()),
                        Just("\n".to_owned()), "[a-z/. ]{0,4}", any::<char>().prop_map(String::from)], 0..12)) {
            let template = pieces.concat();
            if let Ok(parts) = split(template.as_bytes()) {
                let kept: usize = parts.iter().map(|part| match part { Part::Text(text) => text.len(), Part::Secret(_) => 0 }).sum();
                prop_assert!(kept <= template.len());
                if !template.contains("hqv://") {
                    prop_assert_eq!(kept, template.len());
                }
            }
        }
    }
}
