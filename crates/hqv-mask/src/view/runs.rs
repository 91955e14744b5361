//! Turning a text back where it may matter.
//!
//! A value that stands in a view and not in the text itself holds a token, and each four bytes in a row of it are
//! four bytes of a pattern. So each token begins a run: it grows to both sides while what comes out stands in
//! the set of all patterns' fours (`Grams`), and is searched when it ends. In most texts a token is dismissed after
//! two lookups; in a text of near misses each stretch is turned back once, by the view it was made for.

use super::run::Run;
use super::{Kind, Step};
use crate::grams::{GRAM, Grams};
use crate::masker::Parts;

/// A token that was read.
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) len: usize,
    pub(super) count: usize,
    bytes: [u8; 4],
}

impl Token {
    pub(super) fn end(&self) -> usize {
        self.start + self.len
    }

    #[inline(always)]
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.count).unwrap_or_default()
    }
}

/// Tokens of one length that follow each other. What they stand for is not kept: it may be a value.
#[derive(Clone, Copy)]
struct Chain {
    start: u32,
    end: u32,
    len: u32,
}

/// How far a view that reads again has come, and where its last token ended that the first reading does not have: from
/// there on the two have the same borders.
struct Read {
    at: usize,
    own: usize,
}

/// One view of a stream's buffer. The memory is used again from one round to the next.
#[derive(Default)]
pub(crate) struct View {
    /// Where in the buffer it begins: no token lies across.
    from: usize,
    /// What it has read in this round, in order.
    chains: Vec<Chain>,
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
    /// Looks through all of `round.text`. Each kind has its own code: which tokens there are is known to it.
    pub(crate) fn look(&mut self, kind: Kind, run: &mut Run, round: &mut Round) {
        self.chains.clear();
        run.reserve(round.text.len());
        match kind {
            Kind::Wrap => self.walk(Kind::Wrap, run, round),
            Kind::Percent => self.walk(Kind::Percent, run, round),
            Kind::Backslash => self.walk(Kind::Backslash, run, round),
            Kind::Quote => self.walk(Kind::Quote, run, round),
            Kind::Html => self.walk(Kind::Html, run, round),
            other => self.walk(other, run, round),
        }
    }

    #[inline(always)]
    fn walk(&mut self, kind: Kind, run: &mut Run, round: &mut Round) {
        let mut at = self.from;
        loop {
            match kind.step(round.text, at, round.last) {
                Some(Step::Token { start, len, bytes, count, .. }) => {
                    let token = Token { start, len, count, bytes };
                    run.grow(round, at, start);
                    run.take(round, at, &token, true);
                    let (text, leads) = (round.text, &mut round.leads);
                    kind.leads_to(text, at, start, token.bytes(), |other, place| leads.push((other, place)));
                    self.note(&token);
                    at = token.end();
                }
                Some(Step::Cut { start, next }) => {
                    round.keep = round.keep.min(start);
                    round.leads.extend(kind.read_again().iter().map(|other| (*other, start)));
                    run.grow(round, at, start);
                    return run.end(round, at, start, next);
                }
                None => {
                    let end = round.text.len();
                    run.grow(round, at, end);
                    return run.end(round, end, end, None);
                }
            }
        }
    }

    /// Looks at the places that the view of the first reading has led to, and as far around them as a run goes.
    pub(crate) fn look_where_led(
        &mut self,
        kind: Kind,
        first: (Kind, &View),
        run: &mut Run,
        round: &mut Round,
    ) {
        self.chains.clear();
        if !round.leads.iter().any(|(other, _)| *other == kind) {
            return;
        }
        run.reserve(round.text.len());
        match kind {
            Kind::PercentTwice => self.follow(Kind::PercentTwice, first, run, round),
            Kind::Plus => self.follow(Kind::Plus, first, run, round),
            Kind::BackslashTwice => self.follow(Kind::BackslashTwice, first, run, round),
            Kind::BackslashQuote => self.follow(Kind::BackslashQuote, first, run, round),
            other => self.follow(other, first, run, round),
        }
    }

