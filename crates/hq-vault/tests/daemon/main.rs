//! The whole daemon, seen from outside: its memory, its files, its signals, its neighbours.
//!
//! Each test drives the real binary in a home of its own, mostly as an ordinary user: root may do what the
//! vault refuses. What only root can see (another process's memory, a second user, a network without IPv6)
//! is skipped with a line where the tests do not run as root.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod impostors;
mod keys;
mod leaks;
mod life;
mod load;
mod memory;
mod mm1_lock;
mod mm4_limits;
mod network;
mod odd_files;
mod places;
mod signals;
mod support;
mod surroundings;
