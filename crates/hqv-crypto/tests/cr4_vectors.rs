//! CR4: a whole small vault, made here and made by an independent implementation, opens here to the same
//! bytes. `spec/check_crypto.py` does the same on its side and made `from-python.json`.
//!
//! `HQV_EXTRA_VECTORS=FILE` names a further file, such as `spec/check_crypto.py --make FILE` writes with
//! fresh random keys. `HQV_WRITE_VECTORS=1 cargo test -p hqv-crypto --test cr4_vectors` writes `from-rust.json` anew; needed
//! only when a format changes, which it must not after a release.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod common;
mod vectors;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/crypto").join(name)
}

fn load(name: &str) -> Value {
    serde_json::from_slice(&fs::read(file(name)).unwrap()).unwrap()
}

#[test]
fn cr4_our_own_vectors_open() {
    if std::env::var_os("HQV_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&vectors::make::world()).unwrap();
        fs::write(file("from-rust.json"), text + "\n").unwrap();
    }
    vectors::check::world(&load("from-rust.json"));
}

#[test]
fn cr4_vectors_of_the_independent_implementation_open() {
    vectors::check::world(&load("from-python.json"));
    if let Some(extra) = std::env::var_os("HQV_EXTRA_VECTORS") {
        vectors::check::world(&serde_json::from_slice(&fs::read(extra).unwrap()).unwrap());
    }
}
