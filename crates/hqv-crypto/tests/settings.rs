//! The clear settings row holds only as it was signed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{OTHER_VAULT, VAULT, World, changed_fields, flipped_bytes};
use hqv_crypto::cbor::FieldsWriter;
use hqv_crypto::settings::{self, SettingsError};
use hqv_model::Row;

fn signed(world: &World) -> Row {
    let mut fields = FieldsWriter::new();
    fields.u64(5, 1_800_000).bool(6, false);
    settings::sign_locked(&world.keys, 4, fields)
}

fn read(row: &Row) -> Result<u64, SettingsError> {
    settings::read_locked(row, VAULT, None, &[5, 6]).map(|(_, fields)| fields.u64(5).unwrap())
}

#[test]
fn a_signed_row_is_read_with_and_without_the_identity() {
    let world = World::new(1);
    let row = signed(&world);
    let public = world.keys.audit_identity().public();
    assert_eq!(read(&row), Ok(1_800_000));
    let (found, fields) = settings::read_locked(&row, VAULT, Some(&public), &[5, 6]).unwrap();
    assert_eq!((found, fields.bool(6)), (public, Ok(false)));
}

#[test]
fn cr5_every_field_of_the_clear_row_is_signed() {
    let world = World::new(2);
    let row = signed(&world);
    for (field, changed) in changed_fields(&row) {
        assert!(read(&changed).is_err(), "{field}");
    }
    for changed in flipped_bytes(&row) {
        assert!(read(&changed).is_err());
    }
    assert_eq!(settings::read_locked(&row, OTHER_VAULT, None, &[5, 6]).err(), Some(SettingsError::NotSigned));
}

#[test]
fn a_row_signed_by_another_identity_is_refused_once_ours_is_known() {
    let (world, stranger) = (World::new(3), World::new(4));
    let row = signed(&stranger);
    let ours = world.keys.audit_identity().public();
    let refused = settings::read_locked(&row, VAULT, Some(&ours), &[5, 6]).err();
    assert_eq!(refused, Some(SettingsError::NotSigned));
}

#[test]
fn unknown_settings_are_refused_and_newer_ones_passed_over() {
    let world = World::new(5);
    let row = signed(&world);
    assert_eq!(settings::read_locked(&row, VAULT, None, &[5]).err(), Some(SettingsError::Malformed));
    let mut fields = FieldsWriter::new();
    fields.u64(5, 1).bool(6, true).text(200, "later");
    let newer = settings::sign_locked(&world.keys, 4, fields);
    let (_, fields) = settings::read_locked(&newer, VAULT, None, &[5, 6]).unwrap();
    assert!(!fields.kept().is_empty());
}
