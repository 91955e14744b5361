//! Lines joined: base64 and hex are broken at some width, and a long value at the width of a page.
//!
//! A break is LF or CRLF and at most 32 blanks, with something else behind it. Two breaks in a row are none:
//! what goes on after an empty line is another text, and what is held back stays bounded.

use super::Step;

/// The most blanks that a break takes in.
pub(super) const INDENT: usize = 32;

/// The next line feed; a return at the end of the text, while more may come.
pub(super) fn find(rest: &[u8], last: bool) -> Option<usize> {
    let feed = memchr::memchr(b'\n', rest);
    feed.or_else(|| rest.len().checked_sub(1).filter(|end| !last && rest.get(*end) == Some(&b'\r')))
}

/// Whether a break is at `feed`. `from`: where the token before it ended.
pub(super) fn read(text: &[u8], from: usize, feed: usize, last: bool) -> Option<Step> {
    if text.get(feed) == Some(&b'\r') {
        return Some(Step::Cut { start: feed, next: None });
    }
    let returned = feed > from && text.get(feed - 1) == Some(&b'\r');
    let start = feed - usize::from(returned);
    let behind = text.get(feed + 1..)?;
    let indent = behind.iter().take(INDENT + 1).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match behind.get(indent) {
        Some(b'\r' | b'\n') => None,
        _ if indent > INDENT => None,
        Some(_) => Some(Step::nothing(start, feed + 1 + indent - start)),
        None if last => None,
        None => Some(Step::Cut { start, next: None }),
    }
}
