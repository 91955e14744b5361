//! HMAC (RFC 2104) with the key's two blocks hashed once.
//!
//! The row state asks for two of these on every change and one for every row at unlock. The prepared
//! state is as secret as the key; it stands on the heap and is wiped on drop (`zeroize` of `sha2`).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};
use zeroize::{Zeroize, Zeroizing};

/// HMAC-SHA-256 under one key.
pub(crate) struct Mac256(Box<Hmac<Sha256>>);

impl Mac256 {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        // RFC 2104 pads a short key with zeros to the block length.
        let mut block = Zeroizing::new([0u8; 64]);
        block[..32].copy_from_slice(key);
        Self(Box::new(Hmac::new((&*block).into())))
    }

    /// The tag over the concatenated parts.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::clone(&self.0);
        for part in parts {
            mac.update(part);
        }
        let mut tag = mac.finalize().into_bytes();
        let mut out = [0; 32];
        out.copy_from_slice(&tag);
        tag.as_mut_slice().zeroize();
        out
    }
}

/// HMAC-SHA-512 under one key.
pub(crate) struct Mac512(Box<Hmac<Sha512>>);

impl Mac512 {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let mut block = Zeroizing::new([0u8; 128]);
        block[..32].copy_from_slice(key);
        Self(Box::new(Hmac::new((&*block).into())))
    }

    /// The tag over the concatenated parts.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> [u8; 64] {
        let mut mac = Hmac::clone(&self.0);
        for part in parts {
            mac.update(part);
        }
        let mut out = [0; 64];
        out.copy_from_slice(&mac.finalize().into_bytes());
        out
    }
}
