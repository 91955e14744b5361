//! Opens everything in a file of vectors.

use hqv_crypto::row_state::{RowState, Tallies};
use hqv_crypto::slot::{self, SlotSecret};
use hqv_crypto::wire::{self, CredentialKind, WireError};
use hqv_crypto::{Keyring, RootKey, VaultKeys, aead, hybrid, settings};
use hqv_model::{Kind, Row, SecretBytes, SecretPath, Timestamp, VaultId};
use serde_json::Value;

use super::{fixed, list, number, optional, row_from_json, text, unhex};
use crate::common::Seeded;

/// Two of the fields of the clear settings row (spec/settings.md).
pub const IDLE_MINUTES: u64 = 3;
pub const REMOTE_ADMIN: u64 = 7;

pub fn world(world: &Value) {
    list(&world["xchacha"]).iter().for_each(xchacha);
    list(&world["hybrid"]).iter().for_each(sealed_to_a_key);
    list(&world["tokens"]).iter().for_each(token);
    list(&world["not_tokens"]).iter().for_each(not_a_token);
    let vault = VaultId::from_bytes(fixed(&world["vault"]));
    let mut root = None;
    for slot in list(&world["slots"]) {
        let opened = open_slot(slot, vault);
        root.get_or_insert(opened);
    }
    let root = root.expect("a slot");
    let keyring = Keyring::open(&row_from_json(&world["keyring"]), &root, vault).expect("the keyring opens");
    every_slot_gives_this_root(world, vault);
    let keys = VaultKeys::new(vault, number(&world["epoch"]) as u32, keyring);
    identity_and_ca(world, &keys);
    rows(world, &keys);
    locked_settings(&world["settings"], &keys);
    for path in list(&world["paths"]) {
        let parsed = SecretPath::parse(text(&path["path"])).unwrap();
        assert_eq!(keys.lookup(&parsed), fixed(&path["lookup"]), "look-up of {parsed}");
    }
}

fn open_slot(slot: &Value, vault: VaultId) -> RootKey {
    let secret = match text(&slot["with"]) {
        "passphrase" => SlotSecret::Passphrase(SecretBytes::from_slice(text(&slot["secret"]).as_bytes())),
        "recovery" => SlotSecret::Recovery(slot::parse_recovery(text(&slot["secret"])).unwrap()),
        other => panic!("unknown slot {other}"),
    };
    slot::open(&row_from_json(&slot["row"]), vault, &secret).expect("the slot opens")
}

fn every_slot_gives_this_root(world: &Value, vault: VaultId) {
    // The recovery slots are quick; the passphrase slot was opened already.
    for slot in list(&world["slots"]).iter().filter(|slot| slot["with"] == "recovery") {
        let root = open_slot(slot, vault);
        assert!(Keyring::open(&row_from_json(&world["keyring"]), &root, vault).is_ok());
    }
}

fn identity_and_ca(world: &Value, keys: &VaultKeys) {
    let public = keys.audit_identity().public();
    assert_eq!(public.signing, fixed(&world["identity"]["signing"]));
    assert_eq!(public.reading, fixed(&world["identity"]["reading"]));
    let ca = keys.ca();
    assert_eq!(ca.cert_der(), unhex(&world["ca"]["cert"]));
    assert_eq!(wire::pin_of(ca.cert_der()), fixed(&world["ca"]["pin"]));
    assert_eq!(wire::fingerprint_of(ca.cert_der()), text(&world["ca"]["fingerprint"]));
    let now = Timestamp::from_millis(1_795_561_200_000);
    assert!(ca.issue_leaf(&["localhost".to_owned()], now, &mut Seeded::new(1)).is_ok());
}

