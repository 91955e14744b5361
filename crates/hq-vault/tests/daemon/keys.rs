//! The true keys of a vault, derived here from its file and passphrase, step by step as spec/ says: a test
//! that asked the product for them would look for what the product believes.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use hqv_crypto::aead;
use hqv_crypto::cbor::{Fields, FieldsWriter};
use hqv_model::{Kind, Row, VaultId};
use hqv_store::{Scanned, Shelf};
use hqv_store_sqlite::{OpenOptions, SqliteShelf};
use rustls_pki_types::PrivatePkcs8KeyDer;
use sha2::{Digest, Sha256, Sha512};

/// A key and what it is.
pub struct Key {
    /// For people.
    pub name: String,
    /// As it stands in memory.
    pub bytes: Vec<u8>,
    /// Where an unlocked daemon has it.
    pub held: Held,
}

/// Where an unlocked daemon has a key. A locked one has none of them anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// All the time, in locked memory alone.
    Locked,
    /// All the time, prepared for use on the wiped heap.
    Prepared,
    /// Only while it is needed.
    Briefly,
}

impl Key {
    fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>, held: Held) -> Key {
        Key { name: name.into(), bytes: bytes.into(), held }
    }
}

/// Every key that only an unlocked vault may have, and its telling intermediate forms.
pub fn all(vault_dir: &Path, passphrase: &str) -> Vec<Key> {
    let (vault, slots, keyring) = rows(vault_dir);
    let slot = slots.iter().find(|slot| fields_of(slot).u64(1) == Ok(1)).expect("a passphrase slot");
    let kek = slot_key(slot, passphrase);
    let root = root(slot, vault, &kek);
    let sealing = mac(&root, &[b"hq-vault keyring key v1\0", &vault.bytes()]);
    let aad = [keyring.header.encode(), vault.bytes().to_vec()].concat();
    let body = aead::open(&sealing, &keyring.nonce, &aad, &keyring.body, &keyring.tag).expect("the keyring");
    let mut all = vec![
        Key::new("slot key", kek, Held::Briefly),
        Key::new("root key", root, Held::Briefly),
        Key::new("key that seals the keyring", sealing, Held::Briefly),
    ];
    all.extend(ring(body.reveal()));
    all
}

/// Vault id, slots and keyring, from a copy: the daemon's own files are left alone.
fn rows(vault_dir: &Path) -> (VaultId, Vec<Row>, Row) {
    let copy = tempfile::tempdir().unwrap();
    for name in ["vault.db", "vault.db-wal"] {
        fs::copy(vault_dir.join(name), copy.path().join(name)).unwrap();
    }
    let shelf = SqliteShelf::open(&copy.path().join("vault.db"), OpenOptions::default()).unwrap();
    let scan = |kind| {
        let mut rows = Vec::new();
        let mut visit = |scanned| {
            if let Scanned::Row(row) = scanned {
                rows.push(row);
            }
            ControlFlow::Continue(())
        };
        shelf.scan(kind, usize::MAX, &mut visit).unwrap();
        rows
    };
    let keyring = scan(Kind::Keyring).pop().expect("a keyring");
    (shelf.vault_id().unwrap().expect("a vault"), scan(Kind::Slot), keyring)
}

fn fields_of(slot: &Row) -> Fields<'_> {
    Fields::parse(&slot.body, &[1, 2, 3, 4, 5, 6, 7]).expect("a slot's body")
}

fn slot_key(slot: &Row, passphrase: &str) -> [u8; 32] {
    let fields = fields_of(slot);
    let cost = |at| fields.u32(at).unwrap();
    let params = Params::new(cost(3), cost(4), cost(5), Some(32)).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut key = [0; 32];
    argon2.hash_password_into(passphrase.as_bytes(), fields.bytes(2).unwrap(), &mut key).unwrap();
    key
}

