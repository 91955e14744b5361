//! The crate against the real kernel, one binary. Tests that need an ordinary user or a process of their
//! own run themselves again (`hqv_sys::ordinary`).

#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::undocumented_unsafe_blocks
)]

mod daemon;
mod files;
mod input;
mod lock;
mod memory;
mod peer;
mod process;
mod tty;

#[global_allocator]
static ALLOC: hqv_sys::memory::WipingAllocator = hqv_sys::memory::WipingAllocator;
