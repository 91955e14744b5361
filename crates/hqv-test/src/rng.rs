//! Chance that repeats itself.

use hqv_model::Entropy;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

/// A generator that gives the same bytes for the same seed: a failing test fails again. Never outside tests.
#[derive(Clone, Debug)]
pub struct TestRng(ChaCha12Rng);

impl TestRng {
    /// The generator of this seed.
    pub fn seeded(seed: u64) -> TestRng {
        TestRng(ChaCha12Rng::seed_from_u64(seed))
    }

    /// As [`TestRng::seeded`], boxed as the engine and the record take it.
    pub fn boxed(seed: u64) -> Box<dyn Entropy> {
        Box::new(TestRng::seeded(seed))
    }

    /// A number below `end`, for tests that do things at random.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end.max(1)
    }
}

impl Entropy for TestRng {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let take = |seed| {
            let mut bytes = [0; 40];
            TestRng::seeded(seed).fill(&mut bytes);
            bytes
        };
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
        assert!(TestRng::seeded(3).below(10) < 10);
    }
}
