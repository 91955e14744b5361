//! EN5, CR4: what the entry page sends opens with the entry's key and its place only; vectors in both directions.
//!
//! `HQV_WRITE_VECTORS=1 cargo test -p hqv-crypto --test en5_entry_seal` writes `from-rust.json` anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod common;

use common::Seeded;
use hqv_crypto::entry_seal::{EntryKey, INFO, PUBLIC, TAG, info, seal};
use hqv_model::{EntryId, SecretPath, VaultId, array};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/entry").join(name)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap().as_bytes();
    text.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn fixed<const N: usize>(value: &Value) -> [u8; N] {
    unhex(value).try_into().unwrap()
}

fn place(n: u8, path: &str, overwrite: bool) -> Vec<u8> {
    let path = SecretPath::parse(path).unwrap();
    info(VaultId::from_bytes([1; 16]), EntryId::from_bytes([n; 16]), &path, overwrite)
}

fn made(path: &str, overwrite: bool, plain: &[u8], rng: &mut Seeded) -> Value {
    let (vault, entry, seed) = (VaultId::from_bytes(array(rng)), EntryId::from_bytes(array(rng)), array(rng));
    let key = EntryKey::from_seed(&seed);
    let info = info(vault, entry, &SecretPath::parse(path).unwrap(), overwrite);
    let (enc, ciphertext) = seal(&key.public(), &info, plain, rng).unwrap();
    json!({
        "vault": hex(&vault.bytes()), "vault_id": vault.to_string(),
        "entry": hex(&entry.bytes()), "entry_id": entry.to_string(),
        "path": path, "overwrite": overwrite,
        "seed": hex(&seed), "public": hex(&key.public()), "info": hex(&info),
        "plain": hex(plain), "enc": hex(&enc), "ciphertext": hex(&ciphertext),
    })
}

fn write_ours() {
    let rng = &mut Seeded::new(0x656e_7472_7901);
    let long: Vec<u8> = (0..=255).collect();
    let sealed = [
        made("stripe/secret-key", false, b"sk_live_51HqVaultExampleOnly00000", rng), // made up
        made("x", true, b"", rng),
        made("\u{e4}/\u{1f511}", false, &long, rng),
    ];
    let text = serde_json::to_string_pretty(&json!({"made_by": "hqv-crypto", "sealed": sealed})).unwrap();
    fs::write(file("from-rust.json"), text + "\n").unwrap();
}

#[test]
fn cr4_entry_vectors_of_both_implementations_open() {
    if std::env::var_os("HQV_WRITE_VECTORS").is_some() {
        write_ours();
    }
    for (name, least) in [("from-rust.json", 3), ("from-python.json", 4)] {
        let vectors: Value = serde_json::from_slice(&fs::read(file(name)).unwrap()).unwrap();
        let sealed = vectors["sealed"].as_array().unwrap();
        assert!(sealed.len() >= least, "{name}");
        for vector in sealed {
            let key = EntryKey::from_seed(&fixed(&vector["seed"]));
            assert_eq!(hex(&key.public()), vector["public"].as_str().unwrap());
            let (vault, entry) = (fixed(&vector["vault"]), fixed(&vector["entry"]));
            let (vault, entry) = (VaultId::from_bytes(vault), EntryId::from_bytes(entry));
            assert_eq!(vector["entry_id"], entry.to_string());
            let path = SecretPath::parse(vector["path"].as_str().unwrap()).unwrap();
            let info = info(vault, entry, &path, vector["overwrite"].as_bool().unwrap());
            assert_eq!(info, unhex(&vector["info"]), "info of {path}");
            let opened = key.open(&info, &unhex(&vector["enc"]), &unhex(&vector["ciphertext"])).unwrap();
            assert_eq!(opened.reveal(), unhex(&vector["plain"]), "{name}: {path}");
        }
    }
}

#[test]
fn en5_a_value_opens_for_its_own_entry_path_and_overwrite_flag_only() {
    let key = EntryKey::new(&mut Seeded::new(1));
    let here = place(2, "a/b", false);
    assert_eq!(here.len(), INFO);
    let (enc, sealed) = seal(&key.public(), &here, b"value", &mut Seeded::new(2)).unwrap();
    assert_eq!((enc.len(), sealed.len()), (PUBLIC, 5 + TAG));
    assert_eq!(key.open(&here, &enc, &sealed).unwrap().reveal(), b"value");
    for other in [place(3, "a/b", false), place(2, "a/c", false), place(2, "a/b", true), Vec::new()] {
        assert!(key.open(&other, &enc, &sealed).is_err());
    }
    let elsewhere = info(
        VaultId::from_bytes([9; 16]),
        EntryId::from_bytes([2; 16]),
        &SecretPath::parse("a/b").unwrap(),
        false,
    );
    assert!(key.open(&elsewhere, &enc, &sealed).is_err(), "another vault");
    let stranger = EntryKey::new(&mut Seeded::new(3));
    assert!(stranger.open(&here, &enc, &sealed).is_err(), "another key");
}

#[test]
fn en5_every_flipped_byte_and_every_truncation_is_found() {
    let key = EntryKey::new(&mut Seeded::new(1));
    let (enc, sealed) = seal(&key.public(), b"i", b"value", &mut Seeded::new(2)).unwrap();
    for at in 0..enc.len() {
        let mut changed = enc;
        changed[at] ^= 1;
        assert!(key.open(b"i", &changed, &sealed).is_err(), "byte {at} of the key");
        assert!(key.open(b"i", &enc[..at], &sealed).is_err(), "key cut at {at}");
    }
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(key.open(b"i", &enc, &changed).is_err(), "byte {at}");
        assert!(key.open(b"i", &enc, &sealed[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn en5_a_point_that_is_not_on_the_curve_is_refused_everywhere() {
    let key = EntryKey::new(&mut Seeded::new(1));
    let mut off = key.public();
    off[64] ^= 1;
    let infinity = [0; PUBLIC];
    let compressed = {
        let mut point = key.public();
        point[0] = 2;
        point
    };
    for bad in [off, infinity, compressed] {
        assert!(seal(&bad, b"", b"v", &mut Seeded::new(2)).is_err());
        assert!(key.open(b"", &bad, &[0; 32]).is_err());
    }
    assert!(key.open(b"", &[], &[]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn en5_any_value_comes_back_and_no_two_sealings_are_alike(
        plain in proptest::collection::vec(any::<u8>(), 0..2000),
        seed in any::<u64>(),
    ) {
        let rng = &mut Seeded::new(seed);
        let key = EntryKey::new(rng);
        let (enc, sealed) = seal(&key.public(), b"i", &plain, rng).unwrap();
        let again = seal(&key.public(), b"i", &plain, rng).unwrap();
        prop_assert_ne!(&again.0, &enc);
        let opened = key.open(b"i", &enc, &sealed).unwrap();
        prop_assert_eq!(opened.reveal(), &plain[..]);
    }

    #[test]
    fn en6_no_bytes_make_it_panic(
        enc in proptest::collection::vec(any::<u8>(), 0..80),
        sealed in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        prop_assert!(EntryKey::from_seed(&[7; 32]).open(b"i", &enc, &sealed).is_err());
    }
}
