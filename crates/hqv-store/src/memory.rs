//! A shelf in memory, for tests of everything above the port.
//!
//! [`MemoryDisk`] stands for the disk and outlives the shelves on it: dropping a [`MemoryShelf`] and opening
//! another on the same disk is a restart. Only committed batches reach the disk, so what a crash would lose is
//! lost here too. The disk can be tampered with as an attacker would: put back, rows swapped, removed or copied.

use crate::{Batch, Scanned, Shelf, StoreError};
use hqv_model::{Kind, Row, RowFacts, RowId, VaultId};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Key = (u8, Vec<u8>);

#[derive(Clone, Default)]
struct Contents {
    vault: Option<VaultId>,
    rows: BTreeMap<Key, Row>,
}

fn key(kind: Kind, id: &RowId) -> Key {
    (kind.code(), id.as_bytes().to_vec())
}

impl Contents {
    fn apply(&mut self, batch: Batch) {
        for (kind, id) in &batch.delete {
            self.rows.remove(&key(*kind, id));
        }
        for row in batch.put {
            self.rows.insert(key(row.header.kind, &row.header.id), row);
        }
    }
}

/// A pretended disk. Clones share it; [`MemoryDisk::image`] copies it.
#[derive(Clone, Default)]
pub struct MemoryDisk(Arc<Mutex<Contents>>);

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        // Every change under the lock is one call that cannot stop half-way, so a poisoned lock guards whole data.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy that shares nothing with this one: what a backup of the file would hold.
    pub fn image(&self) -> MemoryDisk {
        MemoryDisk(Arc::new(Mutex::new(self.contents().clone())))
    }

    /// Puts an older image in place, under the feet of the shelves that are open.
    pub fn put_back(&self, image: &MemoryDisk) {
        let older = image.contents().clone();
        *self.contents() = older;
    }

    /// Every row, by kind and id.
    pub fn rows(&self) -> Vec<Row> {
        self.contents().rows.values().cloned().collect()
    }

    /// Writes a row past every rule, as somebody with the file would.
    pub fn tamper_put(&self, row: Row) {
        self.contents().rows.insert(key(row.header.kind, &row.header.id), row);
    }

    /// Takes a row away past every rule; says whether there was one.
    pub fn tamper_remove(&self, kind: Kind, id: &RowId) -> bool {
        self.contents().rows.remove(&key(kind, id)).is_some()
    }
}

/// A shelf on a [`MemoryDisk`].
pub struct MemoryShelf {
    disk: MemoryDisk,
}

impl MemoryShelf {
    /// Opens the disk, as a start of the daemon would.
    pub fn open(disk: &MemoryDisk) -> Self {
        MemoryShelf { disk: disk.clone() }
    }

    /// A shelf on a disk of its own.
    pub fn new() -> Self {
        Self::open(&MemoryDisk::new())
    }
}

impl Default for MemoryShelf {
    fn default() -> Self {
        Self::new()
    }
}

fn shown(row: &Row, max_body: usize) -> Scanned {
    if row.body.len() <= max_body {
        return Scanned::Row(row.clone());
    }
    Scanned::Facts(RowFacts {
        header: row.header,
        lookup: row.lookup,
        nonce: row.nonce,
        tag: row.tag,
        body_len: row.body.len() as u64,
    })
}

impl Shelf for MemoryShelf {
    fn vault_id(&self) -> Result<Option<VaultId>, StoreError> {
        Ok(self.disk.contents().vault)
    }

    fn create(&self, vault_id: VaultId, first: Batch) -> Result<(), StoreError> {
        let mut contents = self.disk.contents();
        if contents.vault.is_some() {
            return Err(StoreError::Exists);
        }
        contents.vault = Some(vault_id);
        contents.apply(first);
        Ok(())
    }

    fn get(&self, kind: Kind, id: &RowId) -> Result<Option<Row>, StoreError> {
        Ok(self.disk.contents().rows.get(&key(kind, id)).cloned())
    }

    fn scan(
        &self,
        kind: Kind,
        max_body: usize,
        visit: &mut dyn FnMut(Scanned) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        // Copied first: the visitor may call the shelf, and all it is shown is of one moment.
        let moment: Vec<Scanned> = {
            let contents = self.disk.contents();
            let of_kind = contents.rows.iter().filter(|((code, _), _)| *code == kind.code());
            of_kind.map(|(_, row)| shown(row, max_body)).collect()
        };
        for row in moment {
            if visit(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut contents = self.disk.contents();
        if contents.vault.is_none() {
            return Err(StoreError::Missing);
        }
        contents.apply(batch);
        Ok(())
    }

    fn quick_check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn size(&self) -> Result<u64, StoreError> {
        let rows = &self.disk.contents().rows;
        let bytes: usize = rows.values().map(|row| row.body.len() + row.header.encode().len() + 40).sum();
        Ok(bytes as u64)
    }
}
