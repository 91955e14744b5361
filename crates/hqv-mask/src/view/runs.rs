//! Turning a text back where it may matter.
//!
//! A value that stands in a view and not in the text itself holds a token, and each four bytes in a row of it are
//! four bytes of a pattern. So each token begins a run: it grows to both sides while what comes out stands in
//! the set of all patterns' fours (`Grams`), and is searched when it ends. In most texts a token is dismissed after
//! two lookups; in a text of near misses each stretch is turned back once, by the view it was made for.

use zeroize::Zeroize;

use super::{Kind, Step};
use crate::grams::{GRAM, Grams};
use crate::masker::Parts;
use crate::prefix::Next;

/// A token that was read.
#[derive(Clone, Copy)]
struct Token {
    start: u32,
    len: u8,
    count: u8,
    bytes: [u8; 4],
}

impl Token {
    fn end(&self) -> usize {
        self.start as usize + usize::from(self.len)
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.count)).unwrap_or_default()
    }
}

/// Where a stretch of a run came from.
#[derive(Clone, Copy)]
struct Span {
    /// Its place in the run.
    at: u32,
    /// The place in the text.
    from: u32,
    /// Bytes of the text for each byte of the run; 1 where they are the same.
    len: u32,
    /// All bytes of the stretch came from one token, of that length.
    one: bool,
}

/// One view of a stream's buffer. The memory is used again from one round to the next.
#[derive(Default)]
pub(crate) struct View {
    /// Where in the buffer it begins: no token lies across.
    from: usize,
    /// What it has read in this round, in order.
    tokens: Vec<Token>,
    run: Run,
}

/// What grows around tokens.
#[derive(Default)]
struct Run {
    data: Vec<u8>,
    spans: Vec<Span>,
    /// What is before that has been dismissed.
    begin: usize,
    /// Whether there is one.
    open: bool,
    /// The last byte that came with a token; a token without bytes counts as the byte before it.
    token: Option<usize>,
    /// The last four bytes.
    gram: u32,
}

/// What a round is about.
pub(crate) struct Round<'a> {
    pub(crate) parts: &'a Parts,
    /// The fours of what a view may hold.
    pub(crate) grams: &'a Grams,
    pub(crate) text: &'a [u8],
    /// No more text will come.
    pub(crate) last: bool,
    /// Start and end of what was found.
    pub(crate) found: &'a mut Vec<(usize, usize)>,
    /// From here on the text may end in a value.
    pub(crate) open: usize,
    /// From here on the meaning of the text is open.
    pub(crate) keep: usize,
    /// Where views that read twice shall begin, in order for each.
    pub(crate) leads: Vec<(Kind, usize)>,
}

impl View {
    /// Looks through all of `round.text`.
    pub(crate) fn look(&mut self, kind: Kind, round: &mut Round) {
        self.tokens.clear();
        self.run.close();
        match kind {
            Kind::Wrap => self.walk(round, kind, |text, at, last| Kind::Wrap.step(text, at, last)),
            Kind::Percent => self.walk(round, kind, |text, at, last| Kind::Percent.step(text, at, last)),
            Kind::Backslash => self.walk(round, kind, |text, at, last| Kind::Backslash.step(text, at, last)),
            _ => self.walk(round, kind, |text, at, last| kind.step(text, at, last)),
        }
    }

    #[inline(always)]
    fn walk(&mut self, round: &mut Round, kind: Kind, step: impl Fn(&[u8], usize, bool) -> Option<Step>) {
        let mut at = self.from;
        loop {
            match step(round.text, at, round.last) {
                Some(Step::Token { start, len, bytes, count, .. }) => {
                    let token = Token { start: start as u32, len: len as u8, count: count as u8, bytes };
                    self.run.grow(round, at, start);
                    self.run.take(round, at, &token, true);
                    let (text, leads) = (round.text, &mut round.leads);
                    kind.leads_to(text, at, start, token.bytes(), |other, place| leads.push((other, place)));
                    self.tokens.push(token);
                    at = start + len;
                }
                Some(Step::Cut { start, next }) => {
                    round.keep = round.keep.min(start);
                    round.leads.extend(kind.read_again().iter().map(|other| (*other, start)));
                    self.run.grow(round, at, start);
                    return self.run.end(round, at, start, next);
                }
                None => {
                    let end = round.text.len();
                    self.run.grow(round, at, end);
                    return self.run.end(round, end, end, None);
                }
            }
        }
    }

