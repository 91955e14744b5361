//! Bringing an older schema forward.
//!
//! Each step first keeps a copy of the file as it was (`vault.db.schema-N`, complete, private, synced), then
//! changes the schema and its number in one transaction. A crash leaves the old file, or the new one with its
//! copy. Going back is renaming the copy.

use crate::place::Place;
use crate::{failure, schema};
use hqv_store::StoreError;
use rusqlite::{Connection, params};

/// One step: from this version to the next, inside a transaction.
struct Migration {
    from: u32,
    apply: fn(&Connection) -> rusqlite::Result<()>,
}

/// In order. Schema 1 is the first that was released; only tests know the one before.
const MIGRATIONS: &[Migration] = &[
    #[cfg(any(test, feature = "old-schema"))]
    Migration { from: 0, apply: crate::old_schema::to_next },
];

/// Takes the file from `version` to the present schema.
pub(crate) fn forward(conn: &Connection, place: &Place, version: u32) -> Result<(), StoreError> {
    for from in version..schema::VERSION {
        let step = MIGRATIONS.iter().find(|step| step.from == from);
        let step = step.ok_or_else(|| StoreError::damaged(format!("schema {from} was never released")))?;
        keep_copy(conn, place, from)?;
        run(conn, step).map_err(|error| failure::from_sqlite(place, "migrate", error))?;
    }
    Ok(())
}

fn keep_copy(conn: &Connection, place: &Place, version: u32) -> Result<(), StoreError> {
    let (unfinished, copy) =
        (place.beside(&format!(".schema-{version}.new")), place.beside(&format!(".schema-{version}")));
    place.discard(&unfinished)?;
    place.create_private(&unfinished)?;
    // Into an empty file that is already private, since SQLite would make one with the default mode.
    let name = unfinished.to_str().ok_or_else(|| StoreError::io("copy", "the path is not UTF-8"))?;
    let copied = conn
        .execute("VACUUM INTO ?1", params![name])
        .map_err(|error| failure::from_sqlite(place, "copy", error))
        .and_then(|_| place.publish(&unfinished, &copy, true));
    if copied.is_err() {
        let _ = place.discard(&unfinished);
    }
    copied
}

fn run(conn: &Connection, step: &Migration) -> rusqlite::Result<()> {
    conn.execute_batch("BEGIN EXCLUSIVE")?;
    let done = (step.apply)(conn)
        .and_then(|()| conn.pragma_update(None, "user_version", step.from + 1))
        .and_then(|()| conn.execute_batch("COMMIT"));
    if done.is_err() && !conn.is_autocommit() {
        let _ = conn.execute_batch("ROLLBACK");
    }
    done
}
