//! Tokens and sessions as they travel: one layout, two prefixes.
//!
//! A checksum tells a cut or mistyped credential before anything is sent. The pin, the start of the hash
//! of the vault's CA certificate, lets URL and token alone verify TLS. What is stored is only a hash of the
//! 32 random bytes, without a key, so that rekeying never needs the tokens. Bytes: spec/tokens.md.

use hqv_model::SecretText;
use hqv_sys::memory::wipe;
use sha2::{Digest, Sha256};
use std::sync::OnceLock;
use zeroize::Zeroizing;

use crate::base64url;
use crate::crc32::crc32;

/// Bytes of the pin.
pub const PIN_LEN: usize = 16;

/// Version of a credential that carries a pin.
const WITH_PIN: u8 = 1;
/// Version of one that does not; its pin bytes are zero.
const WITHOUT_PIN: u8 = 2;
/// Version, secret, pin.
const PAYLOAD: usize = 1 + 32 + PIN_LEN;
/// Payload and checksum.
const BINARY: usize = PAYLOAD + 4;
/// Characters after the prefix.
const CHARACTERS: usize = 71;

/// What a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// A token, prefix `hqv_`.
    Token,
    /// An owner's session, prefix `hqs_`.
    Session,
}

impl CredentialKind {
    /// The prefix on the wire.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Token => "hqv_",
            Self::Session => "hqs_",
        }
    }

    fn domain(self) -> &'static [u8] {
        match self {
            Self::Token => b"hq-vault token v1\0",
            Self::Session => b"hq-vault session v1\0",
        }
    }
}

/// Why a text is not a credential. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireError {
    /// It does not start like one.
    NotOne,
    /// Characters are missing at the end.
    Cut,
    /// A character is wrong, doubled or left out, or the spare bits are not zero.
    Mistyped,
    /// Right in itself, but of a version that is not known here.
    Version,
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotOne => "not a token or session: it starts with neither hqv_ nor hqs_",
            Self::Cut => "the token is cut short: characters are missing at the end",
            Self::Mistyped => "the token is mistyped: its checksum does not fit",
            Self::Version => "the token is of a version that this program does not know",
        })
    }
}

impl std::error::Error for WireError {}

/// A parsed credential. Wiped on drop; it cannot be printed, cloned or compared.
pub struct Credential {
    /// Token or session.
    pub kind: CredentialKind,
    /// The random bytes.
    pub secret: Zeroizing<[u8; 32]>,
    /// The start of the SHA-256 of the vault's CA certificate, where the vault uses its own CA.
    pub pin: Option<[u8; PIN_LEN]>,
    hash: OnceLock<[u8; 32]>,
}

impl Credential {
    /// The hash under which the vault knows it; made when first asked for.
    pub fn hash(&self) -> [u8; 32] {
        *self.hash.get_or_init(|| hash(self.kind, &self.secret))
    }

    /// The same once more, with its hash if that is made: for a caller that asks again.
    pub fn again(&self) -> Self {
        Credential { kind: self.kind, secret: self.secret.clone(), pin: self.pin, hash: self.hash.clone() }
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} [secret]", self.kind)
    }
}

/// Reads a credential. White space around it is the caller's to trim.
///
/// # Errors
/// [`WireError`] says which of the four ways it is wrong.
pub fn parse(text: &str) -> Result<Credential, WireError> {
    let kinds = [CredentialKind::Token, CredentialKind::Session];
    let found = kinds.into_iter().find_map(|kind| Some((kind, text.strip_prefix(kind.prefix())?)));
    let (kind, rest) = found.ok_or(WireError::NotOne)?;
    if rest.len() < CHARACTERS && rest.bytes().all(base64url::is_symbol) {
        return Err(WireError::Cut);
    }
    let mut binary = [0u8; BINARY];
    let credential = if base64url::decode_into(rest.as_bytes(), &mut binary) {
        read_binary(kind, &binary)
    } else {
        Err(WireError::Mistyped)
    };
    wipe(&mut binary);
    credential
}

fn read_binary(kind: CredentialKind, binary: &[u8; BINARY]) -> Result<Credential, WireError> {
    let (payload, sum) = binary.split_at(PAYLOAD);
    if checksum(kind, payload) != sum {
        return Err(WireError::Mistyped);
    }
    let mut secret = Zeroizing::new([0; 32]);
    let mut pin = [0; PIN_LEN];
    secret.copy_from_slice(&payload[1..33]);
    pin.copy_from_slice(&payload[33..]);
    let pin = match payload[0] {
        WITH_PIN => Some(pin),
        WITHOUT_PIN if pin == [0; PIN_LEN] => None,
        WITHOUT_PIN => return Err(WireError::Mistyped),
        _ => return Err(WireError::Version),
    };
    Ok(Credential { kind, secret, pin, hash: OnceLock::new() })
}

/// Whether two texts are the same, in a time that shows their lengths alone.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

/// Writes a credential.
pub fn encode(kind: CredentialKind, secret: &[u8; 32], pin: Option<&[u8; PIN_LEN]>) -> SecretText {
    let mut binary = Zeroizing::new([0u8; BINARY]);
    binary[0] = if pin.is_some() { WITH_PIN } else { WITHOUT_PIN };
    binary[1..33].copy_from_slice(secret);
    if let Some(pin) = pin {
        binary[33..PAYLOAD].copy_from_slice(pin);
    }
    let sum = checksum(kind, &binary[..PAYLOAD]);
    binary[PAYLOAD..].copy_from_slice(&sum);
    let mut text = String::with_capacity(kind.prefix().len() + CHARACTERS);
    text.push_str(kind.prefix());
    base64url::encode_into(binary.as_slice(), &mut text);
    SecretText::new(text)
}

/// The hash under which a vault stores a credential: SHA-256 over a domain and the random bytes. 256
/// random bits need neither salt nor stretching.
pub fn hash(kind: CredentialKind, secret: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update(kind.domain()).chain_update(secret).finalize().into()
}

/// The pin of a CA certificate in DER.
pub fn pin_of(ca_der: &[u8]) -> [u8; PIN_LEN] {
    let mut pin = [0; PIN_LEN];
    pin.copy_from_slice(&Sha256::digest(ca_der)[..PIN_LEN]);
    pin
}

/// The whole SHA-256 of a certificate in DER, as people compare it: `sha256:` and 64 hex digits.
pub fn fingerprint_of(ca_der: &[u8]) -> String {
    let digits = Sha256::digest(ca_der);
    digits.iter().fold(String::from("sha256:"), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or_default());
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or_default());
        text
    })
}

/// Reads a fingerprint: `sha256:` (may be left out) and 64 hex digits in either case, colons allowed
/// between bytes as openssl prints them.
pub fn parse_fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = match text.split_at_checked(7) {
        Some((head, rest)) if head.eq_ignore_ascii_case("sha256:") => rest,
        _ => text,
    }
    .bytes()
    .filter(|c| *c != b':')
    .collect();
    let mut out = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        let value = char::from(*high).to_digit(16)? << 4 | char::from(*low).to_digit(16)?;
        *byte = value as u8;
    }
    Some(out)
}

/// CRC-32 (IEEE) over prefix and payload, so that a token passed off as a session is told too.
fn checksum(kind: CredentialKind, payload: &[u8]) -> [u8; 4] {
    crc32(&[kind.prefix().as_bytes(), payload]).to_be_bytes()
}
