//! The suite that every shelf passes, on a real disk.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Dir, mode, open_new};
use hqv_model::Kind;
use hqv_store::conformance::{self, row, vault};
use hqv_store::faults::{Fault, FaultShelf, Step};
use hqv_store::{Batch, Shelf, StoreError};
use std::cell::Cell;
use std::sync::Arc;

/// Opens a file of its own each time it is asked for one.
fn fresh(dir: &Dir) -> impl Fn() -> std::path::PathBuf {
    let count = Cell::new(0);
    move || {
        count.set(count.get() + 1);
        dir.file(&format!("vault-{}.db", count.get()))
    }
}

#[test]
fn the_suite_passes() {
    let dir = Dir::new();
    let next = fresh(&dir);
    conformance::run(|| Box::new(open_new(&next()).unwrap()));
}

#[test]
fn the_suite_passes_behind_the_fault_injector() {
    let dir = Dir::new();
    let next = fresh(&dir);
    conformance::run(|| Box::new(FaultShelf::new(Arc::new(open_new(&next()).unwrap()))));
}

#[test]
fn rows_are_kept_over_a_restart() {
    let dir = Dir::new();
    let next = fresh(&dir);
    conformance::run_kept(|| {
        let path = next();
        move || Box::new(open_new(&path).unwrap()) as Box<dyn Shelf>
    });
}

#[test]
fn nothing_is_made_before_the_vault_is() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    let shelf = open_new(&path).unwrap();
    assert_eq!(shelf.commit(Batch::new()), Err(StoreError::Missing));
    assert_eq!(shelf.size(), Ok(0));
    assert!(dir.names().is_empty());
}

#[test]
fn files_are_private_and_a_clean_stop_leaves_one() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    let shelf = common::make(&path);
    shelf.commit(Batch::from(vec![row(Kind::Secret, 1, 1, b"s")])).unwrap();
    assert!(shelf.get(Kind::Secret, &conformance::id(1)).unwrap().is_some());
    assert_eq!(dir.names(), ["vault.db", "vault.db-shm", "vault.db-wal"]);
    for name in dir.names() {
        assert_eq!(mode(&dir.file(&name)), 0o600, "{name}");
    }
    drop(shelf);
    assert_eq!(dir.names(), ["vault.db"]);
}

#[test]
fn st1_stopped_at_every_step_over_a_real_file() {
    let batch = || Batch::from(vec![row(Kind::Secret, 1, 2, b"new"), row(Kind::Secret, 2, 2, b"new")]);
    for step in 1..=5 {
        let dir = Dir::new();
        let path = dir.file("vault.db");
        let shelf = common::make(&path);
        shelf.commit(Batch::from(vec![row(Kind::Secret, 1, 1, b"old")])).unwrap();
        let shelf = FaultShelf::at(Arc::new(shelf), step, Fault::Stop);
        assert!(shelf.commit(batch()).is_err());
        let durable = shelf.fired() == Some(Step::Committed);
        drop(shelf);
        let found = conformance::all(&common::open(&path).unwrap(), Kind::Secret).unwrap();
        let revisions: Vec<u64> = found.iter().map(|row| row.header.revision).collect();
        assert_eq!(revisions, if durable { vec![2, 2] } else { vec![1] }, "at step {step}");
    }
}

#[test]
fn bodies_move_between_row_and_long_and_leave_nothing() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    let shelf = common::make(&path);
    for (revision, length) in (1..).zip([0, 799, 800, 801, 5000, 801, 800, 70_000, 3]) {
        let wanted = row(Kind::Version, 1, revision, &vec![revision as u8; length]);
        shelf.commit(Batch::from(vec![wanted.clone()])).unwrap();
        let found = shelf.get(Kind::Version, &conformance::id(1)).unwrap().unwrap();
        assert!(conformance::same(&found, &wanted));
        // Counts long bodies against rows: none may be left behind.
        shelf.quick_check().unwrap();
    }
    shelf.commit(Batch::from(vec![row(Kind::Version, 2, 1, &[1; 2000])])).unwrap();
    shelf.commit(Batch { put: Vec::new(), delete: vec![(Kind::Version, conformance::id(2))] }).unwrap();
    shelf.quick_check().unwrap();
}

#[test]
fn two_makers_one_vault() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    let (first, second) = (open_new(&path).unwrap(), open_new(&path).unwrap());
    first.create(vault(1), Batch::from(vec![row(Kind::Slot, 1, 1, b"first")])).unwrap();
    assert_eq!(second.create(vault(2), Batch::new()), Err(StoreError::Exists));
    assert_eq!(first.vault_id(), Ok(Some(vault(1))));
}
