//! Locked pages, cut into small pieces.
//!
//! The kernel locks whole pages, an ordinary user may lock few of them (64 KiB on older systems), and a key
//! is 32 bytes: so small regions share a page. A slab is one data page between two guard pages that fault
//! on any access, split into 128 granules whose use is one bit each of a `u128`. A page that holds nothing
//! more is unmapped, except one, kept so that unlock and lock do not map and unmap in turn. Regions of more
//! than 32 granules get a mapping of their own, with guards too.
//!
//! Where the lock is refused the memory is used all the same and [`lock_failed`] says so: a vault that may
//! reach swap beats no vault, and the caller warns.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(target_os = "linux")]
use rustix::mm::{Advice, madvise};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mlock, mmap_anonymous, mprotect, munmap};

use super::wipe::wipe_raw;

/// Pieces of one slab page; as many as `u128` has bits.
const GRANULES: usize = 128;
/// The longest run that shares a page.
const MAX_RUN: usize = 32;

static LOCK_FAILED: AtomicBool = AtomicBool::new(false);
static SLABS: Mutex<Vec<Slab>> = Mutex::new(Vec::new());

/// True once any page meant to be locked could not be: `RLIMIT_MEMLOCK` is too small. The memory works, but
/// may reach swap. Meant for a warning said once.
pub fn lock_failed() -> bool {
    LOCK_FAILED.load(Ordering::Relaxed)
}

/// Zeroed bytes in locked memory where possible; wiped and given back on drop.
pub(super) struct Region {
    ptr: NonNull<u8>,
    len: usize,
    home: Home,
}

/// Where a region came from, which is how it goes back.
enum Home {
    /// A run of granules of the slab whose data page is at this address.
    Slab { page: usize, first: usize, run: usize },
    /// A mapping of its own, unmapped by its own drop.
    Own { _map: Mapping },
    /// The ordinary heap: the kernel gave no mapping at all.
    Heap(Layout),
}

// SAFETY: a region is exclusively owned memory, reached only through `&self` and `&mut self`.
unsafe impl Send for Region {}
// SAFETY: as above; `&Region` gives shared reads only.
unsafe impl Sync for Region {}

impl Region {
    /// `len` zeroed bytes. Zero bytes are allowed.
    pub(super) fn new(len: usize) -> Region {
        let granule = page_size() / GRANULES;
        let run = len.div_ceil(granule).max(1);
        let small = (run <= MAX_RUN).then(|| take_run(run)).flatten();
        if let Some((page, first)) = small {
            // SAFETY: the granule lies inside the slab's data page, so the address is in bounds and not null.
            let ptr = unsafe { NonNull::new_unchecked((page + first * granule) as *mut u8) };
            return Region { ptr, len, home: Home::Slab { page, first, run } };
        }
        match Mapping::new(len.max(1)) {
            Some(map) => Region { ptr: map.data, len, home: Home::Own { _map: map } },
            None => Region::on_heap(len),
        }
    }

