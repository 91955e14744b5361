//! A global allocator that wipes what it frees, and the settings that make the C library give memory back.
//!
//! Cost, measured on one core: 3 nanoseconds for 32 bytes, 20 for 4 KiB, 32 microseconds for 1 MiB. It is
//! `memset`, not a loop of volatile stores, so it runs at the speed of memory. Of blocks of 4 MiB and more
//! (the KDF's 256 MiB would take 40 milliseconds) the pages are handed to the kernel instead, which costs
//! no more than freeing them does: they are gone from this process at once, and the kernel zeroes a page
//! before it gives it to anyone. A `realloc` is always a new block, a copy and a wiped old one: the
//! system's own may move the bytes and leave the old ones behind.
//!
//! Not reached: what C libraries take from `malloc` themselves.

use std::alloc::{GlobalAlloc, Layout, System};

use super::wipe::wipe_raw;

/// From this size on a block's pages are handed back rather than overwritten.
#[cfg(target_os = "linux")]
const LARGE: usize = 4 << 20;

/// The system's allocator, except that every block is overwritten with zeros before it is freed.
///
/// Put it in the binary: `#[global_allocator] static ALLOC: WipingAllocator = WipingAllocator;`
pub struct WipingAllocator;

// SAFETY: every method hands the request on to `System` unchanged, or, to grow, is an allocation, a copy of
// the old length and a release, which is what the contract of `realloc` describes.
unsafe impl GlobalAlloc for WipingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the same as ours.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's, `layout.size()` bytes long, and given up by this call.
        unsafe {
            clear(ptr, layout.size());
            System.dealloc(ptr, layout);
        }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `new_size` is not zero and does not overflow with this alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: a new block of at least the shorter length; the two do not overlap; the old one is ours
        // to free.
        unsafe {
            let new = System.alloc(new_layout);
            if !new.is_null() {
                std::ptr::copy_nonoverlapping(ptr, new, layout.size().min(new_size));
                self.dealloc(ptr, layout);
            }
            new
        }
    }
}

/// Makes the content of a block unreadable to this process for good.
///
/// # Safety
/// As for [`wipe_raw`]; the block must come from the system's allocator, whose memory is private and
/// anonymous.
unsafe fn clear(ptr: *mut u8, len: usize) {
    #[cfg(target_os = "linux")]
    if len >= LARGE {
        let page = super::slab::page_size();
        let head = ptr.align_offset(page);
        let body = (len - head) / page * page;
        // SAFETY: whole pages inside the block; private anonymous pages read as zeros from now on.
        let dropped = unsafe {
            let at = ptr.add(head).cast();
            rustix::mm::madvise(at, body, rustix::mm::Advice::LinuxDontNeed)
        };
        if dropped.is_ok() {
            // SAFETY: the two ends of the block that are no whole pages.
            return unsafe {
                wipe_raw(ptr, head);
                wipe_raw(ptr.add(head + body), len - head - body);
            };
        }
    }
    // SAFETY: the caller vouches for the block.
    unsafe { wipe_raw(ptr, len) }
}

/// Hands free memory back to the kernel. For after the KDF, after `lock`, after a burst. Takes up to a few
/// milliseconds.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the call has no preconditions.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Makes the C library's allocator hand memory back by itself: two arenas in place of eight a core, blocks
/// of 1 MiB and more from a mapping of their own (so that freeing returns them at once), and no more than 2
/// MiB kept at the top of the heap. Call it first in `main`, before the first thread. Nothing to do
/// elsewhere than glibc.
pub fn tune() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt only sets numbers; before the first thread there is nobody to race with.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 2 << 20);
    }
}
