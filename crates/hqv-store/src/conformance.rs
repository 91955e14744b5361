//! What every shelf must do, as one suite. A new shelf's tests call [`run`], and [`run_kept`] where it has a disk.
//!
//! A check that fails panics with the sentence that was not kept: this is test code that other crates call.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::{Batch, Scanned, Shelf, StoreError};
use hqv_model::{Kind, Row, RowHeader, RowId, VaultId};
use std::ops::ControlFlow;

/// A vault id for tests, all its bytes alike.
pub fn vault(byte: u8) -> VaultId {
    VaultId::from_bytes([byte; 16])
}

/// A row id for tests: 16 bytes that sort by `number`.
pub fn id(number: u64) -> RowId {
    let mut bytes = [0xA5; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    RowId::new(&bytes).expect("16 bytes are a row id")
}

/// A row for tests with every field set, its bytes following from `number` and `revision`.
pub fn row(kind: Kind, number: u64, revision: u64, body: &[u8]) -> Row {
    let mark = (number as u8).wrapping_mul(31).wrapping_add(revision as u8);
    let header = RowHeader { kind, id: id(number), revision, epoch: 7, term: u32::MAX - 1 };
    let lookup = (kind == Kind::Secret).then_some([mark; 32]);
    Row { header, lookup, nonce: [mark ^ 0x11; 24], tag: [mark ^ 0x22; 16], body: body.into() }
}

/// Whether two rows are the same to the last byte.
pub fn same(a: &Row, b: &Row) -> bool {
    a.header == b.header && a.lookup == b.lookup && a.nonce == b.nonce && a.tag == b.tag && a.body == b.body
}

/// Every row of a kind with its body.
pub fn all(shelf: &dyn Shelf, kind: Kind) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    shelf.scan(kind, usize::MAX, &mut |found| {
        if let Scanned::Row(row) = found {
            rows.push(row);
        }
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

fn put(shelf: &dyn Shelf, rows: Vec<Row>) {
    shelf.commit(Batch::from(rows)).expect("a commit is accepted");
}

fn expect_row(shelf: &dyn Shelf, wanted: &Row) {
    let header = &wanted.header;
    let found = shelf.get(header.kind, &header.id).expect("a read succeeds").expect("the row is there");
    assert!(same(&found, wanted), "a read gives back the bytes written: {header:?}");
}

fn expect_none(shelf: &dyn Shelf, kind: Kind, number: u64) {
    assert!(shelf.get(kind, &id(number)).expect("a read succeeds").is_none(), "row {number} is not there");
}

/// Runs the suite. `make` gives a shelf on a new place with no vault in it, each time it is called.
pub fn run(make: impl Fn() -> Box<dyn Shelf>) {
    type Check = fn(&dyn Shelf);
    let unmade: &[Check] = &[nothing_before_create, create_keeps_first_rows, create_only_once];
    let made: &[Check] = &[
        every_field_comes_back,
        extremes_come_back,
        replacing_changes_one_row,
        deleting,
        deletions_come_first,
        the_later_of_two_stays,
        kinds_are_apart,
        scan_is_in_order_and_whole,
        scan_leaves_long_bodies,
        scan_stops_when_told,
        scan_shows_one_moment,
        empty_batch_changes_nothing,
        writers_and_readers_at_once,
        sound_and_sized,
    ];
    for check in unmade {
        check(make().as_ref());
    }
    for check in made {
        let shelf = make();
        shelf.create(vault(1), Batch::new()).expect("a vault can be made");
        check(shelf.as_ref());
    }
}

/// Runs the checks that need a restart. `make` gives a way to open a new place, which is called several times.
pub fn run_kept<Open: Fn() -> Box<dyn Shelf>>(make: impl Fn() -> Open) {
    let open = make();
    open().create(vault(3), Batch::from(vec![row(Kind::Slot, 1, 1, b"slot")])).expect("a vault can be made");
    let shelf = open();
    assert_eq!(shelf.vault_id(), Ok(Some(vault(3))), "the vault is there after a restart");
    assert_eq!(shelf.create(vault(4), Batch::new()), Err(StoreError::Exists), "and cannot be made again");
    expect_row(shelf.as_ref(), &row(Kind::Slot, 1, 1, b"slot"));
    put(shelf.as_ref(), vec![row(Kind::Secret, 1, 1, b"one"), row(Kind::Secret, 2, 1, b"two")]);
    drop(shelf);
    let shelf = open();
    expect_row(shelf.as_ref(), &row(Kind::Secret, 2, 1, b"two"));
    let gone = Batch { put: vec![row(Kind::Secret, 1, 2, b"uno")], delete: vec![(Kind::Secret, id(2))] };
    shelf.commit(gone).expect("a commit is accepted");
    drop(shelf);
    let shelf = open();
    expect_row(shelf.as_ref(), &row(Kind::Secret, 1, 2, b"uno"));
    expect_none(shelf.as_ref(), Kind::Secret, 2);
}

fn nothing_before_create(shelf: &dyn Shelf) {
    assert_eq!(shelf.vault_id(), Ok(None), "no vault before it is made");
    expect_none(shelf, Kind::Slot, 1);
    assert!(all(shelf, Kind::Slot).unwrap().is_empty());
    let early = shelf.commit(Batch::from(vec![row(Kind::Slot, 1, 1, b"x")]));
    assert_eq!(early, Err(StoreError::Missing), "nothing can be written before the vault is made");
    assert_eq!(shelf.vault_id(), Ok(None));
}

fn create_keeps_first_rows(shelf: &dyn Shelf) {
    let first = vec![row(Kind::Slot, 1, 1, b"slot"), row(Kind::Keyring, 2, 1, b"keys")];
    shelf.create(vault(2), Batch::from(first)).unwrap();
    assert_eq!(shelf.vault_id(), Ok(Some(vault(2))));
    expect_row(shelf, &row(Kind::Slot, 1, 1, b"slot"));
    expect_row(shelf, &row(Kind::Keyring, 2, 1, b"keys"));
}

fn create_only_once(shelf: &dyn Shelf) {
    shelf.create(vault(2), Batch::from(vec![row(Kind::Slot, 1, 1, b"first")])).unwrap();
    let again = shelf.create(vault(9), Batch::from(vec![row(Kind::Slot, 1, 1, b"second")]));
    assert_eq!(again, Err(StoreError::Exists), "a vault is never made over another");
    assert_eq!(shelf.vault_id(), Ok(Some(vault(2))));
    expect_row(shelf, &row(Kind::Slot, 1, 1, b"first"));
}

fn every_field_comes_back(shelf: &dyn Shelf) {
    let rows: Vec<Row> = Kind::ALL.iter().map(|kind| row(*kind, 5, 3, b"body")).collect();
    put(shelf, rows);
    for kind in Kind::ALL {
        expect_row(shelf, &row(*kind, 5, 3, b"body"));
    }
}

fn extremes_come_back(shelf: &dyn Shelf) {
    let every_byte: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let large: Vec<u8> = every_byte.iter().copied().cycle().take(1_100_000).collect();
    let bodies: [&[u8]; 6] = [b"", b"\0", &every_byte[..4096], &every_byte[..4097], &every_byte, &large];
    for (number, body) in (0..).zip(bodies) {
        let mut wanted = row(Kind::Version, number, u64::MAX - number, body);
        wanted.header.epoch = u32::MAX;
        wanted.header.term = 0;
        put(shelf, vec![wanted.clone()]);
        expect_row(shelf, &wanted);
    }
    for length in [1, 16, 24, 32] {
        let mut wanted = row(Kind::Ledger, 1, 1, b"id");
        wanted.header.id = RowId::new(&[0xFF; 32][..length]).unwrap();
        put(shelf, vec![wanted.clone()]);
        expect_row(shelf, &wanted);
    }
    assert_eq!(all(shelf, Kind::Ledger).unwrap().len(), 4, "ids that begin alike are different ids");
}

fn replacing_changes_one_row(shelf: &dyn Shelf) {
    put(shelf, (0..10).map(|number| row(Kind::Secret, number, 1, b"old")).collect());
    let mut new = row(Kind::Secret, 4, 2, b"a body that is longer than before");
    new.lookup = None;
    put(shelf, vec![new.clone()]);
    expect_row(shelf, &new);
    for number in (0..10).filter(|number| *number != 4) {
        expect_row(shelf, &row(Kind::Secret, number, 1, b"old"));
    }
}

fn deleting(shelf: &dyn Shelf) {
    put(shelf, (0..3).map(|number| row(Kind::Token, number, 1, b"t")).collect());
    let batch = Batch { put: Vec::new(), delete: vec![(Kind::Token, id(1)), (Kind::Token, id(77))] };
    shelf.commit(batch).expect("taking away what is not there is no error");
    expect_none(shelf, Kind::Token, 1);
    expect_row(shelf, &row(Kind::Token, 0, 1, b"t"));
    expect_row(shelf, &row(Kind::Token, 2, 1, b"t"));
}

fn deletions_come_first(shelf: &dyn Shelf) {
    put(shelf, vec![row(Kind::Token, 1, 1, b"old")]);
    let batch = Batch { put: vec![row(Kind::Token, 1, 2, b"new")], delete: vec![(Kind::Token, id(1))] };
    shelf.commit(batch).unwrap();
    expect_row(shelf, &row(Kind::Token, 1, 2, b"new"));
}

fn the_later_of_two_stays(shelf: &dyn Shelf) {
    put(shelf, vec![row(Kind::State, 1, 1, b"first"), row(Kind::State, 1, 2, b"second")]);
    expect_row(shelf, &row(Kind::State, 1, 2, b"second"));
    assert_eq!(all(shelf, Kind::State).unwrap().len(), 1);
}

fn kinds_are_apart(shelf: &dyn Shelf) {
    put(shelf, vec![row(Kind::Secret, 1, 1, b"secret"), row(Kind::Version, 1, 1, b"version")]);
    let batch = Batch { put: Vec::new(), delete: vec![(Kind::Secret, id(1))] };
    shelf.commit(batch).unwrap();
    expect_none(shelf, Kind::Secret, 1);
    expect_row(shelf, &row(Kind::Version, 1, 1, b"version"));
    assert!(all(shelf, Kind::Secret).unwrap().is_empty());
}

fn scan_is_in_order_and_whole(shelf: &dyn Shelf) {
    let shuffled: Vec<u64> = (0..300).map(|number| number * 7919 % 300).collect();
    put(shelf, shuffled.iter().map(|number| row(Kind::Secret, *number, 1, &number.to_be_bytes())).collect());
    put(shelf, vec![row(Kind::Token, 1, 1, b"another kind")]);
    let found = all(shelf, Kind::Secret).unwrap();
    assert_eq!(found.len(), 300);
    for (number, found) in (0..).zip(&found) {
        assert!(same(found, &row(Kind::Secret, number, 1, &number.to_be_bytes())), "in the order of ids");
    }
}

fn scan_leaves_long_bodies(shelf: &dyn Shelf) {
    let lengths = [0usize, 4095, 4096, 4097, 50_000];
    put(
        shelf,
        (0..).zip(lengths).map(|(number, length)| row(Kind::Version, number, 1, &vec![7; length])).collect(),
    );
    let mut seen = Vec::new();
    let visit = &mut |found| {
        let (header, length, whole) = match found {
            Scanned::Row(row) => (row.header, row.body.len() as u64, true),
            Scanned::Facts(facts) => {
                let wanted = row(Kind::Version, seen.len() as u64, 1, b"");
                assert!(
                    facts.nonce == wanted.nonce && facts.tag == wanted.tag && facts.lookup == wanted.lookup
                );
                (facts.header, facts.body_len, false)
            }
        };
        assert_eq!(header, row(Kind::Version, seen.len() as u64, 1, b"").header);
        seen.push((length, whole));
        ControlFlow::Continue(())
    };
    shelf.scan(Kind::Version, 4096, visit).unwrap();
    assert_eq!(seen, [(0, true), (4095, true), (4096, true), (4097, false), (50_000, false)]);
}

fn scan_stops_when_told(shelf: &dyn Shelf) {
    put(shelf, (0..50).map(|number| row(Kind::Secret, number, 1, b"s")).collect());
    let mut seen = 0;
    let visit = &mut |_| {
        seen += 1;
        if seen == 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    shelf.scan(Kind::Secret, 10, visit).unwrap();
    assert_eq!(seen, 20);
    put(shelf, vec![row(Kind::Secret, 60, 1, b"a scan that was cut short holds nothing up")]);
}

fn scan_shows_one_moment(shelf: &dyn Shelf) {
    put(shelf, (0..40).map(|number| row(Kind::Secret, number, 1, b"before")).collect());
    let mut seen = 0;
    let visit = &mut |found| {
        let Scanned::Row(found) = found else { panic!("short bodies are shown") };
        assert_eq!(&*found.body, b"before", "a scan sees nothing that was committed after it began");
        if seen == 0 {
            put(shelf, (0..80).map(|number| row(Kind::Secret, number, 2, b"after")).collect());
            expect_row(shelf, &row(Kind::Secret, 39, 2, b"after"));
        }
        seen += 1;
        ControlFlow::Continue(())
    };
    shelf.scan(Kind::Secret, 100, visit).unwrap();
    assert_eq!(seen, 40);
}

fn empty_batch_changes_nothing(shelf: &dyn Shelf) {
    put(shelf, vec![row(Kind::Setting, 1, 1, b"s")]);
    shelf.commit(Batch::new()).unwrap();
    expect_row(shelf, &row(Kind::Setting, 1, 1, b"s"));
}

/// Each writer moves its own pair of rows on together; readers must never see a scan with a pair torn.
fn writers_and_readers_at_once(shelf: &dyn Shelf) {
    const WRITERS: u64 = 4;
    const ROUNDS: u64 = 20;
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                for round in 1..=ROUNDS {
                    let pair = [writer * 2, writer * 2 + 1];
                    put(shelf, pair.map(|number| row(Kind::Secret, number, round, b"pair")).to_vec());
                    expect_row(shelf, &row(Kind::Secret, pair[1], round, b"pair"));
                }
            });
        }
        scope.spawn(move || {
            for _ in 0..ROUNDS {
                let found = all(shelf, Kind::Secret).expect("reads go on while others write");
                for pair in found.chunks(2) {
                    let revisions: Vec<u64> = pair.iter().map(|row| row.header.revision).collect();
                    assert!(
                        revisions.len() == 2 && revisions[0] == revisions[1],
                        "a commit is whole or absent"
                    );
                }
            }
        });
    });
    let found = all(shelf, Kind::Secret).unwrap();
    assert!(found.len() as u64 == WRITERS * 2 && found.iter().all(|row| row.header.revision == ROUNDS));
}

fn sound_and_sized(shelf: &dyn Shelf) {
    let before = shelf.size().unwrap();
    put(shelf, vec![row(Kind::Version, 1, 1, &[1; 100_000])]);
    shelf.quick_check().unwrap();
    assert!(shelf.size().unwrap() >= before + 90_000, "the size follows what was written");
}
