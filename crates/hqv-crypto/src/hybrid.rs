//! HPKE base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, one message.
//!
//! For what a locked daemon must be able to seal but not to read: the record keys of audit segments. The
//! sealed form is the encapsulated key (32 bytes), the ciphertext and its tag (16 bytes).

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use hqv_model::{Entropy, SecretBytes};

use crate::OpenFailed;
use crate::random::Lent;

/// Bytes that a sealed form is longer than its text.
pub const OVERHEAD: usize = ENCAPSULATED + 16;
const ENCAPSULATED: usize = 32;

type X25519Private = <X25519HkdfSha256 as Kem>::PrivateKey;
type X25519Public = <X25519HkdfSha256 as Kem>::PublicKey;
type X25519Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;

/// The public key cannot be sealed to: it is not a point that X25519 accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPublicKey;

impl std::fmt::Display for BadPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a usable X25519 public key")
    }
}

impl std::error::Error for BadPublicKey {}

/// The public key of a private one.
pub fn public_of(private: &[u8; 32]) -> [u8; 32] {
    let mut public = [0; 32];
    if let Ok(key) = X25519Private::from_bytes(private) {
        public.copy_from_slice(&X25519HkdfSha256::sk_to_pk(&key).to_bytes());
    }
    public
}

/// Seals `plain` so that only the holder of the private key of `public` can read it. `info` and `aad`
/// bind the context and together stay below 64 KiB.
///
/// # Errors
/// [`BadPublicKey`] when `public` is of small order.
pub fn seal(
    public: &[u8; 32],
    info: &[u8],
    aad: &[u8],
    plain: &[u8],
    rng: &mut dyn Entropy,
) -> Result<Vec<u8>, BadPublicKey> {
    let key = X25519Public::from_bytes(public).map_err(|_| BadPublicKey)?;
    let (encapsulated, sealed) = hpke::single_shot_seal_with_rng::<
        ChaCha20Poly1305,
        HkdfSha256,
        X25519HkdfSha256,
    >(&OpModeS::Base, &key, info, plain, aad, &mut Lent(rng))
    .map_err(|_| BadPublicKey)?;
    let mut out = encapsulated.to_bytes().to_vec();
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`OpenFailed`] for another key, another `info` or `aad`, or changed bytes.
pub fn open(private: &[u8; 32], info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, OpenFailed> {
    let (encapsulated, sealed) = sealed.split_at_checked(ENCAPSULATED).ok_or(OpenFailed)?;
    let key = X25519Private::from_bytes(private).map_err(|_| OpenFailed)?;
    let encapsulated = X25519Encapsulated::from_bytes(encapsulated).map_err(|_| OpenFailed)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &key,
        &encapsulated,
        info,
        sealed,
        aad,
    )
    .map(SecretBytes::from_vec)
    .map_err(|_| OpenFailed)
}
