//! The one binary: command line, daemon and tools.
//!
//! The first line of `main` hardens the process, before anything else is read.
//! Freed memory is wiped by the allocator. What follows is `cli`, which builds
//! a request and renders an answer, and `daemon`, which runs the server that
//! `compose` puts together. Neither holds a rule of the vault.
#![forbid(unsafe_code)]

mod cli;
mod compose;
mod daemon;
mod entry;
mod project;
mod settings;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: hqv_sys::memory::WipingAllocator = hqv_sys::memory::WipingAllocator;

fn main() -> ExitCode {
    let _ = hqv_sys::process::harden();
    ExitCode::from(cli::main(compose::environment()))
}
