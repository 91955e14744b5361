//! Passed-in randomness in the shape that the HPKE crate asks for.

use std::convert::Infallible;

use hqv_model::Entropy;
use rand_core::{TryCryptoRng, TryRng};

/// Lends an [`Entropy`] to code written against `rand_core`.
pub(crate) struct Lent<'a>(pub &'a mut dyn Entropy);

impl TryRng for Lent<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(dst);
        Ok(())
    }
}

impl TryCryptoRng for Lent<'_> {}
