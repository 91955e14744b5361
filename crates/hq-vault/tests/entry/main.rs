//! Entries and asks through the real binary: an agent whose streams are pipes
//! on one side, a person at a terminal on the other.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod agent;
mod support;

mod asks;
mod attacks;
mod code;
mod controlling;
mod leaks;
mod locked;
mod notify;
mod own_terminal;
mod page;
mod tmux;