    fn on_heap(len: usize) -> Region {
        LOCK_FAILED.store(true, Ordering::Relaxed);
        let Ok(layout) = Layout::from_size_align(len.max(1), 32) else {
            handle_alloc_error(Layout::new::<u8>())
        };
        // SAFETY: the layout's size is not zero.
        let ptr = NonNull::new(unsafe { alloc_zeroed(layout) }).unwrap_or_else(|| handle_alloc_error(layout));
        Region { ptr, len, home: Home::Heap(layout) }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: `ptr` is valid for `len` initialised bytes as long as the region lives.
        unsafe { std::slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `&mut self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.as_ptr(), self.len) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the region is ours until this function ends.
        unsafe { wipe_raw(self.ptr.as_ptr(), self.len) }
        match &self.home {
            Home::Slab { page, first, run } => give_run(*page, *first, *run),
            Home::Own { .. } => {}
            // SAFETY: allocated in `on_heap` with this very layout.
            Home::Heap(layout) => unsafe { dealloc(self.ptr.as_ptr(), *layout) },
        }
    }
}

/// One data page of small regions.
struct Slab {
    map: Mapping,
    used: u128,
}

impl Slab {
    fn page(&self) -> usize {
        self.map.data.as_ptr() as usize
    }

    /// The first free run of `run` granules.
    fn find(&self, run: usize) -> Option<usize> {
        let mask = mask(0, run);
        (0..=GRANULES - run).find(|at| self.used & (mask << at) == 0)
    }
}

fn mask(first: usize, run: usize) -> u128 {
    ((1u128 << run) - 1) << first
}

fn slabs() -> MutexGuard<'static, Vec<Slab>> {
    // A panic cannot leave the bitmap half changed, so a poisoned lock is as good as a sound one.
    SLABS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take_run(run: usize) -> Option<(usize, usize)> {
    let mut slabs = slabs();
    for slab in slabs.iter_mut() {
        if let Some(first) = slab.find(run) {
            slab.used |= mask(first, run);
            return Some((slab.page(), first));
        }
    }
    let slab = Slab { map: Mapping::new(page_size())?, used: mask(0, run) };
    let page = slab.page();
    slabs.push(slab);
    Some((page, 0))
}

fn give_run(page: usize, first: usize, run: usize) {
    let mut slabs = slabs();
    let Some(at) = slabs.iter().position(|slab| slab.page() == page) else {
        return;
    };
    let Some(slab) = slabs.get_mut(at) else { return };
    slab.used &= !mask(first, run);
    if slab.used == 0 && slabs.len() > 1 {
        slabs.swap_remove(at);
    }
}

/// Whole pages of our own: guard, data, guard.
struct Mapping {
    base: NonNull<u8>,
    total: usize,
    data: NonNull<u8>,
}

// SAFETY: a mapping is only two addresses; what lies there is governed by its owner.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps room for `len` bytes, or `None` when the kernel gives no memory.
    fn new(len: usize) -> Option<Mapping> {
        let page = page_size();
        let data_len = len.checked_next_multiple_of(page)?;
        let total = data_len.checked_add(2 * page)?;
        // SAFETY: a fresh private anonymous mapping at an address of the kernel's choice touches nothing
        // else.
        let base =
            unsafe { mmap_anonymous(std::ptr::null_mut(), total, ProtFlags::empty(), MapFlags::PRIVATE) }
                .ok()?;
        let base = NonNull::new(base.cast::<u8>())?;
        // SAFETY: one page into a mapping of at least three.
        let data = unsafe { base.add(page) };
        let mapping = Mapping { base, total, data };
        // SAFETY: the data pages are inside our fresh mapping.
        unsafe { mprotect(data.as_ptr().cast(), data_len, MprotectFlags::READ | MprotectFlags::WRITE) }
            .ok()?;
        protect(data, data_len);
        Some(mapping)
    }
}

/// Out of swap, out of core dumps, and zero in a forked child. Only the first is worth a warning: the process
/// as a whole is made undumpable too, and we fork only to exec.
fn protect(data: NonNull<u8>, len: usize) {
    let at = data.as_ptr().cast();
    // SAFETY: the range is inside a mapping of ours; locking does not change it.
    if unsafe { mlock(at, len) }.is_err() {
        LOCK_FAILED.store(true, Ordering::Relaxed);
    }
    #[cfg(target_os = "linux")]
    for advice in [Advice::LinuxDontDump, Advice::LinuxWipeOnFork] {
        // SAFETY: as above; both advices only change what dumps and children see.
        let _ = unsafe { madvise(at, len, advice) };
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly the range that `new` mapped; its owner is gone. Unmapping also unlocks.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.total) };
    }
}

pub(super) fn page_size() -> usize {
    // SAFETY: a query without side effects.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).ok().filter(|size| *size >= 4096).unwrap_or(4096)
}
