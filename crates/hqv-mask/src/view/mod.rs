//! The text with one kind of encoding turned back.
//!
//! What an encoder writes for a byte or a character is a token. Tokens are found from left to right and by nothing but
//! their own bytes, so that a view can be taken up again at any border between two of them: that is all a
//! stream has to remember.
//!
//! | view | turned back |
//! |---|---|
//! | `Wrap` | a line break and the indentation after it are taken out |
//! | `Percent`, `Plus`, `PercentTwice` | `%2B`; with `+` for a blank; `%252B` |
//! | `Backslash`, `BackslashTwice` | escapes of JSON, C, Python, Rust and the shells; a string within a string |
//! | `BackslashWrap` | line breaks that are themselves escaped (`\n` in JSON) are taken out |
//! | `Quote`, `BackslashQuote` | a `'` within `'...'` of a shell, where a backslash is one; the same in a string |
//! | `Html` | entities of HTML and XML |
//!
//! Turning all of a text back ten times would be slow, and nearly always in vain. `runs` does it only
//! around tokens and only as far as what comes out still looks like a part of some pattern.

mod backslash;
mod html;
mod percent;
mod quote;
mod run;
mod runs;
mod twice;
mod wrap;

use crate::prefix::Next;

pub(crate) use run::Run;
pub(crate) use runs::{Round, View};

/// The places that lead to [`Kind::Plus`].
pub(crate) fn plusses<'a>(
    text: &'a [u8],
    grams: &'a crate::grams::Grams,
) -> impl Iterator<Item = (Kind, usize)> + 'a {
    percent::plusses(text, grams).map(|place| (Kind::Plus, place))
}

/// How a text is turned back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Wrap,
    Percent,
    PercentTwice,
    Plus,
    Backslash,
    BackslashTwice,
    BackslashWrap,
    BackslashQuote,
    Quote,
    Html,
}

/// What comes next in a text.
#[derive(Debug)]
pub(crate) enum Step {
    /// Bytes that stand for others, at most four of them. `own`: the view that reads the text first has it otherwise.
    Token { start: usize, len: usize, bytes: [u8; 4], count: usize, own: bool },
    /// The text ends in what may become a token, beginning here. `next`: what byte it may then stand for.
    Cut { start: usize, next: Option<Next> },
}

impl Step {
    fn byte(start: usize, len: usize, byte: u8) -> Step {
        Step::Token { start, len, bytes: [byte, 0, 0, 0], count: 1, own: true }
    }

    fn character(start: usize, len: usize, character: char) -> Step {
        let mut bytes = [0; 4];
        let count = character.encode_utf8(&mut bytes).len();
        Step::Token { start, len, bytes, count, own: true }
    }

    fn nothing(start: usize, len: usize) -> Step {
        Step::Token { start, len, bytes: [0; 4], count: 0, own: true }
    }

    /// The same, of the first reading.
    fn carried(mut self) -> Step {
        if let Step::Token { own, .. } = &mut self {
            *own = false;
        }
        self
    }

    /// A cut that may stand for any byte.
    fn cut(start: usize) -> Step {
        Step::Cut { start, next: Some(Next::ANY) }
    }
}

impl Kind {
    /// The next token, or what may become one, from `at` on. `last`: no more text will come.
    #[inline(always)]
    pub(crate) fn step(self, text: &[u8], mut at: usize, last: bool) -> Option<Step> {
        loop {
            // Where one token follows another, calling the search would be most of the work.
            let found = if self.begins(*text.get(at)?) {
                at
            } else {
                let rest = text.get(at..)?;
                at + match self {
                    Kind::Wrap => wrap::find(rest, last),
                    Kind::Percent | Kind::PercentTwice => percent::find(rest),
                    Kind::Plus => percent::find_plus(rest),
                    Kind::Backslash | Kind::BackslashTwice | Kind::BackslashWrap => backslash::find(rest),
                    Kind::BackslashQuote => quote::find_in_string(rest),
                    Kind::Quote => quote::find(rest),
                    Kind::Html => html::find(rest),
                }?
            };
            let step = self.read(text, at, found, last);
            if step.is_some() {
                return step;
            }
            at = found + 1;
        }
    }

