//! How long the short operations take, in nanoseconds: `cargo run --release -p hqv-crypto --example timing`.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::hint::black_box;
use std::time::Instant;

use hqv_crypto::{Keyring, RootKey, VaultKeys, aead, ed25519, slot, wire};
use hqv_model::{Entropy, Kind, RowId, SecretBytes, SecretPath, SlotId, VaultId};

struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(1);
            chunk.copy_from_slice(&self.0.to_le_bytes()[..chunk.len()]);
        }
    }
}

fn time<T>(name: &str, rounds: u32, mut work: impl FnMut() -> T) {
    for _ in 0..rounds / 10 {
        black_box(work());
    }
    let start = Instant::now();
    for _ in 0..rounds {
        black_box(work());
    }
    let each = start.elapsed().as_nanos() / u128::from(rounds);
    println!("{name:36} {each:>8} ns");
}

fn main() {
    let mut rng = Counting(1);
    let vault = VaultId::from_bytes([7; 16]);
    let keys = VaultKeys::new(vault, 1, Keyring::generate(vault, &mut rng).unwrap());
    let (key, nonce) = ([3; 32], [5; 24]);
    for len in [32usize, 100, 512, 4096] {
        let plain = vec![9; len];
        let mut buf = plain.clone();
        let mut sealed = Vec::new();
        let tag = aead::seal(&key, &nonce, b"aad", &plain, &mut sealed);
        time(&format!("aead seal_in_place {len}"), 200_000, || {
            aead::seal_in_place(&key, &nonce, b"aad", &mut buf)
        });
        time(&format!("aead open {len}"), 200_000, || {
            aead::open(&key, &nonce, b"aad", &sealed, &tag).unwrap()
        });
    }
    let row = keys.seal_row(Kind::Secret, RowId::of([1; 16]), 3, Some([4; 32]), &[9; 100], &mut rng);
    time("seal_row 100", 200_000, || {
        keys.seal_row(Kind::Secret, RowId::of([1; 16]), 3, Some([4; 32]), &[9; 100], &mut rng)
    });
    time("open_row 100", 200_000, || keys.open_row(&row).unwrap());
    let facts = row.facts();
    time("row_mac", 200_000, || keys.row_mac(&facts, None));
    let path = SecretPath::parse("myapp/database-url").unwrap();
    time("lookup", 200_000, || keys.lookup(&path));
    let text = wire::encode(wire::CredentialKind::Token, &[8; 32], Some(&[1; 16]));
    time("wire parse", 200_000, || wire::parse(text.reveal()).unwrap());
    time("wire hash", 200_000, || wire::hash(wire::CredentialKind::Token, &[8; 32]));
    let secret = slot::SlotSecret::Passphrase(SecretBytes::from_slice(b"passphrase"));
    let slot::SlotSecret::Passphrase(phrase) = &secret else {
        return;
    };
    let (id, cost) = (SlotId::from_bytes([1; 16]), slot::KdfParams::DEFAULT);
    let root = RootKey::generate(&mut rng);
    let row = slot::seal_passphrase(&root, vault, id, phrase, cost, &mut rng).unwrap();
    time("slot::open with 256 MiB", 5, || slot::open(&row, vault, &secret).is_ok());
    time("ed25519 sign", 2_000, || ed25519::sign(&key, b"message"));
    let (public, signature) = (ed25519::public_of(&key), ed25519::sign(&key, b"message"));
    time("ed25519 verify", 2_000, || ed25519::verify(&public, b"message", &signature));
}
