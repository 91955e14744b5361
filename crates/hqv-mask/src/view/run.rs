//! A run: what a view reads around a token, grown for as long as it may be a part of a pattern.
//!
//! Fours are looked up behind each token and at every eighth plain byte. A run that goes on for some bytes more than it
//! need is harmless; a lookup for each byte would be most of the work in a text of near misses.

use zeroize::Zeroize;

use super::runs::{Round, Token};
use crate::grams::{GRAM, Grams};
use crate::prefix::Next;

/// From one look at plain text within a run to the next.
const FAR: usize = 8;

/// Where a stretch of a run came from: a token, and the plain text that follows it up to the next one.
#[derive(Clone, Copy)]
struct Span {
    /// Its place in the run.
    at: u32,
    /// The place of the token in the text, and its bytes there.
    from: u32,
    len: u16,
    /// How many bytes of the run the token is.
    count: u16,
}

impl Span {
    /// Start and end in the text of what byte `at` of the run came from.
    fn place(&self, at: usize) -> (usize, usize) {
        let (from, end) = (self.from as usize, self.from as usize + usize::from(self.len));
        match (at - self.at as usize).checked_sub(usize::from(self.count)) {
            None => (from, end),
            Some(plain) => (end + plain, end + plain + 1),
        }
    }
}

/// What grows around tokens. One for all views of a stream: each leaves it closed.
#[derive(Default)]
pub(crate) struct Run {
    /// Decoded output, which may be a value: wiped when dropped, and where it grows.
    data: Vec<u8>,
    spans: Vec<Span>,
    /// What is before that has been dismissed.
    begin: usize,
    /// Whether there is one.
    pub(super) open: bool,
    /// Behind the last byte that came with a token; a token without bytes counts as the byte before it.
    token: usize,
    /// The last four bytes. Reading them from `data` would wait for each of them to be stored.
    gram: u32,
}

impl Run {
    /// Room for whatever a text of `len` bytes turns into: nothing is longer turned back than it was.
    pub(super) fn reserve(&mut self, len: usize) {
        if self.data.capacity() < len {
            self.data.zeroize();
            self.data = Vec::with_capacity(len.next_power_of_two());
        }
    }

    /// Adds text as it is, while there is a run.
    #[inline(always)]
    pub(super) fn grow(&mut self, round: &mut Round, from: usize, to: usize) {
        if self.open && from < to {
            self.grow_by(round, from, to);
        }
    }

    /// What no pattern has here holds no token, and ends the run.
    #[inline(always)]
    fn grow_by(&mut self, round: &mut Round, from: usize, to: usize) {
        if self.spans.is_empty() {
            self.span(from, 0, 0);
        }
        let Some(mut text) = round.text.get(from..to) else { return };
        if let Some((near, rest)) = text.split_at_checked(GRAM - 2).filter(|(_, rest)| rest.len() >= FAR) {
            near.iter().for_each(|byte| self.push(*byte));
            if !self.lives(round) {
                return;
            }
            text = rest;
        }
        match text.last_chunk() {
            None => text.iter().for_each(|byte| self.push(*byte)),
            Some(gram) if text.len() < FAR => match round.grams.has(gram) {
                true => {
                    text.iter().for_each(|byte| self.data.push(*byte));
                    self.gram = u32::from_le_bytes(*gram);
                }
                false => self.end_in(round, text),
            },
            Some(gram) => {
                let dead = |bytes: &[u8]| !bytes.first_chunk().is_some_and(|gram| round.grams.has(gram));
                match text.chunks_exact(FAR).position(dead) {
                    None => {
                        self.data.extend_from_slice(text);
                        self.gram = u32::from_le_bytes(*gram);
                    }
                    Some(chunk) => self.end_in(round, text.get(..chunk * FAR + GRAM).unwrap_or(text)),
                }
            }
        }
    }

    /// The run ends in plain text whose last four bytes no pattern has.
    fn end_in(&mut self, round: &mut Round, text: &[u8]) {
        self.data.extend_from_slice(text);
        self.search(round, self.data.len() - 1);
        self.close();
    }

    /// Adds a token to the run, or begins one with it. `floor`: where the token before it ended. `own`: not a token that
    /// another view reads, too; those begin no run.
    #[inline(always)]
    pub(super) fn take(&mut self, round: &mut Round, floor: usize, token: &Token, own: bool) {
        if !self.open && (!own || !self.begin_with(round, floor, token)) {
            return;
        }
        if own {
            self.token = self.data.len() + token.count;
        }
        self.span(token.start, token.len, token.count);
        token.bytes().iter().for_each(|byte| self.push(*byte));
        self.lives(round);
    }

