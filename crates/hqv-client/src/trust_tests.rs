#![allow(clippy::unwrap_used)]
use super::*;
use std::io::Write as _;

fn certificate(seed: u8) -> CertificateDer<'static> {
    CertificateDer::from(vec![seed; 40])
}

/// PEM of bytes that need not be a certificate: only their hash matters here.
fn file(certificates: &[CertificateDer<'_>]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for certificate in certificates {
        let text = hqv_api::secret::base64_text(certificate);
        write!(file, "-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n").unwrap();
    }
    file
}

fn pin_of(certificate: &CertificateDer<'_>) -> Pin {
    Pin(Fingerprint::of(certificate).0[..16].try_into().unwrap())
}

fn path(file: &tempfile::NamedTempFile) -> Option<PathBuf> {
    Some(file.path().to_owned())
}

#[test]
fn a_fingerprint_is_read_as_it_is_written() {
    let fingerprint = Fingerprint::of(&certificate(1));
    let text = fingerprint.to_string();
    assert_eq!(text.len(), 71);
    assert_eq!(Fingerprint::parse(&text).unwrap(), fingerprint);
    assert_eq!(Fingerprint::parse(&text[7..].to_uppercase()).unwrap(), fingerprint);
    let bytes: Vec<String> = fingerprint.0.iter().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(Fingerprint::parse(&bytes.join(":")).unwrap(), fingerprint);
    for bad in
        ["", "sha256:", &text[..70], &format!("{text}0"), &text.replace("sha256", "sha1"), &"g".repeat(64)]
    {
        assert_eq!(Fingerprint::parse(bad).unwrap_err().code, "BAD_REQUEST", "{bad}");
    }
}

#[test]
fn without_a_hash_nothing_is_accepted_by_hash() {
    assert!(!Trust::default().accepts(&certificate(1)));
}

#[test]
fn tp1_pin_and_fingerprint_must_both_fit() {
    let (right, wrong) = (certificate(1), certificate(2));
    let pin = Some(pin_of(&right));
    let fits = Trust { pin, fingerprint: Some(Fingerprint::of(&right)), ..Trust::default() };
    assert!(fits.accepts(&right) && !fits.accepts(&wrong));
    let contradict = Trust { pin, fingerprint: Some(Fingerprint::of(&wrong)), ..Trust::default() };
    assert!(!contradict.accepts(&right) && !contradict.accepts(&wrong));
    let mut near = pin_of(&right);
    near.0[15] ^= 1;
    assert!(!Trust { pin: Some(near), ..Trust::default() }.accepts(&right));
}

#[test]
fn tp1_a_file_counts_only_if_it_holds_the_promised_certificate() {
    let (right, wrong) = (certificate(1), certificate(2));
    let (good, bad) = (file(&[wrong.clone(), right.clone()]), file(&[wrong]));
    let pinned =
        |ca_file, local_ca| Trust { pin: Some(pin_of(&right)), ca_file, local_ca, ..Trust::default() };
    let anchor = |trust: Trust, loopback| trust.anchor(loopback).unwrap();
    assert_eq!(anchor(pinned(path(&bad), None), true), Anchor::Pinned(None));
    assert_eq!(anchor(pinned(path(&bad), path(&good)), true), Anchor::Pinned(Some(right.clone())));
    assert_eq!(anchor(pinned(path(&good), None), false), Anchor::Pinned(Some(right.clone())));
    assert_eq!(anchor(pinned(None, path(&good)), false), Anchor::Pinned(None));
    assert_eq!(anchor(pinned(Some("/nonexistent".into()), None), true), Anchor::Pinned(None));
}

#[test]
fn without_a_pin_the_order_is_file_then_local_then_system() {
    let (named, local) = (file(&[certificate(1)]), file(&[certificate(2)]));
    let trust = |ca_file, local_ca| Trust { ca_file, local_ca, ..Trust::default() };
    let both = trust(path(&named), path(&local));
    assert_eq!(both.anchor(true).unwrap(), Anchor::Roots(vec![certificate(1)]));
    assert_eq!(trust(None, path(&local)).anchor(true).unwrap(), Anchor::Roots(vec![certificate(2)]));
    assert_eq!(trust(None, path(&local)).anchor(false).unwrap(), Anchor::System);
    assert_eq!(trust(None, Some("/nonexistent".into())).anchor(true).unwrap(), Anchor::System);
}

#[test]
fn a_named_file_that_cannot_serve_is_an_error_not_a_shrug() {
    let mut broken = tempfile::NamedTempFile::new().unwrap();
    broken.write_all(b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n").unwrap();
    let empty = tempfile::NamedTempFile::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for bad in [broken.path(), empty.path(), folder.path(), Path::new("/nonexistent"), Path::new("/dev/zero")]
    {
        let error = Trust { ca_file: Some(bad.to_owned()), ..Trust::default() }.anchor(false).unwrap_err();
        assert_eq!(error.code, "BAD_REQUEST", "{}", bad.display());
    }
}
