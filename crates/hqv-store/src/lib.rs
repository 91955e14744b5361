//! The storage port: an untrusted shelf for sealed rows.
//!
//! A shelf keeps ciphertext, ids and facts, nothing else. It sees no key, no plain path, value, description or
//! token name, and it decides nothing: whether a row is authentic, new enough or complete is found out by the
//! engine, with the row state. What a shelf promises is small enough to be tested in full by [`conformance`]:
//! a commit is whole or absent, it is on the disk when `commit` returns, and a read gives back the bytes written.
//!
//! The trait is deliberately narrow. There is no query, no iterator that outlives a call and no transaction
//! object: one [`Batch`] is one transaction, so nothing can be held open across an answer.
#![forbid(unsafe_code)]

pub mod conformance;
mod error;
pub mod faults;
pub mod memory;

pub use error::StoreError;

use hqv_model::{Kind, Row, RowFacts, RowId, VaultId};
use std::ops::ControlFlow;

/// One transaction: rows to take away and rows to write.
///
/// Deletions come first, so a key that stands in both lists is there afterwards. A row replaces the one with
/// the same kind and id. Of two rows with the same key the later one stays. Taking away what is not there is
/// no error. An empty batch changes nothing and touches no disk.
#[derive(Debug, Default)]
pub struct Batch {
    /// Rows to insert, or to put in place of those with the same kind and id.
    pub put: Vec<Row>,
    /// Rows to take away, before any is written.
    pub delete: Vec<(Kind, RowId)>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the batch would change nothing.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.delete.is_empty()
    }

    /// The number of single changes in it.
    pub fn len(&self) -> usize {
        self.put.len() + self.delete.len()
    }
}

impl From<Vec<Row>> for Batch {
    fn from(put: Vec<Row>) -> Self {
        Batch { put, delete: Vec::new() }
    }
}

/// What a scan shows of one row.
#[derive(Debug)]
pub enum Scanned {
    /// The whole row.
    Row(Row),
    /// All but the body, which is longer than the caller wanted to read.
    Facts(RowFacts),
}

/// A place for the rows of one vault.
///
/// Calls block on the disk and may come from any thread at once. A shelf gives no order between calls that
/// overlap, but a read that begins after a commit returned sees that commit.
pub trait Shelf: Send + Sync {
    /// The vault whose rows these are; `None` where none was made yet.
    fn vault_id(&self) -> Result<Option<VaultId>, StoreError>;

    /// Makes the vault with its first rows, atomically and durably: after a crash there is either no vault or
    /// all of it. Refused with [`StoreError::Exists`] when one is there.
    fn create(&self, vault_id: VaultId, first: Batch) -> Result<(), StoreError>;

    /// The row of that kind and id.
    fn get(&self, kind: Kind, id: &RowId) -> Result<Option<Row>, StoreError>;

    /// Shows every row of a kind in the order of the id's bytes, until `visit` breaks. A body longer than
    /// `max_body` bytes is not read. All rows come from one moment; `visit` may call the shelf.
    fn scan(
        &self,
        kind: Kind,
        max_body: usize,
        visit: &mut dyn FnMut(Scanned) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// Applies a batch in one transaction and returns when it is on the disk.
    ///
    /// An error means: not confirmed. The batch is then invisible to later reads of this shelf, and it is
    /// whole or absent after a restart. A failed fsync is never taken for done by trying it again.
    fn commit(&self, batch: Batch) -> Result<(), StoreError>;

    /// A full check of the store's structure, for `doctor`. It proves nothing about authenticity.
    fn quick_check(&self) -> Result<(), StoreError>;

    /// Bytes on the disk, side files included.
    fn size(&self) -> Result<u64, StoreError>;
}
