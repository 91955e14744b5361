//! Failures without a valid credential, counted instead of written one by one.
//!
//! A flood of wrong tokens must not fill the disk or slow the others, so a source and reason becomes one
//! record a second with a count. 256 sources are named; the rest stand together.

use hqv_model::Code;
use std::collections::HashMap;

/// Sources named in one second.
pub const NAMED: usize = 256;

/// Counts since the last flush.
#[derive(Default)]
pub struct Refusals {
    counts: HashMap<(Box<str>, &'static str), u64>,
}

impl Refusals {
    /// Counts one.
    pub fn count(&mut self, source: &str, code: Code) {
        let reason = code.as_str();
        let full = self.counts.len() >= NAMED && !self.counts.contains_key(&(Box::from(source), reason));
        let source = if full { "others" } else { source };
        *self.counts.entry((source.into(), reason)).or_default() += 1;
    }

    /// Takes the counts, as sentences.
    pub fn take(&mut self) -> Vec<(String, &'static str, u64)> {
        let mut all: Vec<_> = self.counts.drain().map(|((s, r), n)| (s.into_string(), r, n)).collect();
        all.sort();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn au2_a_flood_from_many_sources_stays_bounded() {
        let mut r = Refusals::default();
        for n in 0..10_000 {
            r.count(&format!("10.0.{}.{}", n / 256, n % 256), Code::Unauthorized);
        }
        let all = r.take();
        assert!(all.len() <= NAMED + 1);
        assert_eq!(all.iter().map(|(_, _, n)| n).sum::<u64>(), 10_000);
        assert!(r.take().is_empty());
    }
}
