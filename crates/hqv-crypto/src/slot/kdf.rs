//! Argon2id (RFC 9106, version 1.3) with its lanes in parallel.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use hqv_model::SecretBytes;
use zeroize::{Zeroize, Zeroizing};

use super::SlotError;

/// Cost of the key derivation; stored with the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfParams {
    /// Memory in KiB.
    pub mem_kib: u32,
    /// Passes.
    pub t: u32,
    /// Lanes.
    pub p: u32,
}

impl KdfParams {
    /// 256 MiB, 3 passes, 4 lanes.
    pub const DEFAULT: Self = Self { mem_kib: 256 * 1024, t: 3, p: 4 };

    /// The least that a slot may ask for: no vault was ever made with less.
    #[cfg(not(feature = "test-slot"))]
    pub const FLOOR: Self = Self::DEFAULT;
    /// The least that a slot may ask for in tests: what Argon2 itself allows.
    #[cfg(feature = "test-slot")]
    pub const FLOOR: Self = Self { mem_kib: 8, t: 1, p: 1 };

    /// The most: a slot that somebody has tampered with must not exhaust memory or time before it is
    /// refused.
    pub const CEILING: Self = Self { mem_kib: 4 * 1024 * 1024, t: 16, p: 16 };
    /// The most of memory times passes, in KiB.
    const MOST_WORK: u64 = 16 * 1024 * 1024;

    /// Whether floor and ceiling are kept.
    ///
    /// # Errors
    /// [`SlotError::Weakened`] below the floor, [`SlotError::Damaged`] above the ceiling.
    pub fn check(self) -> Result<(), SlotError> {
        let (floor, ceiling) = (Self::FLOOR, Self::CEILING);
        if self.mem_kib < floor.mem_kib || self.t < floor.t || self.p < floor.p {
            return Err(SlotError::Weakened);
        }
        let work = u64::from(self.mem_kib) * u64::from(self.t);
        if self.mem_kib > ceiling.mem_kib
            || self.t > ceiling.t
            || self.p > ceiling.p
            || work > Self::MOST_WORK
        {
            return Err(SlotError::Damaged);
        }
        Ok(())
    }
}

/// Derives the key of a slot. Takes `mem_kib` of memory, which is wiped and freed before this returns.
pub(super) fn derive(
    passphrase: &SecretBytes,
    salt: &[u8; 16],
    params: KdfParams,
) -> Result<Zeroizing<[u8; 32]>, SlotError> {
    params.check()?;
    let costs = Params::new(params.mem_kib, params.t, params.p, Some(32)).map_err(|_| SlotError::Damaged)?;
    let mut memory = Memory::new(costs.block_count())?;
    let mut key = Zeroizing::new([0; 32]);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, costs);
    let done = argon2.hash_password_into_with_memory(
        passphrase.reveal(),
        salt,
        key.as_mut_slice(),
        memory.0.as_mut_slice(),
    );
    drop(memory);
    done.map_err(|_| SlotError::Damaged)?;
    Ok(key)
}

/// Argon2's blocks, wiped on drop.
struct Memory(Vec<Block>);

impl Memory {
    fn new(blocks: usize) -> Result<Self, SlotError> {
        let mut memory = Vec::new();
        memory.try_reserve_exact(blocks).map_err(|_| SlotError::Memory)?;
        memory.resize(blocks, Block::new());
        Ok(Self(memory))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.0.as_mut_slice().iter_mut().for_each(Zeroize::zeroize);
    }
}
