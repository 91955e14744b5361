//! The nouns of the vault and its pure policy.
//!
//! Nothing here reads a file, a clock, the environment or a random source: time and randomness come in
//! through [`Clock`] and [`Entropy`]. Each noun has one constructor that parses text from outside, and
//! whatever holds the type afterwards trusts it. No type here can be serialised; the wire has its own.
#![forbid(unsafe_code)]

mod capability;
mod code;
mod decide;
mod error;
mod ids;
mod meta;
mod names;
mod op;
mod path;
mod pattern;
mod row;
mod scope;
mod secret;
mod secret_type;
#[cfg(test)]
mod testing;
mod text;
mod ticket_code;
mod ticket_ref;
mod time;
mod ttl;

pub use capability::{Capability, CapabilitySet};
pub use code::Code;
pub use decide::{Actor, DenyReason, Need, Verdict, decide};
pub use error::{Error, Result};
pub use ids::{AskId, EntryId, RequestId, SecretId, SessionId, SlotId, TokenId, VaultId};
pub use meta::{EnvName, SecretMeta};
pub use names::{MAX_DEPTH, TokenName, TokenRef};
pub use op::{OpKind, Outcome};
pub use path::{MAX_PATH_BYTES, Prefix, SecretPath};
pub use pattern::Pattern;
pub use row::{Kind, Row, RowFacts, RowHeader, RowId};
pub use scope::{MAX_RULES, Rule, Scope, Wider};
pub use secret::{SecretBytes, SecretText};
pub use secret_type::{EntryRoute, SecretType};
pub use text::{escape_controls, is_bidi_control};
pub use ticket_code::TicketCode;
pub use ticket_ref::{AskRef, EntryRef};
pub use time::{Clock, Entropy, Timestamp, Toward, array, parse_moment};
pub use ttl::{MAX_TTL, Ttl, UseLimit, format_duration, parse_duration};
