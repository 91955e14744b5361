//! The recovery key: 160 random bits that a person writes down.
//!
//! `HQVR-` and eight groups of five Crockford characters: a version byte, 20 random bytes and a CRC-32, so
//! that a slip of the pen is told at once. 25 bytes are exactly 40 characters; there are no spare bits.

use hkdf::Hkdf;
use hqv_model::{Entropy, SecretText, VaultId};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::crc32::crc32;
use crate::crockford::{self, Decoded};
use crate::wire::WireError;

const PREFIX: &str = "HQVR";
const VERSION: u8 = 1;
const SECRET_LEN: usize = 20;
const PAYLOAD: usize = 1 + SECRET_LEN;
/// Info of the derivation of the slot's key.
const LABEL: &[u8] = b"hq-vault recovery slot v1\0";

/// A recovery key. Wiped on drop; it cannot be printed, cloned or compared.
pub struct RecoveryKey(Zeroizing<[u8; SECRET_LEN]>);

impl RecoveryKey {
    pub(super) fn generate(rng: &mut dyn Entropy) -> Self {
        let mut secret = Zeroizing::new([0; SECRET_LEN]);
        rng.fill(secret.as_mut_slice());
        Self(secret)
    }

    /// The text that is shown once.
    pub(super) fn to_text(&self) -> SecretText {
        let mut binary = Zeroizing::new([0u8; PAYLOAD + 4]);
        binary[0] = VERSION;
        binary[1..PAYLOAD].copy_from_slice(self.0.as_slice());
        let sum = checksum(&binary[..PAYLOAD]);
        binary[PAYLOAD..].copy_from_slice(&sum);
        let digits = crockford::encode(binary.as_slice());
        let mut text = String::with_capacity(PREFIX.len() + digits.len() + 8);
        text.push_str(PREFIX);
        for (at, c) in digits.chars().enumerate() {
            if at % 5 == 0 {
                text.push('-');
            }
            text.push(c);
        }
        SecretText::new(text)
    }

    /// The key of a slot: HKDF-SHA-256 (RFC 5869) with the slot's salt.
    pub(super) fn derive(&self, salt: &[u8; 16], vault: VaultId, slot: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        let expanded = Hkdf::<Sha256>::new(Some(salt), self.0.as_slice())
            .expand_multi_info(&[LABEL, &vault.bytes(), slot], key.as_mut_slice());
        debug_assert!(expanded.is_ok(), "32 bytes are within what HKDF gives");
        key
    }
}

/// Reads a recovery key as a person types it: case, spaces and hyphens do not count, `O` is read as `0`,
/// `I` and `L` as `1`.
///
/// # Errors
/// [`WireError`] says which of the four ways it is wrong.
pub fn parse_recovery(text: &str) -> Result<RecoveryKey, WireError> {
    let text = text.trim();
    let (prefix, rest) = text.split_at_checked(PREFIX.len()).ok_or(WireError::NotOne)?;
    if !prefix.eq_ignore_ascii_case(PREFIX) {
        return Err(WireError::NotOne);
    }
    let mut binary = Zeroizing::new([0u8; PAYLOAD + 4]);
    match crockford::decode_into(rest, binary.as_mut_slice()) {
        Decoded::Whole => {}
        Decoded::Short => return Err(WireError::Cut),
        Decoded::Bad => return Err(WireError::Mistyped),
    }
    let (payload, sum) = binary.split_at(PAYLOAD);
    if checksum(payload) != sum {
        return Err(WireError::Mistyped);
    }
    if payload[0] != VERSION {
        return Err(WireError::Version);
    }
    let mut secret = Zeroizing::new([0; SECRET_LEN]);
    secret.copy_from_slice(&payload[1..]);
    Ok(RecoveryKey(secret))
}

fn checksum(payload: &[u8]) -> [u8; 4] {
    crc32(&[PREFIX.as_bytes(), payload]).to_be_bytes()
}
