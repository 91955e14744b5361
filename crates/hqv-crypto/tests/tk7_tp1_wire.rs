//! Tokens as they travel: TK7 and TP1, as far as the bytes go.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::Seeded;
use hqv_crypto::wire::{self, Credential, CredentialKind, WireError};
use hqv_model::array;
use proptest::prelude::*;

const SYMBOLS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const KINDS: [CredentialKind; 2] = [CredentialKind::Token, CredentialKind::Session];

fn sample(kind: CredentialKind) -> String {
    let secret: [u8; 32] = array(&mut Seeded::new(1));
    wire::encode(kind, &secret, Some(&[0xab; 16])).reveal().to_owned()
}

fn error_of(text: &str) -> Option<WireError> {
    wire::parse(text).err()
}

proptest! {
    #[test]
    fn what_was_written_is_read(secret: [u8; 32], pin: Option<[u8; 16]>, session: bool) {
        let kind = KINDS[usize::from(session)];
        let text = wire::encode(kind, &secret, pin.as_ref());
        prop_assert_eq!(text.reveal().len(), 75);
        let Credential { kind: found, secret: bytes, pin: found_pin, .. } = wire::parse(text.reveal()).unwrap();
        prop_assert_eq!((found, *bytes, found_pin), (kind, secret, pin));
    }

    #[test]
    fn no_text_makes_it_panic(text: String, tail in "[A-Za-z0-9_-]{60,80}") {
        let _ = wire::parse(&text);
        let looks_like_one = ["hqv_", &tail].concat();
        prop_assert!(wire::parse(&looks_like_one).is_err());
    }
}

#[test]
fn tk7_a_cut_token_is_told_at_every_length() {
    for kind in KINDS {
        let text = sample(kind);
        for len in 0..text.len() {
            let expected = if len < 4 { WireError::NotOne } else { WireError::Cut };
            assert_eq!(error_of(&text[..len]), Some(expected), "{len} characters");
        }
    }
}

#[test]
fn tk7_every_single_wrong_character_is_told() {
    let text = sample(CredentialKind::Token);
    for at in 4..text.len() {
        for c in SYMBOLS.chars().chain("+/= \u{e9}".chars()) {
            if text[at..].starts_with(c) {
                continue;
            }
            let mistyped = format!("{}{c}{}", &text[..at], &text[at + 1..]);
            assert_eq!(error_of(&mistyped), Some(WireError::Mistyped), "{c:?} at {at}");
        }
    }
}

#[test]
fn tk7_swapped_doubled_dropped_and_added_characters_are_told() {
    let text = sample(CredentialKind::Token);
    for at in 4..text.len() - 1 {
        let (head, tail) = text.split_at(at);
        let (one, two) = (&tail[..1], &tail[1..2]);
        if one != two {
            let swapped = format!("{head}{two}{one}{}", &tail[2..]);
            assert_eq!(error_of(&swapped), Some(WireError::Mistyped));
        }
        assert_eq!(error_of(&format!("{head}{one}{tail}")), Some(WireError::Mistyped));
        assert_eq!(error_of(&format!("{head}{}", &tail[1..])), Some(WireError::Cut));
    }
    assert_eq!(error_of(&format!("{text}A")), Some(WireError::Mistyped));
}

#[test]
fn tk7_spare_bits_must_be_zero() {
    let text = sample(CredentialKind::Token);
    let last = SYMBOLS.find(&text[74..]).unwrap();
    assert_eq!(last % 4, 0, "71 characters hold 426 bits, two more than 53 bytes");
    for spare in 1..4 {
        let other = SYMBOLS.as_bytes()[last + spare] as char;
        assert_eq!(error_of(&format!("{}{other}", &text[..74])), Some(WireError::Mistyped));
    }
}

#[test]
fn tk7_a_token_is_no_session() {
    let (token, session) = (sample(CredentialKind::Token), sample(CredentialKind::Session));
    assert_eq!(error_of(&token.replacen("hqv_", "hqs_", 1)), Some(WireError::Mistyped));
    assert_eq!(error_of(&session.replacen("hqs_", "hqv_", 1)), Some(WireError::Mistyped));
    assert_eq!(error_of(&token.replacen("hqv_", "hqx_", 1)), Some(WireError::NotOne));
    assert_eq!(error_of(""), Some(WireError::NotOne));
}

#[test]
fn tk7_an_unknown_version_is_told_apart_from_a_slip() {
    // Made by hand: the version byte 3 with a checksum that fits.
    let text = "hqv_AwgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAAAAAAAAAAAAAAAAAAAAAD6aQlM";
    assert_eq!(text.len(), 75);
    assert_eq!(error_of(text), Some(WireError::Version));
}

#[test]
fn tp1_the_pin_is_the_start_of_the_hash_of_the_certificate() {
    let (one, two) = (wire::pin_of(b"certificate one"), wire::pin_of(b"certificate two"));
    assert_ne!(one, two);
    let whole = wire::parse_fingerprint(&wire::fingerprint_of(b"certificate one")).unwrap();
    assert_eq!(whole[..16], one);
}

#[test]
fn fingerprints_are_read_as_openssl_and_browsers_print_them() {
    let plain = wire::fingerprint_of(b"certificate");
    let whole = wire::parse_fingerprint(&plain);
    assert!(whole.is_some());
    let digits = plain.strip_prefix("sha256:").unwrap();
    let pairs: Vec<&str> = (0..32).map(|at| &digits[2 * at..2 * at + 2]).collect();
    for form in
        [digits.to_owned(), plain.to_uppercase(), pairs.join(":"), format!("SHA256:{}", pairs.join(":"))]
    {
        assert_eq!(wire::parse_fingerprint(&form), whole, "{form}");
    }
    for bad in ["", "sha256:", &digits[1..], &format!("{digits}0"), &digits.replace(&digits[..1], "g")] {
        assert_eq!(wire::parse_fingerprint(bad), None, "{bad}");
    }
}

#[test]
fn token_and_session_with_the_same_bytes_have_different_hashes() {
    let hash = |kind| wire::hash(kind, &[1; 32]);
    assert_ne!(hash(CredentialKind::Token), hash(CredentialKind::Session));
}

#[test]
fn a_credential_shows_nothing_of_itself() {
    let text = sample(CredentialKind::Token);
    assert_eq!(format!("{:?}", wire::parse(&text).unwrap()), "Token [secret]");
    let cut = wire::parse(&text[..40]).unwrap_err().to_string();
    assert!(!cut.contains(&text[4..12]));
}
