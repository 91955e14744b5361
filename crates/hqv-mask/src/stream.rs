//! A stream: text arrives in pieces, leaves masked.
//!
//! What is not decided yet stays in one buffer, which begins where the first of the values that may still be
//! complete begins. Each piece is a round: search the buffer and its views, find out what may still become a
//! value, let out the rest. Where a view of the buffer begins is remembered, or a half escape would be read
//! as something else.

use std::sync::Arc;

use zeroize::Zeroize;

use crate::masker::Parts;
use crate::view::{self, Kind, Round, Run, View};

/// Bytes of one round: buffer, views and tables stay in the cache.
const ROUND: usize = 64 << 10;

/// The views. One that reads twice comes after the one that leads to it.
const VIEWS: [Kind; 10] = [
    Kind::Wrap,
    Kind::Percent,
    Kind::PercentTwice,
    Kind::Plus,
    Kind::Backslash,
    Kind::BackslashTwice,
    Kind::BackslashWrap,
    Kind::BackslashQuote,
    Kind::Quote,
    Kind::Html,
];

/// One stream of bytes. What it holds is wiped when dropped.
pub struct Stream {
    parts: Arc<Parts>,
    /// What is not decided, behind what is out already and kept because its meaning is open.
    buffer: Vec<u8>,
    /// How much at the start of the buffer is out.
    out: usize,
    /// Up to where the buffer is hidden behind a replacement that is out.
    hidden: usize,
    /// What the buffer ends with may be a value from here on.
    open: usize,
    views: [View; VIEWS.len()],
    run: Run,
    found: Vec<(usize, usize)>,
}

impl Stream {
    pub(crate) fn new(parts: Arc<Parts>) -> Stream {
        Stream {
            parts,
            buffer: Vec::with_capacity(2 * ROUND),
            out: 0,
            hidden: 0,
            open: 0,
            views: Default::default(),
            run: Run::default(),
            found: Vec::new(),
        }
    }

    /// Takes the next bytes in and adds to `out` what is decided. Held back is only what may still be the
    /// beginning of a value.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.parts.patterns.is_empty() {
            out.extend_from_slice(bytes);
            return;
        }
        for piece in bytes.chunks(ROUND) {
            self.take(piece);
            self.round(false, out);
        }
    }

    /// Nothing more will come: adds the rest to `out`.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.round(true, out);
    }

    /// How many bytes are held back.
    pub fn held(&self) -> usize {
        self.buffer.len() - self.out.max(self.hidden).min(self.buffer.len())
    }

    /// The program says nothing more for now, and somebody sits at a terminal and waits for what is held back: a prompt,
    /// an echo, the end of a line. Lets out up to three bytes of what may become a value (a sixth of the shortest form
    /// of any, if that is less) and the line end after them. If it becomes one, the rest of it is hidden all the same.
    ///
    /// Not for a pipe or a file: nobody waits there for half a word, and a value would reach it without its end hidden.
    pub fn idle(&mut self, out: &mut Vec<u8>) {
        let held = self.buffer.get(self.open..).unwrap_or_default();
        let mut shown = held.len().min(self.parts.idle);
        if held.get(shown..).unwrap_or_default().iter().all(u8::is_ascii_whitespace) {
            shown = held.len();
        }
        let upto = self.open + shown;
        let from = self.out.max(self.hidden);
        if let Some(bytes) = self.buffer.get(from..upto) {
            out.extend_from_slice(bytes);
            self.out = upto;
        }
    }

    /// The buffer grows by a copy that leaves nothing behind.
    fn take(&mut self, piece: &[u8]) {
        let needed = self.buffer.len() + piece.len();
        if needed > self.buffer.capacity() {
            let mut larger = Vec::with_capacity(needed.next_power_of_two());
            larger.extend_from_slice(&self.buffer);
            self.buffer.zeroize();
            self.buffer = larger;
        }
        self.buffer.extend_from_slice(piece);
    }

    fn round(&mut self, last: bool, out: &mut Vec<u8>) {
        let parts = Arc::clone(&self.parts);
        let (text, found) = (&self.buffer, &mut self.found);
        found.clear();
        parts.filter.search(&parts.patterns, text, |start, end| found.push((start, end)));
        let open = if last { None } else { parts.prefixes.open(&parts.patterns, text, None) };
        let (open, keep) = (open.unwrap_or(text.len()), text.len());
        let mut round =
            Round { parts: &parts, text, last, found, open, keep, leads: Vec::new(), grams: &parts.escaped };
        if parts.blanks {
            round.leads.extend(view::plusses(text, &parts.escaped));
        }
        for (number, kind) in VIEWS.into_iter().enumerate() {
            let (before, after) = self.views.split_at_mut(number);
            let Some(view) = after.first_mut() else { break };
            round.grams = if kind == Kind::Wrap { &parts.grams } else { &parts.escaped };
            match first_reading(before, kind) {
                None => view.look(kind, &mut self.run, &mut round),
                Some(first) => view.look_where_led(kind, first, &mut self.run, &mut round),
            }
        }
        let (open, keep) = (round.open, round.keep);
        self.let_out(&parts, open, out);
        self.drop_before(keep.min(open));
    }

    /// Adds to `out` everything before `open`, with what was found replaced.
    fn let_out(&mut self, parts: &Parts, open: usize, out: &mut Vec<u8>) {
        self.found.sort_unstable();
        for &(start, end) in self.found.iter().filter(|(start, _)| *start < open) {
            if end <= self.hidden {
                continue;
            }
            // What overlaps with the last one is one with it.
            if start >= self.hidden {
                let plain = self.buffer.get(self.out.max(self.hidden)..start);
                out.extend_from_slice(plain.unwrap_or_default());
                out.extend_from_slice(&parts.replacement);
            }
            self.hidden = end;
        }
        let from = self.out.max(self.hidden);
        out.extend_from_slice(self.buffer.get(from..open).unwrap_or_default());
        self.out = self.out.max(open);
        self.open = open;
    }

    fn drop_before(&mut self, keep: usize) {
        for (number, kind) in VIEWS.into_iter().enumerate() {
            let (before, after) = self.views.split_at_mut(number);
            if let Some(view) = after.first_mut() {
                view.drop_before(keep, first_reading(before, kind).map(|(_, view)| view));
            }
        }
        self.buffer.copy_within(keep.., 0);
        self.buffer.truncate(self.buffer.len() - keep);
        self.out -= keep.min(self.out);
        self.hidden -= keep.min(self.hidden);
        self.open -= keep.min(self.open);
    }
}

/// The view that one of this kind reads again.
fn first_reading(views: &[View], kind: Kind) -> Option<(Kind, &View)> {
    let first = kind.first_reading()?;
    VIEWS.into_iter().zip(views).find(|(kind, _)| *kind == first)
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}
