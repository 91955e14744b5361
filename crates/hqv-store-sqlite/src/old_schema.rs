//! A schema that no release ever wrote: what migration is tested with until there is a second real one.
//!
//! It differs where it hurts: other table names, a row id instead of the key's order, the body in the middle.

use crate::schema;
use hqv_model::{Row, VaultId};
use rusqlite::{Connection, params};
use std::path::Path;

const TABLES: &str = "
    CREATE TABLE meta (vault_id BLOB NOT NULL);
    CREATE TABLE rows (
        kind INTEGER NOT NULL, id BLOB NOT NULL, body BLOB NOT NULL, tag BLOB NOT NULL, nonce BLOB NOT NULL,
        lookup BLOB, revision INTEGER NOT NULL, epoch INTEGER NOT NULL, term INTEGER NOT NULL,
        UNIQUE (kind, id)
    );
";

const CARRY: &str = "
    INSERT INTO vault (one, id) SELECT 1, vault_id FROM meta;
    INSERT INTO long (number, body) SELECT rowid, body FROM rows WHERE length(body) > 800;
    INSERT INTO row (kind, id, revision, epoch, term, lookup, nonce, tag, length, long, body)
        SELECT kind, id, revision, epoch, term, lookup, nonce, tag, length(body),
               iif(length(body) > 800, rowid, NULL), iif(length(body) > 800, NULL, body) FROM rows;
    DROP TABLE rows;
    DROP TABLE meta;
";

/// From schema 0 to schema 1. A real migration would have its own frozen statements, not today's tables.
pub(crate) fn to_next(conn: &Connection) -> rusqlite::Result<()> {
    schema::lay(conn)?;
    conn.execute_batch(CARRY)
}

/// Makes a file of the old schema, private like ours, holding these rows.
pub fn make(path: &Path, vault_id: VaultId, rows: &[Row]) -> rusqlite::Result<()> {
    let conn = Connection::open(path)?;
    conn.execute_batch("PRAGMA journal_mode = WAL")?;
    conn.execute_batch(TABLES)?;
    conn.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    conn.execute("INSERT INTO meta (vault_id) VALUES (?1)", params![vault_id.bytes().as_slice()])?;
    for row in rows {
        let header = &row.header;
        conn.execute(
            "INSERT INTO rows (kind, id, body, tag, nonce, lookup, revision, epoch, term) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                header.kind.code(),
                header.id.as_bytes(),
                &*row.body,
                row.tag.as_slice(),
                row.nonce.as_slice(),
                row.lookup.as_ref().map(<[u8; 32]>::as_slice),
                header.revision.cast_signed(),
                header.epoch,
                header.term,
            ],
        )?;
    }
    conn.close().map_err(|(_, error)| error)?;
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
