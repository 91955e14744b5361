//! Request ids: unique, not secret, and cheap.
//!
//! Drawing 16 random bytes for each request would put a lock or a system call on the hot path. A random start and an odd
//! step through 2^128 give as many different ids, and no two starts are likely to meet.

use hqv_model::{Entropy, RequestId, array};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// 2^128 divided by the golden ratio, made odd: neighbours differ in all digits, so a person can tell them apart.
const STEP: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;

/// Gives ids.
pub struct RequestIds {
    start: u128,
    given: AtomicU64,
}

impl RequestIds {
    /// From a random start.
    pub fn new(rng: &mut dyn Entropy) -> Self {
        Self { start: u128::from_be_bytes(array(rng)), given: AtomicU64::new(0) }
    }

    /// The next one.
    pub fn next(&self) -> RequestId {
        let n = u128::from(self.given.fetch_add(1, Relaxed));
        RequestId::from_bytes(self.start.wrapping_add(n.wrapping_mul(STEP)).to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    struct Same;
    impl Entropy for Same {
        fn fill(&mut self, out: &mut [u8]) {
            out.fill(0xff);
        }
    }

    #[test]
    fn no_id_comes_twice() {
        let ids = RequestIds::new(&mut Same);
        let seen: HashSet<String> = (0..10_000).map(|_| ids.next().to_string()).collect();
        assert_eq!(seen.len(), 10_000);
        assert!(seen.iter().all(|id| id.starts_with("req_")));
    }
}