    /// What stands at `found`. `from`: where the token before it ended.
    #[inline(always)]
    fn read(self, text: &[u8], from: usize, found: usize, last: bool) -> Option<Step> {
        match self {
            Kind::Wrap => wrap::read(text, from, found, last),
            Kind::Percent => percent::read(text, found, last),
            Kind::PercentTwice => twice::read(percent::read, percent::read, text, found, last),
            Kind::Plus => percent::read_plus(text, found, last),
            Kind::Backslash => backslash::read(text, found, last),
            Kind::BackslashTwice => twice::read(backslash::read, backslash::read, text, found, last),
            Kind::BackslashWrap => twice::read_wrap(backslash::read, text, found, last),
            Kind::BackslashQuote => twice::read(backslash::read, quote::read, text, found, last),
            Kind::Quote => quote::read(text, found, last),
            Kind::Html => html::read(text, found, last),
        }
    }

    #[inline(always)]
    fn begins(self, byte: u8) -> bool {
        match self {
            Kind::Wrap => byte == b'\n',
            Kind::Percent | Kind::PercentTwice => byte == b'%',
            Kind::Plus => matches!(byte, b'%' | b'+'),
            Kind::Backslash | Kind::BackslashTwice | Kind::BackslashWrap => matches!(byte, b'\\' | b'$'),
            Kind::BackslashQuote => matches!(byte, b'\\' | b'$' | b'\''),
            Kind::Quote => byte == b'\'',
            Kind::Html => byte == b'&',
        }
    }

    /// The view that this one reads again. It is worth a look only where that one has met certain tokens, and up
    /// to there has the same borders.
    pub(crate) fn first_reading(self) -> Option<Kind> {
        match self {
            Kind::PercentTwice | Kind::Plus => Some(Kind::Percent),
            Kind::BackslashTwice | Kind::BackslashWrap | Kind::BackslashQuote => Some(Kind::Backslash),
            Kind::Wrap | Kind::Percent | Kind::Backslash | Kind::Quote | Kind::Html => None,
        }
    }

    /// The views that read this one again.
    fn read_again(self) -> &'static [Kind] {
        match self {
            Kind::Percent => &[Kind::PercentTwice],
            Kind::Backslash => &[Kind::BackslashTwice, Kind::BackslashWrap, Kind::BackslashQuote],
            _ => &[],
        }
    }

    /// Calls `lead` with the views that a token leads to, and where they shall try to read. `floor`: where the token before
    /// it ended.
    #[inline(always)]
    fn leads_to(
        self,
        text: &[u8],
        floor: usize,
        start: usize,
        bytes: &[u8],
        mut lead: impl FnMut(Kind, usize),
    ) {
        let plain = |back: usize| {
            start.checked_sub(back).filter(|place| *place >= floor).and_then(|place| text.get(place))
        };
        match (self, bytes) {
            (Kind::Percent, b"%") => lead(Kind::PercentTwice, start),
            (Kind::Backslash, b"\r" | b"\n") => lead(Kind::BackslashWrap, start),
            (Kind::Backslash, b"\\" | b"$" | b"\"" | b"'") => {
                // A quote that is no token may begin one of the second reading.
                if plain(1) == Some(&b'\'') {
                    lead(Kind::BackslashQuote, start - 1);
                    if plain(2) == Some(&b'$') {
                        lead(Kind::BackslashTwice, start - 2);
                    }
                }
                if bytes == b"'" {
                    if plain(1) == Some(&b'$') {
                        lead(Kind::BackslashTwice, start - 1);
                    }
                    lead(Kind::BackslashQuote, start);
                } else if bytes != b"\"" {
                    lead(Kind::BackslashTwice, start);
                }
            }
            _ => {}
        }
    }
}