fn root(slot: &Row, vault: VaultId, kek: &[u8; 32]) -> [u8; 32] {
    let fields = fields_of(slot);
    let mut clear = FieldsWriter::new();
    clear.u64(1, fields.u64(1).unwrap());
    for at in [2, 6] {
        clear.bytes(at, fields.bytes(at).unwrap());
    }
    for at in [3, 4, 5] {
        clear.u64(at, fields.u64(at).unwrap());
    }
    let aad = [&slot.header.encode()[..], &vault.bytes(), &clear.finish()].concat();
    let mut key = *fields.array::<32>(7).unwrap();
    aead::open_in_place(kek, &slot.nonce, &aad, &mut key, &slot.tag).expect("the slot");
    key
}

fn ring(body: &[u8]) -> Vec<Key> {
    let fields = Fields::parse(body, &[1, 2, 3, 4, 5, 6, 7]).expect("the keyring's body");
    let bytes = |at| fields.bytes(at).unwrap().to_vec();
    let mut all = vec![
        Key::new("path-index key", bytes(1), Held::Locked),
        Key::new("row-state key", bytes(2), Held::Locked),
        Key::new("audit signing key", bytes(3), Held::Locked),
        Key::new("audit reading key", bytes(4), Held::Locked),
        Key::new("key of the CA", bytes(5), Held::Locked),
    ];
    let mut terms = fields.items(7).unwrap();
    while !terms.is_empty() {
        let mut term = terms.items().unwrap();
        let number = term.u64().unwrap();
        all.push(Key::new(format!("value key of term {number}"), *term.array::<32>().unwrap(), Held::Locked));
        all.push(Key::new(
            format!("metadata key of term {number}"),
            *term.array::<32>().unwrap(),
            Held::Locked,
        ));
    }
    all.extend(forms(&bytes(1), &bytes(2), &bytes(3), &bytes(5)));
    all
}

/// What libraries make of the keys while they work with them.
fn forms(path_index: &[u8], row_state: &[u8], signing: &[u8], ca: &[u8]) -> Vec<Key> {
    let expanded = Sha512::digest(signing);
    let scalar = scalar_of(ca);
    let reversed: Vec<u8> = scalar.iter().rev().copied().collect();
    let mut all = vec![
        // RFC 8032 section 5.1.5.
        Key::new("audit signing key, expanded", &expanded[..32], Held::Briefly),
        Key::new("audit signing key, its prefix", &expanded[32..], Held::Briefly),
        Key::new("key of the CA, as words", reversed, Held::Briefly),
    ];
    for (pad, half) in [(0x36, "inner"), (0x5c, "outer")] {
        all.push(Key::new(
            format!("path-index key, {half} state"),
            state_256(path_index, pad),
            Held::Prepared,
        ));
        all.push(Key::new(format!("row-state key, {half} state"), state_512(row_state, pad), Held::Prepared));
    }
    all
}

/// The private number in a PKCS#8 key of P-256: the octet string of 32 bytes (RFC 5915).
fn scalar_of(pkcs8: &[u8]) -> Vec<u8> {
    let der = PrivatePkcs8KeyDer::from(pkcs8).secret_pkcs8_der().to_vec();
    let at = der.windows(5).position(|part| part == [0x02, 0x01, 0x01, 0x04, 0x20]).expect("an EC key");
    der[at + 5..at + 37].to_vec()
}

/// HMAC's state after the padded key (RFC 2104): as good as the key.
fn state_256(key: &[u8], pad: u8) -> Vec<u8> {
    let mut block = [pad; 64];
    block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
    let mut state = [
        0x6a09_e667u32,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    sha2::block_api::compress256(&mut state, &[block]);
    state.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn state_512(key: &[u8], pad: u8) -> Vec<u8> {
    let mut block = [pad; 128];
    block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
    let mut state = [
        0x6a09_e667_f3bc_c908u64,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179,
    ];
    sha2::block_api::compress512(&mut state, &[block]);
    state.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}
