//! The row state: counts and sums that follow every change.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Seeded, World};
use hqv_crypto::row_state::{RowState, Tallies};
use hqv_model::{Kind, Row, RowId, Timestamp, array};
use proptest::prelude::*;

fn mac_of(seed: u64) -> [u8; 64] {
    array(&mut Seeded::new(seed))
}

proptest! {
    #[test]
    fn order_does_not_count_and_removal_undoes(
        macs in prop::collection::vec((0usize..7, any::<u64>()), 1..20),
        turn in 0usize..20,
    ) {
        let kinds = &Kind::ALL[..7];
        let mut forth = Tallies::default();
        macs.iter().for_each(|(kind, seed)| forth.add(kinds[*kind], &mac_of(*seed)));
        let mut turned = macs.clone();
        turned.rotate_left(turn % macs.len());
        let mut back = Tallies::default();
        turned.iter().for_each(|(kind, seed)| back.add(kinds[*kind], &mac_of(*seed)));
        prop_assert_eq!(&forth, &back);
        for (kind, seed) in &macs {
            back.remove(kinds[*kind], &mac_of(*seed));
        }
        prop_assert_eq!(back, Tallies::default());
    }
}

#[test]
fn sums_carry_across_all_limbs() {
    let (mut tallies, mut one) = (Tallies::default(), [0; 64]);
    one[63] = 1;
    tallies.add(Kind::Secret, &[0xff; 64]);
    tallies.add(Kind::Secret, &one);
    let wrapped = tallies.clone();
    tallies.remove(Kind::Secret, &one);
    tallies.remove(Kind::Secret, &[0xff; 64]);
    assert_eq!(tallies, Tallies::default());
    let mut zeros = Tallies::default();
    zeros.add(Kind::Secret, &[0; 64]);
    zeros.add(Kind::Secret, &[0; 64]);
    assert_eq!(wrapped, zeros, "2^512 - 1 and 1 make zero");
}

#[test]
fn the_state_row_does_not_count_itself() {
    let mut tallies = Tallies::default();
    tallies.add(Kind::State, &[1; 64]);
    assert_eq!(tallies, Tallies::default());
}

#[test]
fn every_fact_of_a_row_changes_its_mac() {
    let mut world = World::new(1);
    let row =
        world.keys.seal_row(Kind::Secret, RowId::of([1; 16]), 2, Some([3; 32]), b"meta", &mut world.rng);
    let mac = world.keys.row_mac(&row.facts(), None);
    for (field, changed) in common::changed_fields(&row) {
        if !field.starts_with("body") {
            assert_ne!(world.keys.row_mac(&changed.facts(), None), mac, "{field}");
        }
    }
    assert_ne!(world.keys.row_mac(&row.facts(), Some(b"")), mac, "a clear body that is empty");
    let clear = |body| world.keys.row_mac(&row.facts(), Some(body));
    assert_ne!(clear(b"one"), clear(b"two"));
    assert_ne!(World::new(2).keys.row_mac(&row.facts(), None), mac, "another key");
}

#[test]
fn a_clear_body_and_a_look_up_hash_are_not_mistaken_for_each_other() {
    let mut world = World::new(3);
    let row = world.keys.seal_row(Kind::Setting, RowId::of([1; 16]), 2, None, b"", &mut world.rng);
    let looked_up = Row { lookup: Some([7; 32]), ..row.clone() };
    let (keys, body) = (&world.keys, [7; 32]);
    assert_ne!(keys.row_mac(&row.facts(), Some(&body)), keys.row_mac(&looked_up.facts(), None));
}

#[test]
fn the_state_comes_back_whole() {
    let mut world = World::new(4);
    let mut state = RowState {
        sequence: 77,
        epoch: 3,
        audit_head: Some((12, [9; 32])),
        vault_time: Timestamp::from_millis(-5),
        ..RowState::default()
    };
    state.add(Kind::Secret, &mac_of(1));
    state.add(Kind::Ledger, &mac_of(2));
    let row = state.seal(&world.keys, &mut world.rng);
    assert_eq!(row.header.revision, 77);
    let back = RowState::open(&row, &world.keys).unwrap();
    assert_eq!((back.sequence, back.epoch, back.audit_head), (77, 3, Some((12, [9; 32]))));
    assert_eq!(back.vault_time, Timestamp::from_millis(-5));
    assert_eq!(back.tallies, state.tallies);
    assert_eq!(back.tallies.of(Kind::Secret).count(), 1);
    assert_eq!(back.tallies.of(Kind::Token).count(), 0);
}

#[test]
fn another_sealed_row_is_not_taken_for_the_state() {
    let mut world = World::new(5);
    let row = RowState::default().seal(&world.keys, &mut world.rng);
    let body = world.keys.open_row(&row).unwrap();
    let other = world.keys.seal_row(Kind::State, RowId::of([1; 16]), 0, None, body.reveal(), &mut world.rng);
    assert!(world.keys.open_row(&other).is_ok());
    assert!(RowState::open(&other, &world.keys).is_err());
}
