//! What the vault costs, set against what it could not do without.
//!
//! `scripts/bench` builds and runs the binary `load`. It makes throw-away vaults with the real binary, starts the binary
//! `floor` (bare hyper on rustls that gives the same answer), and measures both in alternating slices, so that what the
//! machine does beside it falls on both. Ratios count; absolute rates stand beside them.
//!
//! `wire` holds the load: connections, framing, one loop. `subject` holds the processes that are measured. `part` holds
//! one file for each group of goals, `report` what becomes of the numbers. Nothing here is part of the product: it reads the
//! clock, and a failure ends the run with a sentence.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods)] // a measurement has to read the clock

pub mod options;
pub mod part;
pub mod report;
pub mod stats;
pub mod subject;
pub mod wire;

/// Any failure, with its sentence.
pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;
