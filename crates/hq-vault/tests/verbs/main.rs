//! The real binary, verb by verb: exit code, stdout and stderr.
//!
//! Each test has a home of its own, and the daemon of its vault a free port.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod support;

mod agents;
mod audit;
mod audit_life;
mod config;
mod doctor;
mod env_file;
mod exposed;
mod get;
mod help;
mod identity;
mod import;
mod init;
mod leaks;
mod list;
mod project;
mod remote;
mod run;
mod serve;
mod service;
mod shell_init;
mod store;
mod token;
mod tour;
mod unlock;
