//! What is encoded twice: a string of JSON within one, `%252B`, and lines broken within a string.
//!
//! The text is turned back once, as far as one token can be long, and read again. Tokens of this view are what the
//! second reading finds, and what the first one found where the second finds nothing.

use super::Step;
use super::wrap::INDENT;

/// How far the first reading goes, in steps: most tokens of the second are short, and none is as long as the last.
const STEPS: [usize; 4] = [2, 3, 6, LONGEST];
const LONGEST: usize = 16;

type Read = fn(&[u8], usize, bool) -> Option<Step>;

/// The start of a text turned back once.
struct Once {
    bytes: [u8; LONGEST + 4],
    /// Where each byte's token ends in the text.
    ends: [usize; LONGEST + 4],
    count: usize,
    /// Where in the text the next token is.
    place: usize,
    /// The text ends here, or within the next token.
    ended: bool,
}

impl Once {
    fn from(at: usize) -> Once {
        Once { bytes: [0; LONGEST + 4], ends: [0; LONGEST + 4], count: 0, place: at, ended: false }
    }

    /// Reads on until `count` bytes are known, or the text ends.
    fn read_on(&mut self, read: Read, text: &[u8], count: usize, last: bool) {
        while self.count < count && !self.ended {
            match read(text, self.place, last) {
                Some(Step::Cut { .. }) => self.ended = true,
                Some(Step::Token { len, bytes, count, .. }) => {
                    self.place += len;
                    bytes.iter().take(count).for_each(|byte| self.add(*byte));
                }
                None => match text.get(self.place) {
                    Some(byte) => {
                        self.place += 1;
                        self.add(*byte);
                    }
                    None => self.ended = true,
                },
            }
        }
    }

    fn add(&mut self, byte: u8) {
        if let (Some(to), Some(end)) = (self.bytes.get_mut(self.count), self.ends.get_mut(self.count)) {
            (*to, *end) = (byte, self.place);
            self.count += 1;
        }
    }

    fn known(&self) -> &[u8] {
        self.bytes.get(..self.count).unwrap_or_default()
    }

    /// The token of the second reading as one of the text. Where it ends within a character of the first, the rest
    /// of that character comes with it.
    fn token(&self, start: usize, len: usize, mut bytes: [u8; 4], mut count: usize) -> Option<Step> {
        let end = *self.ends.get(len.checked_sub(1)?)?;
        let rest =
            self.ends.iter().zip(&self.bytes).take(self.count).skip(len).take_while(|(to, _)| **to == end);
        for (_, byte) in rest {
            *bytes.get_mut(count)? = *byte;
            count += 1;
        }
        Some(Step::Token { start, len: end - start, bytes, count, own: true })
    }
}

/// A token of the second reading at `at`, or one of the first.
pub(super) fn read(first: Read, second: Read, text: &[u8], at: usize, last: bool) -> Option<Step> {
    // Most tokens of the first reading begin none of the second, and nothing else does but quotes.
    let token = first(text, at, last);
    match token {
        Some(Step::Token { bytes: [b'\\' | b'\'' | b'$' | b'%', ..], .. }) => {}
        None if matches!(text.get(at), Some(b'\'' | b'$')) => {}
        Some(Step::Cut { .. }) => return Some(Step::cut(at)),
        _ => return token.map(Step::carried),
    }
    let mut once = Once::from(at);
    for count in STEPS {
        once.read_on(first, text, count, last);
        let all = if once.ended { last } else { count == LONGEST };
        match second(once.known(), 0, all) {
            Some(Step::Token { len, bytes, count, .. }) => return once.token(at, len, bytes, count),
            Some(Step::Cut { .. }) if once.ended => return Some(Step::cut(at)),
            Some(Step::Cut { .. }) => {}
            None => return token.map(Step::carried),
        }
    }
    token.map(Step::carried)
}

/// A line break that is itself a token of the first reading, with the blanks after it; else such a token.
pub(super) fn read_wrap(read: Read, text: &[u8], at: usize, last: bool) -> Option<Step> {
    let first = read(text, at, last)?.carried();
    let Step::Token { len, bytes: [byte @ (b'\r' | b'\n'), ..], count: 1, .. } = first else {
        return Some(first);
    };
    let mut place = at + len;
    if byte == b'\r' {
        match read(text, place, last) {
            Some(Step::Token { len, bytes: [b'\n', ..], count: 1, .. }) => place += len,
            Some(Step::Cut { .. }) => return Some(Step::Cut { start: at, next: None }),
            None if place >= text.len() && !last => return Some(Step::Cut { start: at, next: None }),
            _ => return Some(first),
        }
    }
    for _ in 0..=INDENT {
        let (byte, len) = match read(text, place, last) {
            Some(Step::Token { len, bytes: [byte, ..], .. }) => (byte, len),
            Some(Step::Cut { .. }) => return Some(Step::Cut { start: at, next: None }),
            None => match text.get(place) {
                Some(byte) => (*byte, 1),
                None if last => return Some(first),
                None => return Some(Step::Cut { start: at, next: None }),
            },
        };
        match byte {
            b' ' | b'\t' => place += len,
            b'\r' | b'\n' => return Some(first),
            _ => return Some(Step::nothing(at, place - at)),
        }
    }
    Some(first)
}
