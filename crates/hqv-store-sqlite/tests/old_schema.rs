//! Row ST5: an older schema is brought forward, and a copy of the file as it was stays beside it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Dir, error_of, mode, open};
use hqv_model::{Kind, Row};
use hqv_store::conformance::{all, row, same, vault};
use hqv_store::{Batch, Shelf, StoreError};
use hqv_store_sqlite::{SCHEMA_VERSION, old_schema};
use rusqlite::Connection;
use std::path::Path;

fn rows() -> Vec<Row> {
    let many = (0..200).map(|number| {
        row(Kind::Version, number, u64::MAX - number, &vec![number as u8; number as usize * 40])
    });
    many.chain([row(Kind::Slot, 1, 1, b""), row(Kind::Secret, 2, 5, b"meta")]).collect()
}

fn version(path: &Path) -> u32 {
    let conn = Connection::open(path).unwrap();
    conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[test]
fn st5_an_older_store_is_migrated_with_a_copy_kept() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    old_schema::make(&path, vault(6), &rows()).unwrap();
    let shelf = open(&path).unwrap();
    assert_eq!(shelf.vault_id(), Ok(Some(vault(6))));
    for kind in Kind::ALL {
        let mut wanted: Vec<Row> = rows().into_iter().filter(|row| row.header.kind == *kind).collect();
        wanted.sort_by_key(|row| row.header.id);
        let found = all(&shelf, *kind).unwrap();
        assert_eq!(found.len(), wanted.len());
        assert!(found.iter().zip(&wanted).all(|(a, b)| same(a, b)), "{kind:?}: to the last byte");
    }
    shelf.commit(Batch::from(vec![row(Kind::Token, 1, 1, b"t")])).unwrap();
    shelf.quick_check().unwrap();
    drop(shelf);
    assert_eq!(version(&path), SCHEMA_VERSION);

    let copy = dir.file("vault.db.schema-0");
    assert_eq!(dir.names(), ["vault.db", "vault.db.schema-0"]);
    assert_eq!(mode(&copy), 0o600);
    assert_eq!(version(&copy), 0, "the copy is as it was");
    let kept: u64 = Connection::open(&copy)
        .unwrap()
        .query_row("SELECT count(*) FROM rows", [], |row| row.get::<_, u32>(0).map(u64::from))
        .unwrap();
    assert_eq!(kept, rows().len() as u64);

    // Going back is putting the copy in place, and forward again works too.
    std::fs::rename(&copy, &path).unwrap();
    assert_eq!(all(&open(&path).unwrap(), Kind::Version).unwrap().len(), 200);
}

#[test]
fn st5_a_crash_between_copy_and_change_needs_no_help() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    old_schema::make(&path, vault(6), &rows()).unwrap();
    // What killed attempts leave: a copy that was being made, and one that was finished.
    common::write_private(&dir.file("vault.db.schema-0.new"), b"half a copy");
    std::fs::copy(&path, dir.file("vault.db.schema-0")).unwrap();
    assert_eq!(all(&open(&path).unwrap(), Kind::Version).unwrap().len(), 200);
    assert_eq!(dir.names(), ["vault.db", "vault.db.schema-0"]);
}

#[test]
fn st5_a_failed_migration_changes_nothing() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    old_schema::make(&path, vault(6), &rows()).unwrap();
    // A row that the new table refuses, met after much of the work is done.
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "INSERT INTO rows SELECT 5, x'00', 'text', tag, nonce, lookup, 1, 1, 1 FROM rows LIMIT 1",
    )
    .unwrap();
    let count = |sql| conn.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
    let before = count("SELECT count(*) FROM rows");
    assert!(matches!(error_of(open(&path)), StoreError::Damaged { .. }));
    assert_eq!(count("SELECT count(*) FROM rows"), before);
    assert_eq!(count("SELECT count(*) FROM sqlite_schema WHERE name = 'row'"), 0);
    assert_eq!(count("SELECT user_version FROM pragma_user_version"), 0);
}

#[test]
fn st5_a_copy_that_cannot_be_kept_stops_the_migration() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    old_schema::make(&path, vault(6), &rows()).unwrap();
    std::fs::create_dir_all(dir.file("vault.db.schema-0/in the way")).unwrap();
    assert!(matches!(error_of(open(&path)), StoreError::Io { .. }));
    assert_eq!(version(&path), 0);
    assert_eq!(dir.names(), ["vault.db", "vault.db.schema-0"], "nothing unfinished is left");
}