/// Opens every row, and compares the row state with what they add up to.
fn rows(world: &Value, keys: &VaultKeys) {
    let mut tallies = Tallies::default();
    for entry in list(&world["rows"]) {
        let row = row_from_json(&entry["row"]);
        let clear = is_clear(&row).then_some(&row.body[..]);
        if clear.is_none() && row.header.kind != Kind::Keyring {
            assert_eq!(keys.open_row(&row).expect("the row opens").reveal(), unhex(&entry["plain"]));
        }
        let mac = keys.row_mac(&row.facts(), clear);
        assert_eq!(mac.as_slice(), unhex(&entry["mac"]), "{:?}", row.header);
        tallies.add(row.header.kind, &mac);
    }
    let state = RowState::open(&row_from_json(&world["state"]["row"]), keys).expect("the state opens");
    assert_eq!(state.tallies, tallies, "counts and sums");
    assert_eq!(state.sequence, number(&world["state"]["sequence"]));
    assert_eq!(u64::from(state.epoch), number(&world["state"]["epoch"]));
    assert_eq!(Some(state.vault_time.millis()), world["state"]["vault_time"].as_i64());
    let head = state.audit_head.expect("an audit head");
    assert_eq!(head.0, number(&world["state"]["audit_sequence"]));
    assert_eq!(head.1, fixed(&world["state"]["audit_head"]));
}

pub fn is_clear(row: &Row) -> bool {
    row.header.kind == Kind::Slot || row.header.id == settings::locked_row_id()
}

fn locked_settings(vector: &Value, keys: &VaultKeys) {
    let row = row_from_json(&vector["row"]);
    let ours = keys.audit_identity().public();
    let known = [IDLE_MINUTES, REMOTE_ADMIN];
    let (_, fields) = settings::read_locked(&row, keys.vault(), Some(&ours), &known).expect("the signature");
    assert_eq!(fields.u64(IDLE_MINUTES).unwrap(), number(&vector["idle_minutes"]));
    assert_eq!(fields.bool(REMOTE_ADMIN).ok(), vector["remote_admin"].as_bool());
}

fn xchacha(vector: &Value) {
    let (key, nonce, aad) = (fixed(&vector["key"]), fixed(&vector["nonce"]), unhex(&vector["aad"]));
    let (plain, tag) = (unhex(&vector["plain"]), fixed(&vector["tag"]));
    let mut sealed = Vec::new();
    assert_eq!(aead::seal(&key, &nonce, &aad, &plain, &mut sealed), tag);
    assert_eq!(sealed, unhex(&vector["sealed"]));
    assert_eq!(aead::open(&key, &nonce, &aad, &sealed, &tag).unwrap().reveal(), plain);
    let mut in_place = sealed;
    aead::open_in_place(&key, &nonce, &aad, &mut in_place, &tag).unwrap();
    assert_eq!(in_place, plain);
}

fn sealed_to_a_key(vector: &Value) {
    let private = fixed(&vector["private"]);
    assert_eq!(hybrid::public_of(&private), fixed(&vector["public"]));
    let (info, aad, sealed) = (unhex(&vector["info"]), unhex(&vector["aad"]), unhex(&vector["sealed"]));
    let plain = hybrid::open(&private, &info, &aad, &sealed).expect("the sealing opens");
    assert_eq!(plain.reveal(), unhex(&vector["plain"]));
}

fn token(vector: &Value) {
    let kind = match text(&vector["kind"]) {
        "token" => CredentialKind::Token,
        "session" => CredentialKind::Session,
        other => panic!("unknown kind {other}"),
    };
    let (secret, pin) = (fixed(&vector["secret"]), optional(&vector["pin"]));
    assert_eq!(wire::encode(kind, &secret, pin.as_ref()).reveal(), text(&vector["text"]));
    let parsed = wire::parse(text(&vector["text"])).unwrap();
    assert_eq!((parsed.kind, *parsed.secret, parsed.pin), (kind, secret, pin));
    assert_eq!(parsed.hash(), fixed(&vector["hash"]));
}

fn not_a_token(vector: &Value) {
    let expected = match text(&vector["error"]) {
        "not-one" => WireError::NotOne,
        "cut" => WireError::Cut,
        "mistyped" => WireError::Mistyped,
        "version" => WireError::Version,
        other => panic!("unknown error {other}"),
    };
    assert_eq!(wire::parse(text(&vector["text"])).err(), Some(expected), "{}", vector["text"]);
}
