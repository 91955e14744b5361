//! The shelf in memory keeps the suite, and its disk outlives it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use hqv_model::Kind;
use hqv_store::conformance::{self, all, id, row, same, vault};
use hqv_store::memory::{MemoryDisk, MemoryShelf};
use hqv_store::{Batch, Shelf};

#[test]
fn the_suite_passes() {
    conformance::run(|| Box::new(MemoryShelf::new()));
}

#[test]
fn the_disk_outlives_the_shelf() {
    conformance::run_kept(|| {
        let disk = MemoryDisk::new();
        move || Box::new(MemoryShelf::open(&disk)) as Box<dyn Shelf>
    });
}

#[test]
fn an_image_shares_nothing_and_can_be_put_back() {
    let disk = MemoryDisk::new();
    let shelf = MemoryShelf::open(&disk);
    shelf.create(vault(1), Batch::from(vec![row(Kind::Token, 1, 1, b"old")])).unwrap();
    let image = disk.image();
    shelf.commit(Batch::from(vec![row(Kind::Token, 1, 2, b"new")])).unwrap();
    assert!(same(&image.rows()[0], &row(Kind::Token, 1, 1, b"old")));
    disk.put_back(&image);
    let found = shelf.get(Kind::Token, &id(1)).unwrap().unwrap();
    assert!(same(&found, &row(Kind::Token, 1, 1, b"old")));
}

#[test]
fn rows_can_be_tampered_with() {
    let disk = MemoryDisk::new();
    let shelf = MemoryShelf::open(&disk);
    shelf.create(vault(1), Batch::from(vec![row(Kind::Token, 1, 1, b"a")])).unwrap();
    disk.tamper_put(row(Kind::Token, 2, 9, b"forged"));
    assert_eq!(all(&shelf, Kind::Token).unwrap().len(), 2);
    assert!(disk.tamper_remove(Kind::Token, &id(1)));
    assert!(!disk.tamper_remove(Kind::Token, &id(1)));
    assert!(shelf.get(Kind::Token, &id(1)).unwrap().is_none());
}
