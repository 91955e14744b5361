//! The vault: one door, the operations behind it, tokens' families, sessions, time.
//!
//! [`Engine::run`] takes a [`Caller`] and an [`Operation`] and does what every request needs in one order
//! (see the `core` module). Lifecycle calls (`init`, `unlock`, `lock`, `shutdown`, `status`) are methods of
//! [`Engine`], since they work without keys. Everything else is a struct in [`ops`].
#![forbid(unsafe_code)]

mod budget;
mod caller;
mod core;
mod engine;
mod family;
mod hooks;
mod kin;
mod ledger;
mod load;
mod open;
mod operation;
pub mod ops;
mod read;
mod recent;
mod record_keeping;
mod record_rules;
mod reference;
mod refusals;
mod rows;
mod secrets;
mod session;
pub mod settings;
pub mod sweep;
mod table;
mod ticker;
pub mod tickets;
pub mod transfer;
mod vault_time;
mod views;
mod writer;

pub use caller::{Caller, Principal, Transport};
pub use engine::{Begun, Engine, MakeEntropy, Parts};
pub use hooks::{Hooks, NoHooks};
pub use hqv_audit::reader::{IdentityView, ItemView};
pub use hqv_audit::{Checkpoint, Page, RecordView, verify};
pub use hqv_crypto::ca::Leaf;
pub use hqv_crypto::slot::{self, KdfParams, SlotSecret};
pub use hqv_crypto::wire::{self, Credential, CredentialKind, WireError};
pub use ledger::entry::Access;
pub use operation::{Operation, View};
pub use ops::exposed::Exposure;
pub use session::SessionView;
pub use settings::{EntryRequire, Settings, address as is_address, host_name as is_host_name};
pub use views::{Described, Frame, MetaView, TokenView, VersionView};
