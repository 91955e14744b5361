//! The record of a vault: sealed, chained, signed.
//!
//! [`Log`] writes it, [`reader`] reads it with the audit identity, and [`verify`] checks it with as much as
//! one has: nothing, the public key, or the identity. `spec/audit.md` gives every byte. The modules go
//! from bytes to verbs: [`mod@line`] and [`chain`] know no keys, `certificate` and `keys` no files, and only
//! [`sink`] and what reads know paths.

#![forbid(unsafe_code)]

mod adoption;
mod backward;
mod certificate;
pub mod chain;
mod checkpoint;
mod dropped;
mod encode;
mod error;
pub mod files;
mod header;
mod json;
mod keys;
pub mod line;
mod log;
pub mod mirror;
pub mod reader;
mod record;
mod segment;
pub mod sink;
mod staging;
mod tail;
pub mod verify;
mod view;

pub use chain::{Chain, Hash};
pub use checkpoint::Checkpoint;
pub use error::AuditError;
pub use header::Why;
pub use hqv_crypto::{AuditIdentity, AuditPublic};
pub use log::{
    AdoptReport, DbHead, Log, LogConfig, MAX_SEGMENT, Retain, Retired, RolledBack, Rotation, StartReport,
    SyncPoint, plan,
};
pub use reader::{Follower, Page, Reader, RecordView};
pub use record::{Identity, Item, ItemKind, Record};
