//! Where in a text a pattern may stand.
//!
//! Two thousand patterns do not fit into an automaton that fits into the cache, and an automaton reads every
//! byte. So each pattern is represented by one window of its bytes, the one that is rarest among all patterns.
//! A window of S + 7 bytes holds, however it lies, a block of eight bytes at a multiple of S; all S blocks of all
//! windows stand in a bitmap of 32 KiB. The text is tested at every S-th byte, and those tests do not wait for
//! each other. What passes is compared with the whole window, then with the whole pattern. With a short pattern among
//! them, blocks are of four bytes.
//!
//! Letters are compared without their case up to the last step (one bit is set in every byte), so that hex in
//! any case needs no more windows.

use crate::pattern::Pattern;

/// Bits of the hash that index the bitmap.
const BITS: u32 = 18;
/// Blocks of this many values of the hash share a bucket.
const SHARED: u32 = 4;
const WORDS: usize = 1 << (BITS - 6);
const BUCKETS: usize = 1 << (BITS - SHARED);
/// How many places of a pattern are tried for its window.
const TRIES: usize = 24;
const NO_CASE: u64 = 0x2020_2020_2020_2020;
/// Blocks and steps: the first for which the shortest pattern is long enough is taken.
const SHAPES: [(usize, usize); 4] = [(8, 9), (8, 5), (4, 5), (4, 3)];

/// A pattern's window, and its end: what is looked at before the pattern itself, in little memory.
struct Window {
    /// Up to eight bytes at the end of the window, without case.
    key: u64,
    /// The last four bytes that must be there, without case.
    tail: u32,
    /// From the start of the pattern to the window.
    start: u16,
    /// From the start of the window to the tail.
    ahead: u16,
}

/// One block of a window: the pattern's number, and how far from the start of the window the block is.
#[derive(Clone, Copy)]
struct Entry(u32);

impl Entry {
    /// No step is longer than this.
    const INSIDE: u32 = 16;

    fn new(pattern: u32, inside: usize) -> Entry {
        Entry(pattern * Entry::INSIDE + inside as u32)
    }

    fn pattern(self) -> usize {
        (self.0 / Entry::INSIDE) as usize
    }

    fn inside(self) -> usize {
        (self.0 % Entry::INSIDE) as usize
    }
}

/// The windows of a set of patterns.
pub(crate) struct Filter {
    bitmap: Box<[u64; WORDS]>,
    /// Where each bucket begins in `entries`.
    buckets: Vec<u32>,
    entries: Vec<Entry>,
    /// One for each pattern.
    windows: Vec<Window>,
    /// Bytes of a block, and from one test to the next.
    shape: (usize, usize),
}

impl Filter {
    pub(crate) fn new(patterns: &[Pattern]) -> Filter {
        let shortest = patterns.iter().map(|pattern| pattern.least).min().unwrap_or(0);
        let fits = |(block, step): &(usize, usize)| block + step - 1 <= shortest;
        let shape @ (block, step) = SHAPES.into_iter().find(fits).unwrap_or((4, 3));
        let width = block + step - 1;
        let counts = Counts::of(patterns);
        let mut hashed: Vec<(u32, Entry)> = Vec::with_capacity(patterns.len() * step);
        let mut windows = Vec::with_capacity(patterns.len());
        for (pattern, number) in patterns.iter().zip(0..) {
            let start = counts.rarest(pattern, width);
            let must = pattern.bytes.get(..pattern.least).unwrap_or_default();
            let window = must.get(start..start + width).unwrap_or_default();
            debug_assert_eq!(window.len(), width, "no pattern is shorter than the least window");
            let tail = must.last_chunk().map_or(0, |tail| four(*tail));
            let ahead = must.len().saturating_sub(4 + start) as u16;
            windows.push(Window { key: key(window), tail, start: start as u16, ahead });
            for inside in 0..step {
                let block = number_of(window.get(inside..inside + block).unwrap_or_default());
                hashed.push((hash(block), Entry::new(number, inside)));
            }
        }
        hashed.sort_unstable_by_key(|(hash, _)| *hash);
        let mut bitmap = Box::new([0; WORDS]);
        let mut buckets = vec![0; BUCKETS + 1];
        for (hash, _) in &hashed {
            bitmap[(hash >> 6) as usize] |= 1_u64 << (hash & 63);
            buckets[(hash >> SHARED) as usize + 1] += 1;
        }
        for at in 0..BUCKETS {
            buckets[at + 1] += buckets[at];
        }
        let entries = hashed.into_iter().map(|(_, entry)| entry).collect();
        Filter { bitmap, buckets, entries, windows, shape }
    }

    /// Calls `found` with start and end of every pattern that stands in `text`.
    pub(crate) fn search(&self, patterns: &[Pattern], text: &[u8], mut found: impl FnMut(usize, usize)) {
        if self.entries.is_empty() {
            return;
        }
        let found = &mut found as &mut dyn FnMut(usize, usize);
        let mut look = Look { filter: self, patterns, text, found };
        match self.shape {
            (8, 9) => look.scan::<8, 9>(),
            (8, _) => look.scan::<8, 5>(),
            (_, 5) => look.scan::<4, 5>(),
            _ => look.scan::<4, 3>(),
        }
    }

