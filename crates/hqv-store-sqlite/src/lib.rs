//! The embedded shelf: one SQLite file, owned by one process.
//!
//! * `place` looks at what stands under the name before SQLite may touch it.
//! * `make` builds a new vault beside its final name and renames it there, so there is never half a vault.
//! * `connect` is the only place where a connection is opened and told how to behave.
//! * `schema` says which file is ours; `migrate` brings an older one forward and keeps a copy.
//! * `rows` turns rows into columns and back; `failure` turns SQLite's errors into the store's.
//!
//! There is one connection that writes, behind a mutex, and readers apart from it: WAL lets them read while it
//! writes. A connection whose commit failed is never used again (see `writer`).
#![forbid(unsafe_code)]

mod connect;
mod failure;
mod make;
mod migrate;
#[cfg(any(test, feature = "old-schema"))]
pub mod old_schema;
mod place;
mod readers;
mod rows;
mod schema;
mod writer;

use hqv_model::{Kind, Row, RowId, VaultId};
use hqv_store::{Batch, Scanned, Shelf, StoreError};
use place::{Found, Place};
use readers::Readers;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use writer::Writer;

pub use schema::{APPLICATION_ID, VERSION as SCHEMA_VERSION};

/// How to open a shelf.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    /// Accept that there is no file yet. Nothing is made on the disk before [`Shelf::create`].
    pub create: bool,
}

/// A vault's rows in one SQLite file.
pub struct SqliteShelf {
    // Dropped in this order: the writer must close last, because it alone can fold the WAL into the file.
    readers: Readers,
    writer: Mutex<Option<Writer>>,
    vault: OnceLock<VaultId>,
    place: Place,
}

impl SqliteShelf {
    /// Opens the file at `path`, an older schema being migrated first (a copy stays as `vault.db.schema-N`).
    ///
    /// Every way in which the file may be unfit has its own error; a file that is not ours is left as it is.
    /// Waits up to two seconds for another process that holds the file.
    pub fn open(path: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        let place = Place::new(path)?;
        let shelf =
            SqliteShelf { readers: Readers::new(), writer: Mutex::new(None), vault: OnceLock::new(), place };
        match shelf.place.look()? {
            Found::Nothing if options.create => {}
            Found::Nothing => return Err(StoreError::Missing),
            Found::File => shelf.attach(&mut shelf.writer())?,
        }
        Ok(shelf)
    }

    fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        // A panic while writing leaves an open transaction at most; the writer finds and rolls it back.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attach(&self, writer: &mut Option<Writer>) -> Result<(), StoreError> {
        let opened = Writer::open(&self.place)?;
        let id = opened.vault_id(&self.place)?;
        let _ = self.vault.set(id);
        *writer = Some(opened);
        Ok(())
    }

    fn is_made(&self) -> bool {
        self.vault.get().is_some()
    }
}

impl Shelf for SqliteShelf {
    fn vault_id(&self) -> Result<Option<VaultId>, StoreError> {
        Ok(self.vault.get().copied())
    }

    fn create(&self, vault_id: VaultId, first: Batch) -> Result<(), StoreError> {
        let mut writer = self.writer();
        if writer.is_some() || self.place.look()? != Found::Nothing {
            return Err(StoreError::Exists);
        }
        make::vault(&self.place, vault_id, &first)?;
        self.attach(&mut writer)
    }

    fn get(&self, kind: Kind, id: &RowId) -> Result<Option<Row>, StoreError> {
        if !self.is_made() {
            return Ok(None);
        }
        self.readers.with(&self.place, |conn| rows::get(conn, kind, id))
    }

    fn scan(
        &self,
        kind: Kind,
        max_body: usize,
        visit: &mut dyn FnMut(Scanned) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        if !self.is_made() {
            return Ok(());
        }
        self.readers.with(&self.place, |conn| rows::scan(conn, kind, max_body, visit))
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        match self.writer().as_mut() {
            None => Err(StoreError::Missing),
            Some(_) if batch.is_empty() => Ok(()),
            Some(writer) => writer.commit(&self.place, &batch),
        }
    }

    fn quick_check(&self) -> Result<(), StoreError> {
        if !self.is_made() {
            return Ok(());
        }
        self.readers.with(&self.place, schema::quick_check)
    }

    fn size(&self) -> Result<u64, StoreError> {
        self.place.size()
    }
}
