//! CR1 and CR5: a sealed row opens in its own place, unchanged, and nowhere else.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{OTHER_VAULT, VAULT, World, changed_fields, flipped_bytes};
use hqv_crypto::row_state::RowState;
use hqv_crypto::{Keyring, VaultKeys, slot};
use hqv_model::{Kind, Row, RowId, SecretId, SlotId};

/// One row of every kind that the vault keys seal.
fn sealed_rows(world: &mut World) -> Vec<Row> {
    let rows = [
        (Kind::Setting, RowId::new(b"sealed").unwrap(), None),
        (Kind::Secret, RowId::of([1; 16]), Some([7; 32])),
        (Kind::Version, RowId::of_version(SecretId::from_bytes([1; 16]), 3), None),
        (Kind::Token, RowId::of([2; 16]), None),
        (Kind::Ledger, RowId::new(&[3; 32]).unwrap(), None),
        (Kind::State, RowState::row_id(), None),
    ];
    rows.into_iter()
        .map(|(kind, id, lookup)| world.keys.seal_row(kind, id, 5, lookup, b"content", &mut world.rng))
        .collect()
}

#[test]
fn every_kind_opens_in_its_place() {
    let mut world = World::new(1);
    for row in sealed_rows(&mut world) {
        assert_eq!(world.keys.open_row(&row).unwrap().reveal(), b"content");
    }
}

#[test]
fn cr5_every_aad_field_binds() {
    let mut world = World::new(2);
    let elsewhere = world.keys_for(OTHER_VAULT);
    for row in sealed_rows(&mut world) {
        for (field, changed) in changed_fields(&row) {
            assert!(world.keys.open_row(&changed).is_err(), "{:?}: {field}", row.header.kind);
        }
        assert!(elsewhere.open_row(&row).is_err(), "{:?}: vault", row.header.kind);
    }
}

#[test]
fn cr5_the_keyring_row_binds_every_field() {
    let world = World::new(3);
    assert!(Keyring::open(&world.keyring, &world.root, VAULT).is_ok());
    for (field, changed) in changed_fields(&world.keyring) {
        assert!(Keyring::open(&changed, &world.root, VAULT).is_err(), "{field}");
    }
    assert!(Keyring::open(&world.keyring, &world.root, OTHER_VAULT).is_err());
    let other_root = World::new(4).root;
    assert!(Keyring::open(&world.keyring, &other_root, VAULT).is_err());
}

#[test]
fn cr5_a_slot_row_binds_every_field() {
    let mut world = World::new(5);
    let id = SlotId::from_bytes([9; 16]);
    let (row, text) = slot::seal_recovery(&world.root, VAULT, id, &mut world.rng);
    let secret = || slot::SlotSecret::Recovery(slot::parse_recovery(text.reveal()).unwrap());
    let opened = slot::open(&row, VAULT, &secret()).unwrap();
    assert!(Keyring::open(&world.keyring, &opened, VAULT).is_ok());
    for (field, changed) in changed_fields(&row) {
        assert!(slot::open(&changed, VAULT, &secret()).is_err(), "{field}");
    }
}

#[test]
fn cr5_the_state_row_binds_every_field() {
    let mut world = World::new(6);
    let state = RowState { sequence: 8, ..RowState::default() };
    let row = state.seal(&world.keys, &mut world.rng);
    assert_eq!(RowState::open(&row, &world.keys).unwrap().sequence, 8);
    for (field, changed) in changed_fields(&row) {
        assert!(RowState::open(&changed, &world.keys).is_err(), "{field}");
    }
}

#[test]
fn cr1_every_flipped_byte_is_found() {
    let mut world = World::new(7);
    for row in sealed_rows(&mut world) {
        for changed in flipped_bytes(&row) {
            assert!(world.keys.open_row(&changed).is_err(), "{:?}", row.header.kind);
        }
    }
    for changed in flipped_bytes(&world.keyring) {
        assert!(Keyring::open(&changed, &world.root, VAULT).is_err());
    }
}

#[test]
fn cr1_every_truncation_is_found() {
    let mut world = World::new(8);
    for row in sealed_rows(&mut world) {
        for len in 0..row.body.len() {
            let cut = Row { body: row.body[..len].into(), ..row.clone() };
            assert!(world.keys.open_row(&cut).is_err());
        }
    }
}

#[test]
fn cr1_rows_with_a_reused_nonce_do_not_open_for_each_other() {
    let mut world = World::new(9);
    let path = |world: &mut World, id, lookup| {
        world.keys.seal_row(Kind::Secret, RowId::of(id), 1, Some(lookup), b"one", &mut world.rng)
    };
    let (one, two) = (path(&mut world, [1; 16], [1; 32]), path(&mut world, [2; 16], [2; 32]));
    let forged = Row { nonce: one.nonce, ..two.clone() };
    assert!(world.keys.open_row(&forged).is_err());
    let swapped = Row { header: two.header, lookup: two.lookup, ..one.clone() };
    assert!(world.keys.open_row(&swapped).is_err());
}

#[test]
fn a_value_key_opens_no_metadata() {
    let mut world = World::new(10);
    let id = RowId::of_version(SecretId::from_bytes([1; 16]), 1);
    let version = world.keys.seal_row(Kind::Version, id, 1, None, b"value", &mut world.rng);
    let secret = world.keys.seal_row(Kind::Secret, id, 1, None, b"value", &mut world.rng);
    assert!(version.body != secret.body);
}

#[test]
fn a_keyring_sealed_again_holds_the_same_keys() {
    let mut world = World::new(11);
    let row = world.keys.seal_row(Kind::Token, RowId::of([4; 16]), 1, None, b"token", &mut world.rng);
    let again = world.keys.keyring().seal(&world.root, VAULT, 2, 2, &mut world.rng);
    assert_eq!((again.header.epoch, again.header.revision), (2, 2));
    let keys = VaultKeys::new(VAULT, 2, Keyring::open(&again, &world.root, VAULT).unwrap());
    assert_eq!(keys.open_row(&row).unwrap().reveal(), b"token");
    assert_eq!(keys.ca().cert_der(), world.keys.ca().cert_der());
    assert_eq!(keys.audit_identity().public(), world.keys.audit_identity().public());
}
