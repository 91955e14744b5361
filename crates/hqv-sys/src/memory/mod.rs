//! Memory for secrets: locked pages, an allocator that wipes, and the means to give memory back.
//!
//! Long-lived keys stand in locked pages ([`LockedBytes`], [`LockedBuf`]); everything else that was ever
//! allocated is wiped when freed ([`WipingAllocator`]), so that a value that passed through a `Vec` of some
//! library leaves no copy behind. What neither reaches: registers, the stack (see [`scrub_stack`]), memory
//! that C libraries take from `malloc` themselves, and copies the kernel holds.

mod allocator;
mod locked;
mod program;
mod slab;
mod wipe;

pub use allocator::{WipingAllocator, give_back, tune};
pub use locked::{LockedBuf, LockedBytes};
pub use program::let_go_of_code;
pub use slab::lock_failed;
pub(crate) use wipe::wipe_raw;
pub use wipe::{scrub_stack, scrub_stack_deep, wipe};
