//! Bytes in locked memory: for keys that live long.

use std::fmt;

use super::slab::Region;
use super::wipe;

/// `N` bytes in locked memory, out of swap and dumps, wiped on drop.
///
/// Shares its page with others of its kind: a dozen 32-byte keys cost one page. There is no `Clone`, no
/// comparison and no `Debug` of the content. Where the kernel refuses the lock it works all the same
/// ([`super::lock_failed`]).
pub struct LockedBytes<const N: usize>(Region);

impl<const N: usize> LockedBytes<N> {
    /// All zeros.
    pub fn zeroed() -> Self {
        LockedBytes(Region::new(N))
    }

    /// A copy of `bytes`, or `None` where the length is not `N`. The caller wipes the original.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != N {
            return None;
        }
        let mut locked = Self::zeroed();
        locked.0.bytes_mut().copy_from_slice(bytes);
        Some(locked)
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; N] {
        // SAFETY: the region is exactly N bytes long and lives as long as the borrow of `self`.
        unsafe { &*self.0.bytes().as_ptr().cast::<[u8; N]>() }
    }

    /// The bytes, to be filled in place.
    pub fn expose_mut(&mut self) -> &mut [u8; N] {
        // SAFETY: as in `expose`, and the borrow is exclusive.
        unsafe { &mut *self.0.bytes_mut().as_mut_ptr().cast::<[u8; N]>() }
    }
}

impl<const N: usize> fmt::Debug for LockedBytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[locked]")
    }
}

/// Bytes of a length known only at run time, with the properties of [`LockedBytes`]. The length does not
/// change after it is made.
pub struct LockedBuf(Region);

impl LockedBuf {
    /// `len` zeros, to be filled through [`LockedBuf::expose_mut`].
    pub fn with_capacity(len: usize) -> Self {
        LockedBuf(Region::new(len))
    }

    /// Takes over `bytes`: copies them into locked memory and wipes the vector, its spare capacity too.
    pub fn from_vec_wiping(mut bytes: Vec<u8>) -> Self {
        let mut locked = Self::with_capacity(bytes.len());
        locked.0.bytes_mut().copy_from_slice(&bytes);
        bytes.resize(bytes.capacity(), 0);
        wipe(&mut bytes);
        locked
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        self.0.bytes()
    }

    /// The bytes, to be filled in place.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        self.0.bytes_mut()
    }
}

impl fmt::Debug for LockedBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[locked]")
    }
}
