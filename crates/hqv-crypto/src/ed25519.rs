//! Ed25519 (RFC 8032): seeds in, fixed-size bytes out.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

/// Bytes in a signature.
pub const SIGNATURE_LEN: usize = 64;

/// The public key of a seed.
pub fn public_of(seed: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

/// Signs `message`. The expanded key is made anew each time and wiped.
pub fn sign(seed: &[u8; 32], message: &[u8]) -> [u8; SIGNATURE_LEN] {
    SigningKey::from_bytes(seed).sign(message).to_bytes()
}

/// Whether `signature` over `message` is that of `public`. Strict: keys and points of small order, with
/// which one signature fits several messages, are refused.
pub fn verify(public: &[u8; 32], message: &[u8], signature: &[u8; SIGNATURE_LEN]) -> bool {
    let signature = Signature::from_bytes(signature);
    VerifyingKey::from_bytes(public).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}
