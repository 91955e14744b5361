//! CR8: no nonce and no token comes twice.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::World;
use hqv_crypto::wire::{self, CredentialKind};
use hqv_model::{Entropy, Kind, RowId, array};

/// The operating system's randomness, as the daemon uses it.
struct System;

impl Entropy for System {
    fn fill(&mut self, bytes: &mut [u8]) {
        hqv_sys::random::fill(bytes).expect("the system gives random bytes");
    }
}

/// Half of a 24-byte nonce or a 32-byte hash tells a repeat as well as the whole, in half the memory.
fn all_differ(mut seen: Vec<[u8; 16]>) -> bool {
    seen.sort_unstable();
    seen.windows(2).all(|two| two[0] != two[1])
}

fn rounds() -> usize {
    if common::long() { 10_000_000 } else { 20_000 }
}

#[test]
fn cr8_nonces_do_not_repeat() {
    let world = World::new(1);
    let nonces = (0..rounds()).map(|_| {
        let row = world.keys.seal_row(Kind::Token, RowId::of([1; 16]), 1, None, b"", &mut System);
        *row.nonce.last_chunk().unwrap()
    });
    assert!(all_differ(nonces.collect()));
}

#[test]
fn cr8_tokens_do_not_repeat() {
    let tokens = (0..rounds()).map(|_| {
        let secret: [u8; 32] = array(&mut System);
        *wire::hash(CredentialKind::Token, &secret).first_chunk().unwrap()
    });
    assert!(all_differ(tokens.collect()));
}

#[test]
fn cr8_a_repeat_would_be_seen() {
    assert!(!all_differ(vec![[1; 16], [2; 16], [1; 16]]));
}
