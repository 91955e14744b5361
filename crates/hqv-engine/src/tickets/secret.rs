//! What proves that somebody may act on a ticket without being the owner.
//!
//! The submit secret of an entry and the claim of an ask are 32 random bytes, told once to whoever asked.
//! What stays to check them by is their hash, compared in constant time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hqv_model::{Entropy, SecretText, array};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const BYTES: usize = 32;
/// Characters of base64url for them.
const CHARACTERS: usize = 43;

/// A new secret: 43 characters of base64url.
pub fn fresh(rng: &mut dyn Entropy) -> SecretText {
    let bytes = Zeroizing::new(array::<BYTES>(rng));
    let mut text = Zeroizing::new([0_u8; CHARACTERS]);
    // The buffer is as long as 32 bytes make it, and base64 is ASCII: neither step can fail.
    let written = URL_SAFE_NO_PAD.encode_slice(bytes.as_slice(), text.as_mut_slice()).unwrap_or(0);
    let text = text.get(..written).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
    SecretText::new(text.to_owned())
}

/// What one secret opens: its hash, never printed, never compared but by [`Latch::opens`].
pub struct Latch([u8; 32]);

impl Latch {
    /// The latch of a secret.
    pub fn of(secret: &SecretText) -> Self {
        Latch(hash(secret))
    }

    /// Whether it is this secret's.
    pub fn opens(&self, secret: &SecretText) -> bool {
        self.0.ct_eq(&hash(secret)).into()
    }
}

fn hash(secret: &SecretText) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"hq-vault ticket v1\0");
    hasher.update(secret.reveal().as_bytes());
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ones;

    impl Entropy for Ones {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(1);
        }
    }

    #[test]
    fn a_latch_opens_to_its_own_secret_alone() {
        let secret = fresh(&mut Ones);
        assert_eq!(secret.reveal(), "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE");
        let latch = Latch::of(&secret);
        assert!(latch.opens(&secret));
        for other in ["", "AQEB", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF"] {
            assert!(!latch.opens(&SecretText::new(other.into())));
        }
    }
}
