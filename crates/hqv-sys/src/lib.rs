//! The operating system, made safe: the only crate of the house with `unsafe`.
//!
//! Everything here is a thin, documented cover over one thing the kernel or the C library does: locked
//! memory, hardening, private files, the lock of a vault, the peer of a socket, a hidden prompt, a detached
//! daemon, the clocks, randomness. There is no policy in it and it knows nothing of vaults or secrets beyond
//! "these bytes must be wiped". Linux is tested; the `cfg` paths for macOS are written but untested.
//!
//! Each `unsafe` block says in a `SAFETY` comment why it holds.

#![deny(unsafe_op_in_unsafe_fn)]
#![warn(clippy::undocumented_unsafe_blocks)]

pub mod clock;
pub mod daemon;
pub mod files;
pub mod input;
pub mod lock;
pub mod memory;
#[cfg(feature = "test-pty")]
pub mod ordinary;
pub mod peer;
pub mod process;
pub mod pty;
pub mod random;
#[cfg(feature = "test-pty")]
pub mod search;
pub mod signal;
pub mod tty;
mod wait;
