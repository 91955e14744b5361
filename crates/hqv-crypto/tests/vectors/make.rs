//! Makes a small vault and writes down everything about it.

use hqv_crypto::cbor::FieldsWriter;
use hqv_crypto::row_state::RowState;
use hqv_crypto::slot::{self, KdfParams};
use hqv_crypto::wire::{self, CredentialKind};
use hqv_crypto::{Keyring, RootKey, VaultKeys, aead, hybrid, settings};
use hqv_model::{Kind, Row, RowId, SecretBytes, SecretId, SecretPath, SlotId, Timestamp, VaultId, array};
use serde_json::{Value, json};

use super::check::{IDLE_MINUTES, REMOTE_ADMIN, is_clear};
use super::{hex, row_to_json};
use crate::common::Seeded;

const PASSPHRASE: &str = "correct horse battery st\u{e4}ple";

pub fn world() -> Value {
    let mut rng = Seeded::new(0x0068_7176_6175_6c74);
    let vault = VaultId::from_bytes(array(&mut rng));
    let root = RootKey::generate(&mut rng);
    let (slots, slot_values) = slots(&root, vault, &mut rng);
    let fresh = Keyring::generate(vault, &mut rng).unwrap();
    let keyring = fresh.seal(&root, vault, 2, 1, &mut rng);
    let keys = VaultKeys::new(vault, 2, fresh);
    let locked = locked_settings(&keys);
    let mut rows: Vec<(Row, Vec<u8>)> = slots.into_iter().map(|row| (row, Vec::new())).collect();
    rows.push((keyring.clone(), Vec::new()));
    rows.push((locked.clone(), Vec::new()));
    rows.extend(sealed_rows(&keys, &mut rng));
    let state = state(&keys, &rows, &mut rng);
    let leaf_names = ["localhost", "127.0.0.1", "::1", "host.docker.internal"].map(str::to_owned);
    let leaf =
        keys.ca().issue_leaf(&leaf_names, Timestamp::from_millis(1_795_561_200_000), &mut rng).unwrap();
    let public = keys.audit_identity().public();
    json!({
        "made_by": "hqv-crypto",
        "vault": hex(&vault.bytes()),
        "epoch": 2,
        "slots": slot_values,
        "keyring": row_to_json(&keyring),
        "identity": {"signing": hex(&public.signing), "reading": hex(&public.reading)},
        "ca": {
            "cert": hex(keys.ca().cert_der()),
            "pin": hex(&wire::pin_of(keys.ca().cert_der())),
            "fingerprint": wire::fingerprint_of(keys.ca().cert_der()),
            "leaf": hex(&leaf.cert_der),
            "leaf_names": leaf_names,
        },
        "rows": rows.iter().map(|(row, plain)| row_vector(&keys, row, plain)).collect::<Vec<_>>(),
        "state": state,
        "settings": {"row": row_to_json(&locked), "idle_minutes": 30, "remote_admin": false},
        "paths": (["myapp/database-url", "a", "caf\u{e9}/\u{3b1}"].map(|path| path_vector(&keys, path))),
        "tokens": tokens(&mut rng),
        "not_tokens": not_tokens(&mut rng),
        "xchacha": ([0, 1, 63, 64, 100, 1000].map(|len| xchacha(len, &mut rng))),
        "hybrid": ([0, 32, 100].map(|len| sealed_to_a_key(len, &mut rng))),
    })
}

fn slots(root: &RootKey, vault: VaultId, rng: &mut Seeded) -> (Vec<Row>, Value) {
    let phrase = SecretBytes::from_slice(PASSPHRASE.as_bytes());
    let (one, two) = (SlotId::from_bytes(array(rng)), SlotId::from_bytes(array(rng)));
    let by_phrase = slot::seal_passphrase(root, vault, one, &phrase, KdfParams::DEFAULT, rng).unwrap();
    let (by_key, text) = slot::seal_recovery(root, vault, two, rng);
    let values = json!([
        {"with": "passphrase", "secret": PASSPHRASE, "row": row_to_json(&by_phrase)},
        {"with": "recovery", "secret": text.reveal(), "row": row_to_json(&by_key)},
    ]);
    (vec![by_phrase, by_key], values)
}

fn locked_settings(keys: &VaultKeys) -> Row {
    let mut fields = FieldsWriter::new();
    fields.u64(IDLE_MINUTES, 30).bool(REMOTE_ADMIN, false);
    settings::sign_locked(keys, 3, fields)
}

