//! The record as its users meet it: files on a disk, runs of a daemon, tampering, reading, proving.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod au1_tampering;
mod au2_files;
mod au2_rotation;
mod au3_text;
mod au6_locked;
mod kit;
mod long_records;
mod mirror;
mod reading;
mod retention;
mod runs;
mod vectors;