    /// Whether `text` begins as the window does, and has the pattern's end where that should be: a text of near misses
    /// has many windows and few ends.
    #[inline(always)]
    fn fits(&self, window: &Window, text: &[u8]) -> bool {
        text.get(..self.shape.0 + self.shape.1 - 1).is_some_and(|bytes| key(bytes) == window.key)
            && text
                .get(usize::from(window.ahead)..)
                .and_then(<[u8]>::first_chunk)
                .is_some_and(|tail| four(*tail) == window.tail)
    }

    #[inline(always)]
    fn may_be(&self, hash: u32) -> bool {
        self.bitmap[(hash >> 6) as usize & (WORDS - 1)] >> (hash & 63) & 1 != 0
    }
}

/// One search.
struct Look<'a> {
    filter: &'a Filter,
    patterns: &'a [Pattern],
    text: &'a [u8],
    found: &'a mut dyn FnMut(usize, usize),
}

impl Look<'_> {
    #[inline(never)]
    fn scan<const BLOCK: usize, const STEP: usize>(&mut self) {
        let text = self.text;
        let ends = text.len().saturating_sub(BLOCK - 1);
        let mut at = 0;
        while at < ends {
            let Some(block) = text.get(at..at + BLOCK).and_then(<[u8]>::first_chunk::<BLOCK>) else { break };
            let hash = hash(number_of(block));
            if self.filter.may_be(hash) {
                self.candidate(at, hash);
            }
            at += STEP;
        }
    }

    /// A block of a window, or something with the same hash, stands at `at`.
    #[cold]
    #[inline(never)]
    fn candidate(&mut self, at: usize, hash: u32) {
        let bucket = (hash >> SHARED) as usize;
        let (Some(from), Some(to)) = (self.filter.buckets.get(bucket), self.filter.buckets.get(bucket + 1))
        else {
            return;
        };
        for entry in self.filter.entries.get(*from as usize..*to as usize).unwrap_or_default() {
            let Some(window) = self.filter.windows.get(entry.pattern()) else { continue };
            let Some(start) = at.checked_sub(entry.inside()) else { continue };
            if !self.filter.fits(window, self.text.get(start..).unwrap_or_default()) {
                continue;
            }
            let Some(start) = start.checked_sub(usize::from(window.start)) else { continue };
            let Some(pattern) = self.patterns.get(entry.pattern()) else { continue };
            if let Some(length) = self.text.get(start..).and_then(|text| pattern.stands_in(text)) {
                (self.found)(start, start + length);
            }
        }
    }
}

/// How often each four bytes stand in the patterns, roughly: different ones may share a count.
struct Counts(Vec<u16>);

impl Counts {
    fn of(patterns: &[Pattern]) -> Counts {
        let mut counts = vec![0_u16; 1 << 16];
        for pattern in patterns {
            for four in pattern.bytes.windows(4) {
                if let Some(count) = counts.get_mut(Counts::place(four)) {
                    *count = count.saturating_add(1);
                }
            }
        }
        Counts(counts)
    }

    fn place(four: &[u8]) -> usize {
        (hash(number_of(four)) >> (BITS - 16)) as usize
    }

    /// Where the window of `pattern` shall lie: the blocks that only this pattern has reject most.
    fn rarest(&self, pattern: &Pattern, width: usize) -> usize {
        let last = pattern.least.saturating_sub(width);
        let tries = last.clamp(1, TRIES);
        let weight = |start: &usize| -> u32 {
            let fours = pattern.bytes.get(*start..start + width).unwrap_or_default().windows(4);
            fours.map(|four| u32::from(self.0.get(Counts::place(four)).copied().unwrap_or(0))).sum()
        };
        (0..=tries).map(|n| n * last / tries).min_by_key(weight).unwrap_or(0)
    }
}

#[inline(always)]
fn hash(block: u64) -> u32 {
    ((block | NO_CASE).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as u32
}

/// Up to eight bytes as a number.
#[inline(always)]
fn number_of(bytes: &[u8]) -> u64 {
    if let Some(eight) = bytes.first_chunk() {
        return u64::from_le_bytes(*eight);
    }
    if let Some(four) = bytes.first_chunk() {
        return u64::from(u32::from_le_bytes(*four));
    }
    0
}

fn four(bytes: [u8; 4]) -> u32 {
    u32::from_le_bytes(bytes) | NO_CASE as u32
}

/// Up to eight bytes at the end of a window, without case.
fn key(window: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    match window.last_chunk() {
        Some(last) => bytes = *last,
        None => bytes.iter_mut().zip(window).for_each(|(to, from)| *to = *from),
    }
    u64::from_le_bytes(bytes) | NO_CASE
}