    /// Looks at the places that the view of the first reading has led to, and as far around them as a run goes.
    pub(crate) fn look_where_led(&mut self, kind: Kind, first: &View, round: &mut Round) {
        self.tokens.clear();
        self.run.close();
        let places: Vec<usize> =
            round.leads.iter().filter(|(other, _)| *other == kind).map(|(_, place)| *place).collect();
        let mut at = self.from;
        for place in places {
            let own = |step| !matches!(step, Some(Step::Token { own: false, .. }) | None);
            if place < at || !own(kind.read(round.text, at, place, round.last)) {
                continue;
            }
            let mut floor = at;
            at = back(round.grams, round.text, &first.tokens, at, place);
            self.run.open = true;
            while self.run.open || at <= place {
                match kind.step(round.text, at, round.last) {
                    Some(Step::Token { start, len, bytes, count, own }) => {
                        let token = Token { start: start as u32, len: len as u8, count: count as u8, bytes };
                        self.run.grow(round, at, start);
                        self.run.take(round, floor.max(at), &token, own);
                        self.tokens.push(token);
                        at = start + len;
                        floor = at;
                    }
                    Some(Step::Cut { start, next }) => {
                        round.keep = round.keep.min(start);
                        self.run.grow(round, at, start);
                        return self.run.end(round, at, start, next);
                    }
                    None => {
                        let end = round.text.len();
                        self.run.grow(round, at, end);
                        return self.run.end(round, end, end, None);
                    }
                }
            }
        }
    }

    /// The first `keep` bytes of the buffer go. A token that lies across is not to be read from its middle.
    /// `first`: the view that this one reads again, with which it shares its borders where it has read nothing.
    pub(crate) fn drop_before(&mut self, keep: usize, first: Option<&View>) {
        let across = |view: &View| {
            let after = view.tokens.partition_point(|token| token.end() <= keep);
            view.tokens.get(after).filter(|token| (token.start as usize) < keep).map(Token::end)
        };
        let end = across(self).or_else(|| across(first?));
        self.from = end.unwrap_or(keep).max(self.from).saturating_sub(keep);
    }
}

/// How far back from `place` a run may reach: three bytes of the first reading, or all that stand in patterns.
/// `floor`: where the last token of the second reading ended.
fn back(grams: &Grams, text: &[u8], tokens: &[Token], floor: usize, place: usize) -> usize {
    let mut number = tokens.partition_point(|token| (token.start as usize) < place);
    let (mut at, mut gram, mut count) = (place, 0_u32, 0);
    while at > floor {
        let token =
            number.checked_sub(1).and_then(|number| tokens.get(number)).filter(|token| token.end() == at);
        let before = at;
        match token {
            Some(token) if (token.start as usize) < floor => return at,
            Some(token) => {
                number -= 1;
                at = token.start as usize;
                for byte in token.bytes().iter().rev() {
                    (gram, count) = (gram << 8 | u32::from(*byte), count + 1);
                }
            }
            None => {
                at -= 1;
                (gram, count) = (gram << 8 | u32::from(text.get(at).copied().unwrap_or(0)), count + 1);
            }
        }
        if count >= GRAM && !grams.has(&gram.to_le_bytes()) {
            return before;
        }
    }
    at
}

impl Run {
    /// Adds text as it is, while there is a run. Three bytes are looked up one by one, for the fours that begin in
    /// what is there; then every fourth will do.
    #[inline(always)]
    fn grow(&mut self, round: &mut Round, from: usize, to: usize) {
        if self.open && from < to {
            self.grow_by(round, from, to);
        }
    }

    fn grow_by(&mut self, round: &mut Round, from: usize, to: usize) {
        let Some(text) = round.text.get(from..to) else { return };
        self.span(from, 1, false);
        let (first, rest) = text.split_at(text.len().min(GRAM - 1));
        for byte in first {
            if !self.add(round, *byte) {
                return;
            }
        }
        let dead = rest
            .chunks_exact(GRAM)
            .position(|four| !four.first_chunk().is_some_and(|gram| round.grams.has(gram)));
        match dead {
            None => {
                self.data.extend_from_slice(rest);
                if let Some(last) = self.data.last_chunk() {
                    self.gram = u32::from_le_bytes(*last);
                }
            }
            Some(fours) => {
                self.data.extend_from_slice(rest.get(..fours * GRAM + GRAM - 1).unwrap_or(rest));
                self.search(round, self.data.len());
                self.close();
            }
        }
    }