    /// Begins a run before a token, unless no pattern has what stands around it. Three of the bytes before it
    /// belong to the run at first; all that stands in patterns, where the fourth does.
    fn begin_with(&mut self, round: &Round, floor: usize, token: &Token) -> bool {
        let (text, grams, start) = (round.text, round.grams, token.start);
        let before = text.get(floor..start).unwrap_or_default();
        let after = text.get(token.end()..).unwrap_or_default();
        let bytes = token.bytes();
        let mut first = before.len().saturating_sub(GRAM - 1);
        let behind = bytes.first().or(after.first());
        match (before.last_chunk(), behind) {
            (Some(&[a, b, c]), Some(d)) if grams.has(&[a, b, c, *d]) => first = back_to(grams, before, first),
            (Some(&[_, _, c]), Some(_)) if is_dead(grams, c, bytes, after) => return false,
            (None, _) if before.is_empty() && bytes.is_empty() => return false,
            _ => {}
        }
        let before = before.get(first..).unwrap_or_default();
        if !before.is_empty() {
            self.span(start - before.len(), 0, 0);
            self.data.extend_from_slice(before);
            self.gram = before.iter().fold(0, |gram, byte| gram >> 8 | u32::from(*byte) << 24);
        }
        self.open = true;
        true
    }

    /// Whether the run goes on after a look at its last four bytes.
    #[inline(always)]
    fn lives(&mut self, round: &mut Round) -> bool {
        self.data.len() - self.begin < GRAM
            || round.grams.has(&self.gram.to_le_bytes())
            || self.dismiss(round)
    }

    #[inline(always)]
    fn push(&mut self, byte: u8) {
        self.data.push(byte);
        self.gram = self.gram >> 8 | u32::from(byte) << 24;
    }

    /// No pattern has the last four bytes. What was there is searched, and the run goes on only if a token is among the
    /// last three.
    #[cold]
    fn dismiss(&mut self, round: &mut Round) -> bool {
        let end = self.data.len();
        self.search(round, end - 1);
        self.begin = end + 1 - GRAM;
        if self.token <= self.begin {
            self.close();
        }
        self.open
    }

    pub(super) fn close(&mut self) {
        self.data.clear();
        self.spans.clear();
        self.begin = 0;
        self.token = 0;
        self.open = false;
    }

    /// What is added next comes from `from` on: `count` bytes from `len` of the text, then plain ones.
    #[inline(always)]
    fn span(&mut self, from: usize, len: usize, count: usize) {
        let at = self.data.len() as u32;
        self.spans.push(Span { at, from: from as u32, len: len as u16, count: count as u16 });
    }

    /// Searches the run up to `end`.
    fn search(&mut self, round: &mut Round, end: usize) {
        let run = self.data.get(self.begin..end).unwrap_or_default();
        if run.len() < round.parts.shortest {
            return;
        }
        round.parts.filter.search(&round.parts.patterns, run, |from, to| {
            round.found.push((self.start_of(self.begin + from), self.end_of(self.begin + to)));
        });
    }

    /// The text ends at `end`, or goes on with `next`. `floor`: where the last token ended.
    pub(super) fn end(&mut self, round: &mut Round, floor: usize, end: usize, next: Option<Next>) {
        let (parts, text) = (round.parts, round.text);
        let open = |run: &[u8]| parts.prefixes.open(&parts.patterns, run, next);
        if self.open {
            self.search(round, self.data.len());
            let run = self.data.get(self.begin..).unwrap_or_default();
            if let Some(at) = open(run).filter(|_| !round.last) {
                let place = if at < run.len() { self.start_of(self.begin + at) } else { end };
                round.open = round.open.min(place);
            }
            self.close();
        } else if end < text.len() {
            let first = floor.max(end.saturating_sub(parts.prefixes.longest()));
            if let Some(at) = open(text.get(first..end).unwrap_or_default()) {
                round.open = round.open.min(first + at);
            }
        }
    }

    /// Where byte `at` of the run begins in the text.
    fn start_of(&self, at: usize) -> usize {
        self.place(at).map_or(0, |(start, _)| start)
    }

    /// Where what ends before byte `at` of the run ends in the text.
    fn end_of(&self, at: usize) -> usize {
        at.checked_sub(1).and_then(|before| self.place(before)).map_or(0, |(_, end)| end)
    }

    fn place(&self, at: usize) -> Option<(usize, usize)> {
        let after = self.spans.partition_point(|span| span.at as usize <= at);
        Some(self.spans.get(after.checked_sub(1)?)?.place(at))
    }
}

/// How far back from `first` the text may stand in a pattern. Of a four that does not, the last three bytes may.
fn back_to(grams: &Grams, before: &[u8], mut first: usize) -> usize {
    while let Some(four) = before.get(..first).and_then(<[u8]>::last_chunk) {
        if !grams.has(four) {
            return first - (GRAM - 1);
        }
        first -= GRAM;
    }
    0
}

/// Whether no pattern has a token and what follows it, where that is known to be no token. `before`: the byte before
/// it, which counts for a token without bytes.
fn is_dead(grams: &Grams, before: u8, bytes: &[u8], after: &[u8]) -> bool {
    let Some(&[a, b, c]) = after.first_chunk() else { return false };
    if [a, b, c].iter().any(|byte| b"%+\\'$&\r\n".contains(byte)) {
        return false;
    }
    match bytes {
        [] => !grams.has(&[before, a, b, c]),
        [byte] => !grams.has(&[*byte, a, b, c]),
        _ => false,
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.data.zeroize();
    }
}