fn sealed_rows(keys: &VaultKeys, rng: &mut Seeded) -> Vec<(Row, Vec<u8>)> {
    let secret = SecretId::from_bytes(array(rng));
    let lookup = keys.lookup(&SecretPath::parse("myapp/database-url").unwrap());
    let rows = [
        (Kind::Setting, settings::sealed_row_id(), 4, None, "\u{a0}"),
        (Kind::Secret, RowId::of(secret.bytes()), 7, Some(lookup), "what a secret row seals"),
        (Kind::Version, RowId::of_version(secret, 1), 1, None, "postgres://one"),
        (Kind::Version, RowId::of_version(secret, 2), 1, None, ""),
        (Kind::Token, RowId::of(array(rng)), u64::MAX, None, "what a token row seals"),
        (Kind::Ledger, RowId::new(&[5; 32]).unwrap(), 1, None, "what a ledger row seals"),
    ];
    let seal = |(kind, id, revision, lookup, plain): (Kind, RowId, u64, Option<[u8; 32]>, &str)| {
        (keys.seal_row(kind, id, revision, lookup, plain.as_bytes(), rng), plain.as_bytes().to_vec())
    };
    rows.into_iter().map(seal).collect()
}

fn row_vector(keys: &VaultKeys, row: &Row, plain: &[u8]) -> Value {
    let clear = is_clear(row).then_some(&row.body[..]);
    json!({
        "row": row_to_json(row),
        "plain": hex(plain),
        "mac": hex(&keys.row_mac(&row.facts(), clear)),
    })
}

fn state(keys: &VaultKeys, rows: &[(Row, Vec<u8>)], rng: &mut Seeded) -> Value {
    let mut state = RowState {
        sequence: 41,
        epoch: 2,
        audit_head: Some((1234, array(rng))),
        vault_time: Timestamp::from_millis(1_795_561_200_123),
        ..RowState::default()
    };
    for (row, _) in rows {
        let clear = is_clear(row).then_some(&row.body[..]);
        state.add(row.header.kind, &keys.row_mac(&row.facts(), clear));
    }
    let (sequence, head) = state.audit_head.unwrap();
    json!({
        "row": row_to_json(&state.seal(keys, rng)),
        "sequence": 41,
        "epoch": 2,
        "vault_time": 1_795_561_200_123i64,
        "audit_sequence": sequence,
        "audit_head": hex(&head),
    })
}

fn path_vector(keys: &VaultKeys, path: &str) -> Value {
    json!({"path": path, "lookup": hex(&keys.lookup(&SecretPath::parse(path).unwrap()))})
}

fn tokens(rng: &mut Seeded) -> Value {
    let kinds = [("token", CredentialKind::Token), ("session", CredentialKind::Session)];
    let mut all = Vec::new();
    for (name, kind) in kinds {
        for pin in [None, Some(array(rng))] {
            let secret = array(rng);
            all.push(json!({
                "kind": name,
                "secret": hex(&secret),
                "pin": pin.map(|pin| hex(&pin)),
                "text": wire::encode(kind, &secret, pin.as_ref()).reveal(),
                "hash": hex(&wire::hash(kind, &secret)),
            }));
        }
    }
    Value::Array(all)
}

fn not_tokens(rng: &mut Seeded) -> Value {
    let whole = wire::encode(CredentialKind::Token, &array(rng), None);
    let whole = whole.reveal();
    let mistyped = whole.chars().rev().collect::<String>();
    json!([
        {"text": "", "error": "not-one"},
        {"text": mistyped, "error": "not-one"},
        {"text": &whole[..74], "error": "cut"},
        {"text": &whole[..4], "error": "cut"},
        {"text": format!("{whole}A"), "error": "mistyped"},
        {"text": whole.replacen("hqv_", "hqs_", 1), "error": "mistyped"},
        {"text": format!("{}+", &whole[..74]), "error": "mistyped"},
    ])
}

fn xchacha(len: usize, rng: &mut Seeded) -> Value {
    let (key, nonce, aad) = (array(rng), array(rng), array::<20>(rng));
    let plain: Vec<u8> = (0..len).map(|at| at as u8).collect();
    let mut sealed = Vec::new();
    let tag = aead::seal(&key, &nonce, &aad, &plain, &mut sealed);
    json!({
        "key": hex(&key), "nonce": hex(&nonce), "aad": hex(&aad),
        "plain": hex(&plain), "sealed": hex(&sealed), "tag": hex(&tag),
    })
}

fn sealed_to_a_key(len: usize, rng: &mut Seeded) -> Value {
    let private: [u8; 32] = array(rng);
    let (public, plain) = (hybrid::public_of(&private), vec![7; len]);
    let sealed = hybrid::seal(&public, b"some info", b"some aad", &plain, rng).unwrap();
    json!({
        "private": hex(&private), "public": hex(&public), "info": hex(b"some info"),
        "aad": hex(b"some aad"), "plain": hex(&plain), "sealed": hex(&sealed),
    })
}
