//! Making a new vault file, whole or not at all.
//!
//! It is built under another name, synced, and renamed into place without replacing anything. What a crash
//! leaves behind under the other name is nobody's vault and is cleared away by the next attempt.

use crate::place::Place;
use crate::{connect, failure, rows, schema};
use hqv_model::VaultId;
use hqv_store::{Batch, StoreError};
use rusqlite::{Connection, params};

/// Makes the file with the vault's id and first rows. Refused with `Exists` when another process was faster.
pub(crate) fn vault(place: &Place, vault_id: VaultId, first: &Batch) -> Result<(), StoreError> {
    clear(place)?;
    let new = place.beside(".new");
    place.create_private(&new)?;
    let conn = connect::bare(place, &new)?;
    let built = build(&conn, vault_id, first).and_then(|()| conn.close().map_err(|(_, error)| error));
    let placed = built
        .map_err(|error| failure::from_sqlite(place, "make", error))
        .and_then(|()| place.publish(&new, place.file(), false));
    if placed.is_err() {
        let _ = clear(place);
    }
    placed
}

fn clear(place: &Place) -> Result<(), StoreError> {
    // An empty log next to no database is a left-over too; one with commits in it was refused before.
    for suffix in [".new", ".new-wal", ".new-shm", ".new-journal", "-wal", "-shm", "-journal"] {
        if !place.file().exists() || suffix.starts_with('.') {
            place.discard(&place.beside(suffix))?;
        }
    }
    Ok(())
}

fn build(conn: &Connection, vault_id: VaultId, first: &Batch) -> rusqlite::Result<()> {
    connect::maker(conn)?;
    conn.execute_batch("BEGIN IMMEDIATE")?;
    schema::lay(conn)?;
    schema::mark(conn)?;
    conn.execute("INSERT INTO vault (one, id) VALUES (1, ?1)", params![vault_id.bytes().as_slice()])?;
    rows::write(conn, first)?;
    conn.execute_batch("COMMIT")?;
    connect::writer(conn)
}
