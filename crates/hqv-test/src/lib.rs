//! The test kit, for development only: nothing that is shipped depends on it.
//!
//! [`TestClock`] and [`TestRng`] stand for time and chance in tests of the engine. [`Home`] is a fresh home
//! directory in which the real binary runs as a real user: [`Cli`] for one command, [`Terminal`] for one
//! with a person at the keyboard, [`TestServer`] for the daemon. [`Canary`] looks for what must not be in
//! anything they leave behind.
//!
//! The kit panics where something is wrong with the test's surroundings: that is how a test fails.

#![forbid(unsafe_code)]
#![allow(clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod binary;
mod canary;
mod cli;
mod clock;
mod home;
mod rng;
mod server;
mod terminal;

pub use binary::use_binary;
pub use canary::{Canary, Found};
pub use cli::{Cli, Ran};
pub use clock::TestClock;
pub use home::Home;
pub use hqv_sys::ordinary;
pub use rng::TestRng;
pub use server::TestServer;
pub use terminal::Terminal;

/// How long anything may take before it counts as hung. Nothing sleeps for it; slow machines need it.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
