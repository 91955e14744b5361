//! Sealing to a public key.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::Seeded;
use hqv_crypto::{AuditIdentity, hybrid};

#[test]
fn only_the_holder_of_the_private_key_opens_and_only_in_context() {
    let identity = AuditIdentity::generate(&mut Seeded::new(1));
    let public = identity.public().reading;
    let sealed = hybrid::seal(&public, b"info", b"aad", b"record key", &mut Seeded::new(2)).unwrap();
    assert_eq!(sealed.len(), 10 + hybrid::OVERHEAD);
    assert_eq!(identity.open(b"info", b"aad", &sealed).unwrap().reveal(), b"record key");
    assert!(identity.open(b"other", b"aad", &sealed).is_err());
    assert!(identity.open(b"info", b"other", &sealed).is_err());
    let stranger = AuditIdentity::generate(&mut Seeded::new(3));
    assert!(stranger.open(b"info", b"aad", &sealed).is_err());
}

#[test]
fn every_flipped_byte_and_every_truncation_is_found() {
    let identity = AuditIdentity::generate(&mut Seeded::new(1));
    let sealed = hybrid::seal(&identity.public().reading, b"", b"", b"key", &mut Seeded::new(2)).unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(identity.open(b"", b"", &changed).is_err(), "byte {at}");
        assert!(identity.open(b"", b"", &sealed[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn a_public_key_of_small_order_is_refused() {
    for public in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        assert!(hybrid::seal(&public, b"", b"", b"key", &mut Seeded::new(1)).is_err());
    }
}
