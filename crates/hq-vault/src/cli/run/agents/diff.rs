//! What a change does to a file, as `diff -u` writes it, for people to look at.

use std::fmt::Write;

/// How many unchanged lines stand around a change.
const AROUND: usize = 3;

/// The longest part for which single lines are compared; a longer one is shown as taken away and added whole.
const COMPARED: usize = 1_000;

/// One line of the comparison, with its mark.
type Marked<'a> = (char, &'a str);

/// The difference between two texts of one file; empty where there is none. `None` is a file that is not there.
pub fn unified(name: &str, before: Option<&[u8]>, after: Option<&[u8]>) -> String {
    if before == after {
        return String::new();
    }
    let (old, new) = (text(before), text(after));
    let marked = compare(&lines(&old), &lines(&new));
    let side =
        |letter: char, there: bool| if there { format!("{letter}/{name}") } else { "/dev/null".to_owned() };
    let mut out = format!("--- {}\n+++ {}\n", side('a', before.is_some()), side('b', after.is_some()));
    for hunk in hunks(&marked) {
        write_hunk(&mut out, &marked, hunk);
    }
    out
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Marked<'a>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let middle = |lines: &'_ [&'a str]| lines.get(..lines.len() - tail).unwrap_or_default().to_vec();
    let mut marked: Vec<Marked<'a>> = old.iter().take(head).map(|line| (' ', *line)).collect();
    marked.extend(compare_middle(&middle(old_rest), &middle(new_rest)));
    marked.extend(old_rest.iter().skip(old_rest.len() - tail).map(|line| (' ', *line)));
    marked
}

/// By the longest common subsequence.
fn compare_middle<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Marked<'a>> {
    if old.len().max(new.len()) > COMPARED {
        return old.iter().map(|l| ('-', *l)).chain(new.iter().map(|l| ('+', *l))).collect();
    }
    let common = common(old, new);
    let at = |i: usize, j: usize| common.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0);
    let (mut i, mut j, mut marked) = (0, 0, Vec::new());
    loop {
        match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if a == b => marked.push((' ', *a)),
            (Some(a), b) if b.is_none() || at(i + 1, j) >= at(i, j + 1) => {
                marked.push(('-', *a));
                i += 1;
                continue;
            }
            (_, Some(b)) => {
                marked.push(('+', *b));
                j += 1;
                continue;
            }
            _ => return marked,
        }
        (i, j) = (i + 1, j + 1);
    }
}

/// How many lines the rests from each place on have in common.
fn common(old: &[&str], new: &[&str]) -> Vec<Vec<usize>> {
    let mut rows = vec![vec![0; new.len() + 1]];
    for a in old.iter().rev() {
        let below = rows.last().cloned().unwrap_or_default();
        let mut row = vec![0; new.len() + 1];
        for (j, b) in new.iter().enumerate().rev() {
            let get = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(0);
            let longest = if a == b { get(&below, j + 1) + 1 } else { get(&below, j).max(get(&row, j + 1)) };
            if let Some(cell) = row.get_mut(j) {
                *cell = longest;
            }
        }
        rows.push(row);
    }
    rows.reverse();
    rows
}

/// The runs of lines to show: each change with what stands around it.
fn hunks(marked: &[Marked<'_>]) -> Vec<std::ops::Range<usize>> {
    let mut hunks: Vec<std::ops::Range<usize>> = Vec::new();
    for at in marked.iter().enumerate().filter(|(_, (mark, _))| *mark != ' ').map(|(at, _)| at) {
        let (from, to) = (at.saturating_sub(AROUND), (at + AROUND + 1).min(marked.len()));
        match hunks.last_mut() {
            Some(last) if last.end >= from => last.end = to,
            _ => hunks.push(from..to),
        }
    }
    hunks
}

fn write_hunk(out: &mut String, marked: &[Marked<'_>], hunk: std::ops::Range<usize>) {
    let count = |range: &[Marked<'_>], but: char| range.iter().filter(|(mark, _)| *mark != but).count();
    let (before, within) = (marked.get(..hunk.start), marked.get(hunk));
    let (before, within) = (before.unwrap_or_default(), within.unwrap_or_default());
    let place = |but: char| {
        let (first, lines) = (count(before, but), count(within, but));
        format!("{},{lines}", if lines == 0 { first } else { first + 1 })
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "@@ -{} +{} @@", place('+'), place('-'));
    for (mark, line) in within {
        let shown =
            hqv_model::escape_controls(line.strip_suffix('\n').unwrap_or(line)).replace("\\u{9}", "\t");
        let _ = writeln!(out, "{mark}{shown}");
        if !line.ends_with('\n') {
            out.push_str("\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(before: &str, after: &str) -> String {
        unified("f", Some(before.as_bytes()), Some(after.as_bytes()))
    }

    #[test]
    fn it_is_what_diff_writes() {
        assert_eq!(diff("a\n", "a\n"), "");
        let text: String = (1..=20).map(|n| format!("{n}\n")).collect();
        let changed = text.replace("\n5\n", "\nfive\n").replace("\n18\n", "\n");
        let expected = "--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -15,6 +15,5 @@\n 15\n 16\n \
                        17\n-18\n 19\n 20\n";
        assert_eq!(diff(&text, &changed), expected);
    }

    #[test]
    fn a_new_file_a_gone_one_and_a_last_line_without_an_end() {
        assert_eq!(
            unified("f", None, Some(b"a\nb")),
            "--- /dev/null\n+++ b/f\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n"
        );
        assert_eq!(unified("f", Some(b"a\n"), None), "--- a/f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n");
        assert!(diff("a", "a\n").contains("-a\n\\ No newline at end of file\n+a\n"));
    }

    #[test]
    fn in6_escapes_in_a_file_do_not_reach_the_terminal() {
        let shown = diff("a\x1b[2J\tb\r\n", "");
        assert!(!shown.contains('\x1b') && shown.contains("\\u{1b}[2J\tb\\u{d}"), "{shown}");
    }

    #[test]
    fn very_long_files_are_shown_too() {
        let (old, new) = ("x\n".repeat(3_000), "y\n".repeat(3_000));
        assert_eq!(diff(&old, &new).lines().count(), 6_003);
    }
}
