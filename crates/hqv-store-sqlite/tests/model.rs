//! Whatever is written in whatever order, the file holds what the shelf in memory holds, over restarts too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Dir, make, open};
use hqv_model::{Kind, Row, RowId};
use hqv_store::conformance::{all, id, row, same, vault};
use hqv_store::memory::MemoryShelf;
use hqv_store::{Batch, Shelf};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Act {
    Commit(Vec<Row>, Vec<(Kind, RowId)>),
    Reopen,
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![Kind::Secret, Kind::Version, Kind::Token])
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    // Around the lengths where a body changes its place, and those of whole pages.
    let length = prop_oneof![0..20usize, 795..805usize, 4080..4100usize, 8000..9000usize];
    (length, any::<u8>()).prop_map(|(length, byte)| vec![byte; length])
}

fn act() -> impl Strategy<Value = Act> {
    let written = (kind(), 0..12u64, any::<u64>(), body());
    let written = written.prop_map(|(kind, number, revision, body)| row(kind, number, revision, &body));
    let gone = (kind(), 0..12u64).prop_map(|(kind, number)| (kind, id(number)));
    let batch = (prop::collection::vec(written, 0..6), prop::collection::vec(gone, 0..4));
    prop_oneof![6 => batch.prop_map(|(put, delete)| Act::Commit(put, delete)), 1 => Just(Act::Reopen)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if common::long() { 500 } else { 40 }, ..ProptestConfig::default() })]

    #[test]
    fn the_file_holds_what_memory_holds(acts in prop::collection::vec(act(), 1..25)) {
        let dir = Dir::fast();
        let path = dir.file("vault.db");
        let memory = MemoryShelf::new();
        memory.create(vault(1), Batch::new()).unwrap();
        let mut shelf = make(&path);
        for act in acts {
            match act {
                Act::Commit(put, delete) => {
                    memory.commit(Batch { put: put.clone(), delete: delete.clone() }).unwrap();
                    shelf.commit(Batch { put, delete }).unwrap();
                }
                Act::Reopen => {
                    drop(shelf);
                    shelf = open(&path).unwrap();
                }
            }
        }
        for kind in Kind::ALL {
            let (found, wanted) = (all(&shelf, *kind).unwrap(), all(&memory, *kind).unwrap());
            prop_assert_eq!(found.len(), wanted.len());
            prop_assert!(found.iter().zip(&wanted).all(|(a, b)| same(a, b)));
        }
        shelf.quick_check().unwrap();
    }
}
