//! The vault's CA and its leaves, as a TLS client sees them. TP1, as far as certificates go.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{OTHER_VAULT, Seeded, VAULT};
use hqv_crypto::ca::{Ca, CaError, Leaf};
use hqv_model::{Entropy, Timestamp};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

const NOW: i64 = 1_795_561_200_000; // 2026-11-24
const DAY: i64 = 86_400_000;

/// Always the same byte.
struct Constant(u8);

impl Entropy for Constant {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn now() -> Timestamp {
    Timestamp::from_millis(NOW)
}

fn leaf(ca: &Ca, list: &[&str]) -> Leaf {
    ca.issue_leaf(&names(list), now(), &mut Seeded::new(1)).unwrap()
}

/// Whether a client that trusts `ca` alone takes `leaf` for `name` at `millis`.
fn accepts(ca: &[u8], leaf: &Leaf, name: &str, millis: i64) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(ca.to_vec())).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let cert = CertificateDer::from(leaf.cert_der.clone());
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let time = UnixTime::since_unix_epoch(Duration::from_millis(millis as u64));
    verifier.verify_server_cert(&cert, &[], &name, &[], time).is_ok()
}

/// The serial number's DER: length and bytes, read by hand from the start of the certificate.
fn serial_of(cert: &[u8]) -> (u8, Vec<u8>) {
    let version = [0xa0, 3, 2, 1, 2, 2];
    let at = cert.windows(6).position(|six| six == version).unwrap() + 6;
    let len = cert[at];
    (len, cert[at + 1..at + 1 + usize::from(len)].to_vec())
}

#[test]
fn tp1_a_leaf_is_taken_only_under_its_ca_and_for_its_names() {
    let ca = Ca::create(VAULT, &mut Seeded::new(1)).unwrap();
    let leaf = leaf(&ca, &["localhost", "127.0.0.1", "::1", "host.docker.internal", "Vault.Internal"]);
    for name in ["localhost", "127.0.0.1", "::1", "host.docker.internal", "vault.internal"] {
        assert!(accepts(ca.cert_der(), &leaf, name, NOW), "{name}");
    }
    for name in ["example.com", "127.0.0.2", "a.localhost", "::2"] {
        assert!(!accepts(ca.cert_der(), &leaf, name, NOW), "{name}");
    }
    let same_vault = Ca::create(VAULT, &mut Seeded::new(1)).unwrap();
    let other_vault = Ca::create(OTHER_VAULT, &mut Seeded::new(2)).unwrap();
    for stranger in [same_vault, other_vault] {
        assert!(!accepts(stranger.cert_der(), &leaf, "localhost", NOW));
    }
}

#[test]
fn the_leaf_key_is_the_certificates() {
    let ca = Ca::create(VAULT, &mut Seeded::new(1)).unwrap();
    let leaf = leaf(&ca, &["localhost"]);
    let chain = vec![CertificateDer::from(leaf.cert_der.clone())];
    let key = PrivateKeyDer::Pkcs8(leaf.key_der.to_vec().into());
    let made = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key);
    assert!(made.is_ok(), "rustls compares key and certificate");
}

#[test]
fn a_leaf_lives_90_days_and_is_backdated_by_one() {
    let ca = Ca::create(VAULT, &mut Seeded::new(1)).unwrap();
    let leaf = leaf(&ca, &["localhost"]);
    assert_eq!(leaf.not_before.millis(), NOW - DAY);
    assert_eq!(leaf.not_after.millis(), NOW + 90 * DAY);
    let at = |millis| accepts(ca.cert_der(), &leaf, "localhost", millis);
    assert!(at(NOW - DAY) && at(NOW + 90 * DAY));
    assert!(!at(NOW - DAY - 1000) && !at(NOW + 90 * DAY + 1000));
}

#[test]
fn no_clock_makes_a_leaf_fail_or_outlive_the_ca() {
    let ca = Ca::create(VAULT, &mut Seeded::new(1)).unwrap();
    let (from, until) = (1_577_836_800_000, 2_524_608_000_000);
    for millis in [i64::MIN, -1, 0, 1, from, from + 1, until - 1, until, i64::MAX] {
        let leaf = ca
            .issue_leaf(&names(&["localhost"]), Timestamp::from_millis(millis), &mut Seeded::new(1))
            .unwrap();
        assert!(leaf.not_before.millis() >= from && leaf.not_after.millis() <= until, "{millis}");
        assert!(leaf.not_before <= leaf.not_after, "{millis}");
    }
}

#[test]
fn serial_numbers_are_positive_and_minimal_whatever_is_drawn() {
    let ca = Ca::create(VAULT, &mut Seeded::new(1)).unwrap();
    for byte in 0..=255 {
        let leaf = ca.issue_leaf(&names(&["localhost"]), now(), &mut Constant(byte)).unwrap();
        let (len, serial) = serial_of(&leaf.cert_der);
        assert_eq!(len, 16, "drawn: {byte}");
        assert!((1..0x80).contains(&serial[0]), "drawn: {byte}");
        assert!(accepts(ca.cert_der(), &leaf, "localhost", NOW), "drawn: {byte}");
    }
}

#[test]
fn names_that_are_none_are_refused() {
    let ca = Ca::create(VAULT, &mut Seeded::new(1)).unwrap();
    let long = "a".repeat(64);
    for name in ["", ".", "a..b", "*.example.com", "-a", "a-", "a b", "a\0b", "caf\u{e9}", "[::1]", &long] {
        let refused = ca.issue_leaf(&names(&["localhost", name]), now(), &mut Seeded::new(1)).err();
        assert!(matches!(refused, Some(CaError::BadName(_))), "{name:?}");
    }
}

#[test]
fn the_pem_says_what_it_is_for_and_holds_the_certificate() {
    let ca = Ca::create(VAULT, &mut Seeded::new(1)).unwrap();
    let pem = ca.cert_pem();
    assert!(pem.contains("Do not add it to a system's or browser's trust store"));
    assert!(pem.contains(&VAULT.to_string()));
    use rustls::pki_types::pem::PemObject;
    let back = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    assert_eq!(back.as_ref(), ca.cert_der());
}
