//! What is sealed, and by which key.
//!
//! Everything here is bytes in, bytes out: no file, no clock, no global random numbers. The key
//! hierarchy reads from top to bottom as the modules do: a [`slot`] opens to the [`RootKey`], the root
//! key opens the [`Keyring`], and [`VaultKeys`] seals and opens rows with it. The byte formats stand in
//! `spec/`, one page each; `spec/check_crypto.py` re-computes them without this code.
//!
//! Keys at rest live in locked memory and are wiped when dropped. No type that holds one can be
//! printed, cloned or compared.

#![forbid(unsafe_code)]

pub mod aead;
mod base64url;
pub mod ca;
pub mod cbor;
mod crc32;
mod crockford;
pub mod ed25519;
pub mod entry_seal;
pub mod hybrid;
mod identity;
mod keyring;
mod keys;
mod mac;
mod random;
mod root;
pub mod row_state;
pub mod settings;
pub mod slot;
pub mod wire;

pub use aead::OpenFailed;
pub use identity::{AuditIdentity, AuditPublic};
pub use keyring::Keyring;
pub use keys::VaultKeys;
pub use root::RootKey;