    /// Adds a token to the run, or begins one with it. `floor`: where the token before it ended.
    #[inline(always)]
    fn take(&mut self, round: &mut Round, floor: usize, token: &Token, own: bool) {
        if !self.open && (!own || !self.begin_with(round, floor, token)) {
            return;
        }
        if own {
            self.token = (self.data.len() + token.bytes().len()).checked_sub(1);
        }
        match token.bytes() {
            [] => {}
            [byte] => {
                self.span(token.start as usize, usize::from(token.len), false);
                self.add(round, *byte);
            }
            more => {
                self.span(token.start as usize, usize::from(token.len), true);
                for byte in more {
                    if !self.add(round, *byte) {
                        return;
                    }
                }
            }
        }
    }

    /// Begins a run before a token, unless no pattern has what stands around it. Three of the bytes before it
    /// belong to the run at first; all that stands in patterns, where the fourth does.
    fn begin_with(&mut self, round: &Round, floor: usize, token: &Token) -> bool {
        let (text, grams, start) = (round.text, round.grams, token.start as usize);
        let before = text.get(floor..start).unwrap_or_default();
        let after = text.get(token.end()..).unwrap_or_default();
        let bytes = token.bytes();
        let mut first = before.len().saturating_sub(GRAM - 1);
        let behind = bytes.first().or(after.first());
        match (before.last_chunk(), behind) {
            (Some(&[a, b, c]), Some(d)) if grams.has(&[a, b, c, *d]) => {
                while first > 0
                    && before
                        .get(first - 1..)
                        .and_then(<[u8]>::first_chunk)
                        .is_some_and(|four| grams.has(four))
                {
                    first -= 1;
                }
            }
            (Some(&[_, _, c]), Some(_)) if is_dead(grams, c, bytes, after) => return false,
            (None, _) if before.is_empty() && bytes.is_empty() => return false,
            _ => {}
        }
        let before = before.get(first..).unwrap_or_default();
        if !before.is_empty() {
            self.span(start - before.len(), 1, false);
            self.data.extend_from_slice(before);
            self.gram = before.iter().fold(0, |gram, byte| gram >> 8 | u32::from(*byte) << 24);
        }
        self.open = true;
        true
    }

    /// Adds a byte. Where no pattern has it after the three before it, what was there is searched, and the run goes on
    /// only if a token is among the last three bytes.
    #[inline(always)]
    fn add(&mut self, round: &mut Round, byte: u8) -> bool {
        self.data.push(byte);
        self.gram = self.gram >> 8 | u32::from(byte) << 24;
        let short = self.data.len() - self.begin < GRAM;
        short || round.grams.has(&self.gram.to_le_bytes()) || self.dismiss(round)
    }

    fn dismiss(&mut self, round: &mut Round) -> bool {
        let end = self.data.len();
        self.search(round, end - 1);
        self.begin = end + 1 - GRAM;
        if self.token.is_some_and(|token| token >= self.begin) {
            return true;
        }
        self.close();
        false
    }

    fn close(&mut self) {
        self.data.clear();
        self.spans.clear();
        self.begin = 0;
        self.token = None;
        self.open = false;
    }

    /// What is added next comes from `from` on, `len` bytes for each.
    #[inline]
    fn span(&mut self, from: usize, len: usize, one: bool) {
        let at = self.data.len();
        if let Some(span) = self.spans.last().filter(|span| !one && !span.one)
            && span.len as usize == len
            && span.from as usize + (at - span.at as usize) * len == from
        {
            return;
        }
        self.spans.push(Span { at: at as u32, from: from as u32, len: len as u32, one });
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
    fn end(&mut self, round: &mut Round, floor: usize, end: usize, next: Option<Next>) {
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
        match self.span_of(at) {
            Some(span) if span.one => span.from as usize,
            Some(span) => span.from as usize + (at - span.at as usize) * span.len as usize,
            None => 0,
        }
    }

    /// Where what ends before byte `at` of the run ends in the text.
    fn end_of(&self, at: usize) -> usize {
        match at.checked_sub(1).and_then(|before| self.span_of(before)) {
            Some(span) if span.one => (span.from + span.len) as usize,
            Some(span) => span.from as usize + (at - span.at as usize) * span.len as usize,
            None => 0,
        }
    }

    fn span_of(&self, at: usize) -> Option<&Span> {
        let after = self.spans.partition_point(|span| span.at as usize <= at);
        self.spans.get(after.checked_sub(1)?)
    }
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

impl Drop for View {
    fn drop(&mut self) {
        self.run.data.zeroize();
    }
}
