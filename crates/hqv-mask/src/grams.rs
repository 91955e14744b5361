//! Which four bytes in a row stand in any pattern, letters without their case. A set of hashes: it errs, rarely, on
//! the side of yes.

use crate::pattern::Pattern;

pub(crate) const GRAM: usize = 4;
const NO_CASE: u32 = 0x2020_2020;
/// Bits of the set for each gram of a pattern, and the most of them: a quarter of a megabyte, which stays in the cache.
const ROOM: usize = 4;
const MOST: usize = 1 << 21;

/// The set.
pub(crate) struct Grams {
    words: Vec<u64>,
    shift: u32,
}

impl Grams {
    pub(crate) fn new<'p>(patterns: impl Iterator<Item = &'p Pattern> + Clone) -> Grams {
        let bytes: usize = patterns.clone().map(|pattern| pattern.bytes.len()).sum();
        let bits = (bytes * ROOM).next_power_of_two().clamp(1 << 12, MOST);
        let mut grams = Grams { words: vec![0; bits / 64], shift: 32 - bits.trailing_zeros() };
        for gram in patterns.flat_map(|pattern| pattern.bytes.windows(GRAM)) {
            let hash = gram.first_chunk().map_or(0, |gram| grams.hash(gram));
            if let Some(word) = grams.words.get_mut(hash >> 6) {
                *word |= 1 << (hash & 63);
            }
        }
        grams
    }

    /// Whether the bytes may stand in a pattern.
    #[inline(always)]
    pub(crate) fn has(&self, gram: &[u8; GRAM]) -> bool {
        let hash = self.hash(gram);
        self.words.get(hash >> 6).is_some_and(|word| word >> (hash & 63) & 1 != 0)
    }

    #[inline(always)]
    fn hash(&self, gram: &[u8; GRAM]) -> usize {
        ((u32::from_le_bytes(*gram) | NO_CASE).wrapping_mul(0x9e37_79b1) >> self.shift) as usize
    }
}
