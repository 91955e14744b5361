//! What all four readers agree on, and where they do not: by line, by count and by shape, never by value.

use super::{Assignment, Problem, Reading, read};
use crate::transfer::Reader;
use hqv_model::{Result, SecretBytes};
use std::collections::{BTreeMap, BTreeSet};

/// A line of which the readers make different things.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// The line, from 1.
    pub line: usize,
    /// What each makes of it.
    pub what: String,
}

/// Reads a file as every reader does: one reading where they agree, or all lines on which they differ.
///
/// # Errors
/// As [`read`].
pub fn agreed(file: &[u8]) -> Result<std::result::Result<Reading, Vec<Difference>>> {
    let mut all = Vec::with_capacity(Reader::ALL.len());
    for reader in Reader::ALL {
        all.push((*reader, read(*reader, file)?));
    }
    let mut differences = Vec::new();
    if let Some(difference) = line_ends(file) {
        differences.push(difference);
        all.retain(|(reader, _)| *reader != Reader::Bash);
    }
    let lines: BTreeMap<Reader, BTreeMap<usize, Seen<'_>>> =
        all.iter().map(|(reader, reading)| (*reader, seen(reading))).collect();
    let numbers: BTreeSet<usize> = lines.values().flat_map(|lines| lines.keys().copied()).collect();
    for line in numbers {
        let each: Vec<_> = lines.iter().map(|(reader, lines)| (*reader, lines.get(&line))).collect();
        if let Some(what) = difference(&each) {
            differences.push(Difference { line, what });
        }
    }
    if !differences.is_empty() {
        return Ok(Err(differences));
    }
    Ok(Ok(all.into_iter().next().map(|(_, reading)| reading).unwrap_or_default()))
}

/// bash alone keeps the carriage returns of lines that end as Windows writes them.
fn line_ends(file: &[u8]) -> Option<Difference> {
    let mut lines = file.split(|b| *b == b'\n');
    let first = lines.position(|line| line.ends_with(b"\r"))?;
    let what = "and others end in CR LF; bash keeps the CR, node, dotenv and python drop it".to_owned();
    Some(Difference { line: first + 1, what })
}

#[derive(Clone, Copy)]
enum Seen<'a> {
    Value(&'a Assignment),
    Wrong(&'a Problem),
}

fn seen(reading: &Reading) -> BTreeMap<usize, Seen<'_>> {
    let values = reading.assignments.iter().map(|one| (one.line, Seen::Value(one)));
    values.chain(reading.problems.iter().map(|one| (one.line, Seen::Wrong(one)))).collect()
}

impl PartialEq for Seen<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Seen::Value(a), Seen::Value(b)) => a.name == b.name && a.value.reveal() == b.value.reveal(),
            (Seen::Wrong(_), Seen::Wrong(_)) => true,
            _ => false,
        }
    }
}

/// None where all see the same, or where all find it wrong: that is a problem and no difference.
fn difference(each: &[(Reader, Option<&Seen<'_>>)]) -> Option<String> {
    let (_, first) = each.first()?;
    if each.iter().all(|(_, seen)| seen == first) {
        return None;
    }
    let mut groups: Vec<(Vec<&str>, Option<&Seen<'_>>)> = Vec::new();
    for (reader, seen) in each {
        match groups.iter_mut().find(|(_, other)| other == seen && same_words(*other, *seen)) {
            Some((readers, _)) => readers.push(reader.as_str()),
            None => groups.push((vec![reader.as_str()], *seen)),
        }
    }
    let say = |(readers, seen): &(Vec<&str>, Option<&Seen<'_>>)| {
        format!("{}: {}", readers.join(", "), shape(*seen))
    };
    Some(groups.iter().map(say).collect::<Vec<_>>().join("; "))
}

fn same_words(one: Option<&Seen<'_>>, other: Option<&Seen<'_>>) -> bool {
    match (one, other) {
        (Some(Seen::Wrong(a)), Some(Seen::Wrong(b))) => a.what == b.what,
        _ => true,
    }
}

fn shape(seen: Option<&Seen<'_>>) -> String {
    match seen {
        None => "nothing".to_owned(),
        Some(Seen::Wrong(problem)) => problem.what.to_owned(),
        Some(Seen::Value(one)) => value_shape(&one.value),
    }
}

fn value_shape(value: &SecretBytes) -> String {
    let bytes = value.reveal();
    let lines = bytes.split(|b| *b == b'\n').count();
    let count = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let mut text = count(bytes.len(), "byte");
    if lines > 1 {
        text.push_str(&format!(" in {lines} lines"));
    }
    let quote = bytes.first().filter(|b| matches!(b, b'"' | b'\'' | b'`'));
    if bytes.len() > 1 && quote.is_some_and(|quote| bytes.last() == Some(quote)) {
        text.push_str(", quotes kept");
    }
    for (byte, noun) in [(b'\\', "backslash"), (b'#', "#")] {
        if bytes.contains(&byte) {
            text.push_str(&format!(", with {noun}"));
        }
    }
    text
}
