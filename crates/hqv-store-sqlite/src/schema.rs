//! Which file is ours: application id, schema version, and exactly these three tables.
//!
//! `row` is kept in the order of its key, so a row costs one page and a scan of a kind is one walk. Such a table
//! compares whole rows while it searches, bodies included; that is why a body of more than [`INLINE`] bytes
//! stands in `long` instead, where it is found by number and touched by nobody else. No row then continues on
//! another page, and a scan that wants only the facts reads no long body at all.

use crate::failure;
use crate::place::Place;
use hqv_store::StoreError;
use rusqlite::Connection;

/// "HQVT", in the header of the file: the database of an HQ Vault.
pub const APPLICATION_ID: u32 = 0x4851_5654;

/// The schema this release reads and writes; its number stands in the file's header.
pub const VERSION: u32 = 1;

/// Longest body, in bytes, that stands in the row itself. A row with it stays under the 1,002 bytes that SQLite
/// keeps in one page of 4,096, whatever its other columns hold (at most 141 bytes).
pub(crate) const INLINE: usize = 800;

const LONG: &str = "CREATE TABLE long (
    number INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT";

const ROW: &str = "CREATE TABLE row (
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    term INTEGER NOT NULL,
    lookup BLOB,
    nonce BLOB NOT NULL,
    tag BLOB NOT NULL,
    length INTEGER NOT NULL,
    long INTEGER,
    body BLOB,
    PRIMARY KEY (kind, id),
    CHECK ((long IS NULL) <> (body IS NULL))
) STRICT, WITHOUT ROWID";

const VAULT: &str = "CREATE TABLE vault (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id BLOB NOT NULL CHECK (length(id) = 16)
) STRICT";

/// Up to this size the whole structure is checked at every open (under ten milliseconds). Above it the schema alone
/// is, and the rest is left to the engine, which reads every row at unlock and compares the row state, and to
/// `doctor`: a full check of a large file would cost more than unlocking it.
const CHECKED_AT_OPEN: i64 = 16 * 1024 * 1024;

/// The tables of a new file, to be run inside a transaction.
pub(crate) fn lay(conn: &Connection) -> rusqlite::Result<()> {
    [LONG, ROW, VAULT].into_iter().try_for_each(|sql| conn.execute_batch(sql))
}

/// Writes the marks into the header.
pub(crate) fn mark(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    conn.pragma_update(None, "user_version", VERSION)
}

/// The schema version of a file of ours.
pub(crate) fn version_of(conn: &Connection, place: &Place) -> Result<u32, StoreError> {
    let read = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let fail = |error| failure::from_sqlite(place, "read", error);
    let id = read("application_id").map_err(fail)?.cast_unsigned();
    if id != APPLICATION_ID {
        return Err(StoreError::OtherApplication { id });
    }
    let version = read("user_version").map_err(fail)?.cast_unsigned();
    if version > VERSION {
        return Err(StoreError::Newer { found: version, known: VERSION });
    }
    Ok(version)
}

/// Bytes in a page of the file.
pub(crate) fn page_size(conn: &Connection) -> rusqlite::Result<u64> {
    conn.pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0)).map(u64::from)
}

/// The check of every open: the schema always, the whole structure while that is cheap.
pub(crate) fn check_at_open(conn: &Connection) -> rusqlite::Result<()> {
    check_tables(conn)?;
    let count = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if count("page_count")?.saturating_mul(count("page_size")?) <= CHECKED_AT_OPEN {
        check_structure(conn)?;
    }
    Ok(())
}

/// The full check: schema and structure of every page.
pub(crate) fn quick_check(conn: &Connection) -> rusqlite::Result<()> {
    check_tables(conn)?;
    check_structure(conn)?;
    check_long(conn)
}

/// A trigger, a view or another definition could change what a statement of ours does.
fn check_tables(conn: &Connection) -> rusqlite::Result<()> {
    let mut statement = conn.prepare("SELECT sql FROM sqlite_schema ORDER BY name")?;
    let found = statement.query_map([], |row| row.get::<_, Option<String>>(0))?;
    let found: Vec<Option<String>> = found.collect::<rusqlite::Result<_>>()?;
    let expected = [LONG, ROW, VAULT].map(|sql| Some(sql.to_owned()));
    if found == expected { Ok(()) } else { Err(failure::corrupt("the schema is not the one of a vault")) }
}

fn check_structure(conn: &Connection) -> rusqlite::Result<()> {
    let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(failure::corrupt(&verdict)) }
}

/// Every long body belongs to one row, and every row that says so has one.
fn check_long(conn: &Connection) -> rusqlite::Result<()> {
    let matched = "SELECT (SELECT count(*) FROM long),
                          (SELECT count(long) FROM row),
                          (SELECT count(*) FROM row JOIN long ON number = row.long
                           WHERE row.length = length(long.body))";
    let counts = conn.query_row(matched, [], |row| Ok([row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?]))?;
    let agree = counts.iter().all(|count| *count == counts[0]);
    if agree { Ok(()) } else { Err(failure::corrupt("long bodies and rows do not match")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn the_specification_shows_the_schema_to_the_letter() {
        let spec = include_str!("../../../spec/store.md");
        for sql in [LONG, ROW, VAULT] {
            assert!(spec.contains(&format!("```sql\n{sql}\n```")), "spec/store.md lacks {sql}");
        }
        assert!(spec.contains(&format!("`{APPLICATION_ID:#010X}`").replace("0X", "0x")));
        assert!(spec.contains(&format!("at most {INLINE} bytes")));
    }

    /// The bound that `INLINE` rests on, measured: no row ever continues on another page.
    #[test]
    fn the_longest_row_fits_its_page() {
        let conn = Connection::open_in_memory().unwrap();
        lay(&conn).unwrap();
        let sql = "INSERT INTO row VALUES (8, ?1, ?2, ?3, ?3, ?1, zeroblob(24), zeroblob(16), ?4, NULL, zeroblob(?4))";
        for first in 0..100u8 {
            let id = [first; 32];
            conn.execute(sql, rusqlite::params![id, i64::MIN, u32::MAX, INLINE as i64]).unwrap();
        }
        let pages = "SELECT count(*) FROM dbstat WHERE name = 'row' AND pagetype = 'overflow'";
        assert_eq!(conn.query_row(pages, [], |row| row.get::<_, i64>(0)), Ok(0));
    }
}
