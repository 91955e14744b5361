//! Overwriting memory in a way that the compiler may not leave out.

use std::mem::MaybeUninit;
use std::sync::atomic::{Ordering, compiler_fence};

/// How much of the stack below its caller [`scrub_stack`] overwrites, in bytes.
const SCRUB: usize = 64 * 1024;
/// The same for [`scrub_stack_deep`].
const DEEP: usize = 512 * 1024;

/// Overwrites `bytes` with zeros; never optimised away.
pub fn wipe(bytes: &mut [u8]) {
    // SAFETY: the slice is a valid, exclusive range of that length.
    unsafe { wipe_raw(bytes.as_mut_ptr(), bytes.len()) }
}

/// Overwrites `len` bytes at `ptr` with zeros; never optimised away.
///
/// It goes through the C library's own call for this, which is a plain `memset` behind a barrier: as fast as
/// memory, where a loop of volatile stores of single bytes is thirty times slower.
///
/// # Safety
/// `ptr` must be valid for writes of `len` bytes, and nothing else may read or write them meanwhile.
pub(crate) unsafe fn wipe_raw(ptr: *mut u8, len: usize) {
    if len == 0 {
        return;
    }
    #[cfg(target_vendor = "apple")]
    // SAFETY: the caller vouches for the range.
    unsafe {
        libc::memset_s(ptr.cast(), len, 0, len);
    }
    #[cfg(not(target_vendor = "apple"))]
    // SAFETY: the caller vouches for the range.
    unsafe {
        libc::explicit_bzero(ptr.cast(), len);
    }
    compiler_fence(Ordering::SeqCst);
}

/// Overwrites about 64 KiB of the current thread's stack below the caller, where functions that have
/// returned left their copies of keys and values.
///
/// Costs about two microseconds. The caller's own frame and the registers are not reached.
#[inline(never)]
pub fn scrub_stack() {
    scrub::<SCRUB>();
}

/// As [`scrub_stack`], for 512 KiB: the depth that serving a request can reach. For threads whose stack has
/// 2 MiB or more; costs about 20 microseconds.
#[inline(never)]
pub fn scrub_stack_deep() {
    scrub::<DEEP>();
}

#[inline(never)]
fn scrub<const N: usize>() {
    let mut frame = MaybeUninit::<[u8; N]>::uninit();
    // SAFETY: `frame` is N writable bytes of our own; it is written, never read.
    unsafe { wipe_raw(frame.as_mut_ptr().cast(), N) }
}