    #[inline(always)]
    fn follow(&mut self, kind: Kind, first: (Kind, &View), run: &mut Run, round: &mut Round) {
        let leads = std::mem::take(&mut round.leads);
        let mut read = Read { at: self.from, own: self.from };
        for place in leads.iter().filter(|(other, _)| *other == kind).map(|(_, place)| *place) {
            let own = |step| !matches!(step, Some(Step::Token { own: false, .. }) | None);
            if place < read.at || !own(kind.read(round.text, read.at, place, round.last)) {
                continue;
            }
            // A run may have ended on the way here, and what it has read may belong to this one.
            read.at = back(round.grams, round.text, first, read.own, place);
            if !self.read_from(kind, &mut read, place, run, round) {
                break;
            }
        }
        round.leads = leads;
    }

    /// Reads on, at least to `place` and as far as the run goes. False at the end of the text.
    #[inline(always)]
    fn read_from(
        &mut self,
        kind: Kind,
        read: &mut Read,
        place: usize,
        run: &mut Run,
        round: &mut Round,
    ) -> bool {
        run.open = true;
        while run.open || read.at <= place {
            match kind.step(round.text, read.at, round.last) {
                Some(Step::Token { start, len, bytes, count, own }) => {
                    let token = Token { start, len, count, bytes };
                    run.grow(round, read.at, start);
                    run.take(round, read.at, &token, own);
                    self.note(&token);
                    read.at = token.end();
                    if own {
                        read.own = read.at;
                    }
                }
                Some(Step::Cut { start, next }) => {
                    round.keep = round.keep.min(start);
                    run.grow(round, read.at, start);
                    run.end(round, read.at, start, next);
                    return false;
                }
                None => {
                    let end = round.text.len();
                    run.grow(round, read.at, end);
                    run.end(round, end, end, None);
                    return false;
                }
            }
        }
        true
    }

    /// Remembers a token, unless it has been read before.
    #[inline(always)]
    fn note(&mut self, token: &Token) {
        let (start, end, len) = (token.start as u32, token.end() as u32, token.len as u32);
        match self.chains.last_mut() {
            Some(chain) if chain.end == start && chain.len == len => chain.end = end,
            Some(chain) if chain.end > start => {}
            _ => self.chains.push(Chain { start, end, len }),
        }
    }

    /// The first `keep` bytes of the buffer go. A token that lies across is not to be read from its middle.
    /// `first`: the view that this one reads again, with which it shares its borders where it has read nothing.
    pub(crate) fn drop_before(&mut self, keep: usize, first: Option<&View>) {
        let end = self.across(keep).or_else(|| first?.across(keep));
        self.from = end.unwrap_or(keep).max(self.from).saturating_sub(keep);
    }

    /// The end of the token that begins before `place` and ends behind it.
    fn across(&self, place: usize) -> Option<usize> {
        let after = self.chains.partition_point(|chain| chain.end as usize <= place);
        let chain = self.chains.get(after).filter(|chain| (chain.start as usize) < place)?;
        let (start, len) = (chain.start as usize, chain.len as usize);
        let whole = (place - start).next_multiple_of(len.max(1));
        Some(start + whole).filter(|end| *end != place)
    }
}

/// How far back from `place` a run may reach: three bytes of the first reading, or all that stand in patterns.
/// `floor`: where the last token of the second reading's own ended.
fn back(grams: &Grams, text: &[u8], (kind, first): (Kind, &View), floor: usize, place: usize) -> usize {
    let mut number = first.chains.partition_point(|chain| (chain.start as usize) < place);
    let (mut at, mut gram, mut count) = (place, 0_u32, 0);
    while at > floor {
        let chain = number.checked_sub(1).and_then(|number| first.chains.get(number));
        let before = at;
        match chain.filter(|chain| (chain.end as usize) >= at) {
            Some(chain) => {
                let start = at - chain.len as usize;
                if start < floor {
                    return at;
                }
                at = start;
                number -= usize::from(at <= chain.start as usize);
                let Some(Step::Token { bytes, count: some, .. }) = kind.read(text, at, at, true) else {
                    return before;
                };
                for byte in bytes.iter().take(some).rev() {
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
