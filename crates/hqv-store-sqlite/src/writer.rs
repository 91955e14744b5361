//! The one connection that writes.
//!
//! After a failed commit the connection is given up. Its successor is opened *before* it is closed, which is the
//! point: the log's index then stays alive and knows where the confirmed part of the log ends. Were all
//! connections closed first, the next one would rebuild the index from the log as the system remembers it,
//! take the batch whose fsync failed for committed, and put confirmed batches after bytes that may never have
//! reached the disk. As it is, the next batch overwrites those bytes and its own fsync decides.

use crate::place::Place;
use crate::{connect, failure, migrate, rows, schema};
use hqv_model::VaultId;
use hqv_store::{Batch, StoreError};
use rusqlite::{Connection, ErrorCode};

pub(crate) struct Writer {
    conn: Connection,
    /// The last commit failed: another connection must take over first.
    failed: bool,
}

impl Writer {
    /// Opens the file, checks that it is a vault and brings it to the present schema.
    pub(crate) fn open(place: &Place) -> Result<Self, StoreError> {
        let conn = connect::bare(place, place.file())?;
        let version = schema::version_of(&conn, place)?;
        let fail = |error| failure::from_sqlite(place, "open", error);
        if conn.is_readonly("main").map_err(fail)? {
            return Err(StoreError::ReadOnly);
        }
        let size = schema::page_size(&conn).map_err(fail)?;
        if place.is_cut(size)? {
            return Err(StoreError::damaged("the file ends within a page"));
        }
        connect::writer(&conn).map_err(fail)?;
        if version < schema::VERSION {
            migrate::forward(&conn, place, version)?;
        }
        schema::check_at_open(&conn).map_err(fail)?;
        Ok(Writer { conn, failed: false })
    }

    pub(crate) fn vault_id(&self, place: &Place) -> Result<VaultId, StoreError> {
        let read = self.conn.query_row("SELECT id FROM vault", [], |row| row.get::<_, [u8; 16]>(0));
        match read {
            Ok(bytes) => Ok(VaultId::from_bytes(bytes)),
            Err(rusqlite::Error::QueryReturnedNoRows) => Err(StoreError::damaged("the vault has no id")),
            Err(error) => Err(failure::from_sqlite(place, "read", error)),
        }
    }

    pub(crate) fn commit(&mut self, place: &Place, batch: &Batch) -> Result<(), StoreError> {
        if self.failed || !self.conn.is_autocommit() {
            self.replace(place)?;
        }
        match transaction(&self.conn, batch) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.failed = !is_busy(&error);
                let told = failure::from_sqlite(place, "write", error);
                if self.failed {
                    // Should this fail too, the next commit tries again before it does anything.
                    let _ = self.replace(place);
                }
                Err(told)
            }
        }
    }

    fn replace(&mut self, place: &Place) -> Result<(), StoreError> {
        roll_back(&self.conn);
        let fail = |error| failure::from_sqlite(place, "open", error);
        let successor = connect::bare(place, place.file())?;
        // Reads the header, so that it holds the log's index before the other lets go.
        schema::version_of(&successor, place)?;
        connect::writer(&successor).map_err(fail)?;
        self.conn = successor;
        self.failed = false;
        Ok(())
    }
}

fn transaction(conn: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    run(conn, "BEGIN IMMEDIATE")?;
    let done = rows::write(conn, batch).and_then(|()| run(conn, "COMMIT"));
    if done.is_err() {
        roll_back(conn);
    }
    done
}

fn run(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([]).map(drop)
}

/// SQLite has often rolled back by itself; the error of a second time says nothing.
fn roll_back(conn: &Connection) {
    if !conn.is_autocommit() {
        let _ = conn.execute_batch("ROLLBACK");
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::{OpenOptions, SqliteShelf};
    use hqv_model::Kind;
    use hqv_store::{Shelf, conformance};
    use std::fs;

    /// Were the failed connection closed first, SQLite would fold the log into the file and remove it.
    #[test]
    fn st2_the_log_outlives_the_connection_that_failed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vault.db");
        let shelf = SqliteShelf::open(&path, OpenOptions { create: true }).unwrap();
        shelf.create(conformance::vault(1), Batch::new()).unwrap();
        let batch = |revision| Batch::from(vec![conformance::row(Kind::Secret, 1, revision, b"s")]);
        shelf.commit(batch(1)).unwrap();
        let (file, log) = (fs::read(&path).unwrap(), fs::read(dir.path().join("vault.db-wal")).unwrap());
        shelf.writer().as_mut().unwrap().failed = true;
        shelf.writer().as_mut().unwrap().replace(&shelf.place).unwrap();
        assert_eq!(fs::read(dir.path().join("vault.db-wal")).unwrap(), log);
        assert_eq!(fs::read(&path).unwrap(), file);
        shelf.commit(batch(2)).unwrap();
        assert!(!shelf.writer().as_ref().unwrap().failed);
        assert_eq!(conformance::all(&shelf, Kind::Secret).unwrap()[0].header.revision, 2);
    }

    /// A panic between BEGIN and COMMIT leaves a transaction open; the next commit must not become part of it.
    #[test]
    fn an_open_transaction_is_rolled_back_first() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = SqliteShelf::open(&dir.path().join("vault.db"), OpenOptions { create: true }).unwrap();
        shelf.create(conformance::vault(1), Batch::new()).unwrap();
        shelf.writer().as_ref().unwrap().conn.execute_batch("BEGIN IMMEDIATE; DELETE FROM vault").unwrap();
        shelf.commit(Batch::from(vec![conformance::row(Kind::Secret, 1, 1, b"s")])).unwrap();
        let guard = shelf.writer();
        assert_eq!(guard.as_ref().unwrap().vault_id(&shelf.place), Ok(conformance::vault(1)));
    }
}
