//! HPKE base mode (RFC 9180) as a browser can speak it: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, one
//! message to a key that lives as long as one entry.
//!
//! Another suite than [`crate::hybrid`], because WebCrypto alone has to do it, in every browser of today. The key
//! is made for one entry and dropped with it, so a recording of the loopback interface opens to nobody later. What
//! binds the message to its place is `info` ([`info`]); the AAD is empty. Bytes in spec/entry.md.

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::DhP256HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use hqv_model::{Entropy, EntryId, SecretBytes, SecretPath, VaultId, array};
use hqv_sys::memory::LockedBytes;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::OpenFailed;
use crate::random::Lent;

/// Bytes of a public or an encapsulated key: SEC 1, uncompressed.
pub const PUBLIC: usize = 65;
/// Bytes that a ciphertext is longer than its text.
pub const TAG: usize = 16;
/// Bytes of what [`info`] makes.
pub const INFO: usize = LABEL.len() + 16 + 16 + 32 + 1;

const LABEL: &[u8] = b"hq-vault entry v1\0";

type Private = <DhP256HkdfSha256 as Kem>::PrivateKey;
type Public = <DhP256HkdfSha256 as Kem>::PublicKey;
type Encapsulated = <DhP256HkdfSha256 as Kem>::EncappedKey;

/// One entry's key pair, the private half in locked memory.
pub struct EntryKey {
    private: LockedBytes<32>,
    public: [u8; PUBLIC],
}

impl EntryKey {
    /// A new pair, derived from 32 random bytes (DeriveKeyPair of RFC 9180, 7.1.3).
    pub fn new(rng: &mut dyn Entropy) -> Self {
        let seed = Zeroizing::new(array::<32>(rng));
        Self::from_seed(&seed)
    }

    /// The pair of this seed: what vectors are made with.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let (private, public) = DhP256HkdfSha256::derive_keypair(seed);
        let mut kept = LockedBytes::zeroed();
        private.write_exact(kept.expose_mut());
        Self { private: kept, public: public.to_bytes().into() }
    }

    /// The public half, SEC 1 uncompressed: 0x04 and two coordinates.
    pub fn public(&self) -> [u8; PUBLIC] {
        self.public
    }

    /// Opens what was sealed to this key: `enc` is the encapsulated key (65 bytes), the ciphertext ends in its tag.
    ///
    /// # Errors
    /// [`OpenFailed`] for another key, another `info`, a point that is not on the curve, or changed bytes.
    pub fn open(&self, info: &[u8], enc: &[u8], ciphertext: &[u8]) -> Result<SecretBytes, OpenFailed> {
        let private = Private::from_bytes(self.private.expose()).map_err(|_| OpenFailed)?;
        let enc = Encapsulated::from_bytes(enc).map_err(|_| OpenFailed)?;
        hpke::single_shot_open::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
            &OpModeR::Base,
            &private,
            &enc,
            info,
            ciphertext,
            &[],
        )
        .map(SecretBytes::from_vec)
        .map_err(|_| OpenFailed)
    }
}

/// What the sealing of a value is bound to: the vault, the entry, the path it will stand at, and whether it may
/// replace what stands there.
pub fn info(vault: VaultId, entry: EntryId, path: &SecretPath, overwrite: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(INFO);
    out.extend_from_slice(LABEL);
    out.extend_from_slice(&vault.bytes());
    out.extend_from_slice(&entry.bytes());
    out.extend_from_slice(&Sha256::digest(path.as_str().as_bytes()));
    out.push(u8::from(overwrite));
    out
}

/// Seals as the page does, for clients that are no browser and for tests. Answers the encapsulated key and the
/// ciphertext with its tag.
///
/// # Errors
/// [`OpenFailed`] when `public` is not a point of P-256.
pub fn seal(
    public: &[u8; PUBLIC],
    info: &[u8],
    plain: &[u8],
    rng: &mut dyn Entropy,
) -> Result<([u8; PUBLIC], Vec<u8>), OpenFailed> {
    let key = Public::from_bytes(public).map_err(|_| OpenFailed)?;
    hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
        &OpModeS::Base,
        &key,
        info,
        plain,
        &[],
        &mut Lent(rng),
    )
    .map(|(enc, sealed)| (enc.to_bytes().into(), sealed))
    .map_err(|_| OpenFailed)
}
