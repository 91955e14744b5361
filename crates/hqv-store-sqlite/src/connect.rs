//! Opening connections. Nothing else in the crate calls SQLite's `open`.

use crate::failure;
use crate::place::Place;
use hqv_store::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// How long a call waits for another process that holds the file.
pub(crate) const BUSY: Duration = Duration::from_secs(2);

/// For every connection. The cache is small because the engine holds what is hot; memory mapping is off because
/// a damaged disk would then end the process with SIGBUS instead of an error.
const EVERY: &str = "
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA mmap_size = 0;
    PRAGMA cache_size = -1024;
";

/// For the one that writes. `fullfsync` matters on macOS only, where fsync alone does not reach the platter.
/// Requests change rows all over the file, so a page of the log holds one change. Folded into the file every
/// 8,000 pages (32 MiB), not SQLite's 1,000, a page that changed often is written there once. The cache holds
/// the pages of one group, so that none is read twice.
const WRITER: &str = "
    PRAGMA locking_mode = NORMAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA secure_delete = ON;
    PRAGMA wal_autocheckpoint = 8000;
    PRAGMA journal_size_limit = 33554432;
    PRAGMA cache_size = -4096;
";

/// A connection that has touched nothing yet, so that a file of others can be looked at and left.
pub(crate) fn bare(place: &Place, path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    open(path, flags).map_err(|error| failure::from_sqlite(place, "open", error))
}

/// Makes a bare connection the writer of a file that was found to be ours.
pub(crate) fn writer(conn: &Connection) -> rusqlite::Result<()> {
    set(conn, EVERY)?;
    set(conn, WRITER)?;
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode.eq_ignore_ascii_case("wal") {
        Ok(())
    } else {
        Err(failure::unusable("no WAL on this file system"))
    }
}

/// Makes a bare connection fit to fill a file that has no name yet: a crash there loses only the new file.
pub(crate) fn maker(conn: &Connection) -> rusqlite::Result<()> {
    set(conn, EVERY)?;
    set(conn, WRITER)?;
    set(conn, "PRAGMA page_size = 4096; PRAGMA journal_mode = MEMORY;")
}

/// A connection that can only read.
pub(crate) fn reader(place: &Place) -> rusqlite::Result<Connection> {
    let conn = open(place.file(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    set(&conn, EVERY)?;
    set(&conn, "PRAGMA query_only = ON;")?;
    Ok(conn)
}

fn open(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    Ok(conn)
}

fn set(conn: &Connection, pragmas: &str) -> rusqlite::Result<()> {
    conn.execute_batch(pragmas)
}
