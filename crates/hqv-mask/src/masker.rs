//! What is looked for, ready to be used on any number of streams.

use std::sync::Arc;

use hqv_model::SecretBytes;

use crate::filter::Filter;
use crate::forms::{self, SHORTEST};
use crate::grams::Grams;
use crate::pattern::{Kind, Pattern};
use crate::prefix::Prefixes;
use crate::stream::Stream;

/// A set of values to be hidden. A clone shares it; the patterns are wiped when the last one is dropped.
#[derive(Clone)]
pub struct Masker(Arc<Parts>);

/// A value that is not looked for, because it would turn output into noise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooShort {
    /// The place among the values given, from 0.
    pub index: usize,
}

pub(crate) struct Parts {
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) filter: Filter,
    pub(crate) prefixes: Prefixes,
    /// Of all patterns, and of those in which something may be escaped.
    pub(crate) grams: Grams,
    pub(crate) escaped: Grams,
    /// The least that a pattern needs.
    pub(crate) shortest: usize,
    pub(crate) replacement: Vec<u8>,
    /// Whether a `+` may stand for a blank of a value.
    pub(crate) blanks: bool,
    /// Bytes of any form of a value that may be let out where a program waits: see [`Stream::idle`].
    pub(crate) idle: usize,
}

impl Masker {
    /// Makes the patterns of all forms of `values`. Each place where one stands becomes one `replacement`.
    ///
    /// Blanks and line ends around a value are not looked for. What is then shorter than [`SHORTEST`] is
    /// reported and left; values may be equal. Some 30 microseconds for a value of 100 bytes.
    pub fn new<'a>(
        values: impl IntoIterator<Item = &'a SecretBytes>,
        replacement: &[u8],
    ) -> (Masker, Vec<TooShort>) {
        let mut patterns = Vec::new();
        let mut short = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            let core = forms::core(value.reveal());
            if core.len() < SHORTEST {
                short.push(TooShort { index });
                continue;
            }
            forms::of_value(core, &mut patterns);
        }
        patterns.sort_unstable_by(|a, b| (a.kind, &*a.bytes, a.least).cmp(&(b.kind, &*b.bytes, b.least)));
        patterns.dedup_by(|next, kept| next.kind == kept.kind && *next.bytes == *kept.bytes);
        let shortest = patterns.iter().map(|pattern| pattern.least).min().unwrap_or(0);
        let parts = Parts {
            filter: Filter::new(&patterns),
            prefixes: Prefixes::new(&patterns),
            grams: Grams::new(patterns.iter()),
            escaped: Grams::new(patterns.iter().filter(|pattern| pattern.kind == Kind::Exact)),
            shortest,
            replacement: replacement.to_vec(),
            blanks: patterns.iter().any(|pattern| pattern.bytes.contains(&b' ')),
            idle: (shortest / SHORTEST).min(3),
            patterns,
        };
        (Masker(Arc::new(parts)), short)
    }

    /// A stream of bytes to be masked. Output and error of a program are two: a value is not expected to begin
    /// in one and to end in the other.
    pub fn stream(&self) -> Stream {
        Stream::new(Arc::clone(&self.0))
    }

    /// Masks a text that is there as a whole.
    pub fn mask(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut stream = self.stream();
        stream.push(text, &mut out);
        stream.finish(&mut out);
        out
    }

    #[cfg(test)]
    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }

    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.0.patterns.is_empty()
    }
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masker({} patterns)", self.0.patterns.len())
    }
}
