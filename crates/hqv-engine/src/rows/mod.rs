//! The bodies of the rows: CBOR maps with integer keys, one file a kind. Bytes in spec/rows.md.

pub mod ledger;
pub mod secret;
pub mod settings;
pub mod token;
pub mod version;

use hqv_model::Error;

/// A stored body that cannot mean anything: damage, or a newer program's work.
pub(crate) fn malformed(what: &'static str) -> Error {
    crate::secrets::damaged(what)
}
