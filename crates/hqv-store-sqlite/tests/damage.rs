//! A damaged file is an error or other bytes, never a crash, a hang or a silent loss. That other bytes are never
//! taken for the right ones is the engine's to show: rows are sealed, and their set is in the row state.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Dir, error_of, make, open, write_private};
use hqv_model::Kind;
use hqv_store::conformance::{all, row, same};
use hqv_store::{Batch, Shelf, StoreError};
use std::path::Path;

/// A small vault, closed: its bytes.
fn small(path: &Path) -> Vec<u8> {
    let shelf = make(path);
    let rows = [
        row(Kind::Slot, 1, 1, b"slot"),
        row(Kind::Secret, 2, 1, b"meta"),
        row(Kind::Version, 3, 1, &[9; 6000]),
    ];
    shelf.commit(Batch::from(rows.to_vec())).unwrap();
    drop(shelf);
    std::fs::read(path).unwrap()
}

/// Opens the file and does with it what a daemon would. Returns whether anything was noticed.
fn used(path: &Path) -> bool {
    let before = std::fs::read(path).unwrap();
    let Ok(shelf) = open(path) else {
        assert!(std::fs::read(path).unwrap() == before, "a file that is refused is left as it is");
        return true;
    };
    let mut noticed = false;
    for kind in Kind::ALL {
        noticed |= all(&shelf, *kind).is_err();
    }
    noticed |= shelf.get(Kind::Version, &hqv_store::conformance::id(3)).is_err();
    noticed |= shelf.quick_check().is_err();
    noticed |= shelf.commit(Batch::from(vec![row(Kind::Token, 4, 1, b"t")])).is_err();
    noticed
}

#[test]
fn cr1_every_byte_flipped() {
    let dir = Dir::fast();
    let path = dir.file("vault.db");
    let sound = small(&path);
    let stride = if common::long() { 1 } else { 13 };
    let mut noticed = 0;
    for at in (0..sound.len()).step_by(stride) {
        for mask in [0x01, 0x80] {
            let mut bytes = sound.clone();
            bytes[at] ^= mask;
            write_private(&path, &bytes);
            noticed += u32::from(used(&path));
            for side in ["vault.db-wal", "vault.db-shm"] {
                let _ = std::fs::remove_file(dir.file(side));
            }
        }
    }
    assert!(noticed > 0, "the structure does notice some of it");
}

#[test]
fn cr1_header_damage_is_refused() {
    let dir = Dir::fast();
    let path = dir.file("vault.db");
    let sound = small(&path);
    // Magic, page size, file format, payload fraction, application id, schema version.
    for at in [0, 5, 15, 16, 18, 21, 60, 68, 71] {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x40;
        write_private(&path, &bytes);
        let error = error_of(open(&path));
        assert!(!matches!(error, StoreError::Full | StoreError::Locked { .. }), "byte {at}: {error:?}");
    }
}

#[test]
fn cr1_each_truncation() {
    let dir = Dir::fast();
    let path = dir.file("vault.db");
    let sound = small(&path);
    let stride = if common::long() { 1 } else { 97 };
    let cuts = (0..sound.len())
        .step_by(stride)
        .chain((1..).map(|page| page * 4096).take_while(|at| *at < sound.len()));
    for length in cuts {
        write_private(&path, &sound[..length]);
        let error = error_of(open(&path));
        let told = match length {
            0 => error == StoreError::Empty,
            // Too short to show what it was.
            1..100 => error == StoreError::NotAVault,
            _ => matches!(error, StoreError::Damaged { .. }),
        };
        assert!(told, "cut to {length}: {error:?}");
    }
}

#[test]
fn cr1_a_cut_log_loses_the_unsynced_end_only() {
    let dir = Dir::fast();
    let path = dir.file("vault.db");
    let shelf = make(&path);
    for revision in 1..=4 {
        shelf
            .commit(Batch::from(vec![
                row(Kind::Secret, 1, revision, b"s"),
                row(Kind::Token, 1, revision, b"t"),
            ]))
            .unwrap();
    }
    let (file, log) = (std::fs::read(&path).unwrap(), std::fs::read(dir.file("vault.db-wal")).unwrap());
    drop(shelf);
    let copy = dir.file("copy.db");
    let mut last = 0;
    for length in (0..=log.len()).step_by(if common::long() { 64 } else { 1024 }).chain([log.len()]) {
        write_private(&copy, &file);
        write_private(&dir.file("copy.db-wal"), &log[..length]);
        let _ = std::fs::remove_file(dir.file("copy.db-shm"));
        let shelf = open(&copy).unwrap();
        let revisions = [Kind::Secret, Kind::Token].map(|kind| {
            let found = all(&shelf, kind).unwrap();
            found.first().map_or(0, |row| row.header.revision)
        });
        assert_eq!(revisions[0], revisions[1], "a batch is whole or absent, cut at {length}");
        assert!(revisions[0] >= last, "more of the log never shows less");
        last = revisions[0];
    }
    assert_eq!(last, 4);
}

#[test]
fn rows_of_impossible_shape_are_damage() {
    let dir = Dir::fast();
    let path = dir.file("vault.db");
    for sql in [
        "UPDATE row SET nonce = x'00' WHERE kind = 4",
        "UPDATE row SET tag = zeroblob(17) WHERE kind = 4",
        "UPDATE row SET lookup = x'' WHERE kind = 4",
        "UPDATE row SET epoch = -1 WHERE kind = 4",
        "UPDATE row SET term = 4294967296 WHERE kind = 4",
        "UPDATE row SET id = zeroblob(33) WHERE kind = 4",
        "UPDATE row SET id = x'' WHERE kind = 4",
        "UPDATE row SET length = length + 1 WHERE kind = 4",
        "UPDATE row SET length = -1 WHERE kind = 4",
        "UPDATE row SET long = 5, body = NULL WHERE kind = 4",
    ] {
        let shelf = make(&path);
        shelf.commit(Batch::from(vec![row(Kind::Secret, 1, 1, b"s"), row(Kind::Token, 1, 1, b"t")])).unwrap();
        drop(shelf);
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let shelf = open(&path).unwrap();
        assert!(matches!(error_of(all(&shelf, Kind::Secret)), StoreError::Damaged { .. }), "{sql}");
        let token = all(&shelf, Kind::Token).unwrap();
        assert!(same(&token[0], &row(Kind::Token, 1, 1, b"t")), "other rows can still be read");
        drop(shelf);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn the_full_check_counts_long_bodies() {
    let dir = Dir::fast();
    let path = dir.file("vault.db");
    for sql in [
        "DELETE FROM long",
        "INSERT INTO long (body) VALUES (zeroblob(900))",
        "UPDATE long SET body = zeroblob(899)",
    ] {
        let shelf = make(&path);
        shelf.commit(Batch::from(vec![row(Kind::Version, 1, 1, &[1; 900])])).unwrap();
        shelf.quick_check().unwrap();
        drop(shelf);
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        assert!(matches!(error_of(open(&path).unwrap().quick_check()), StoreError::Damaged { .. }), "{sql}");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_vault_without_its_id_is_damaged() {
    let dir = Dir::fast();
    let path = dir.file("vault.db");
    drop(make(&path));
    rusqlite::Connection::open(&path).unwrap().execute_batch("DELETE FROM vault").unwrap();
    assert!(matches!(error_of(open(&path)), StoreError::Damaged { .. }));
}
