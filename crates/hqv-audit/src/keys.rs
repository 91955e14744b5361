//! Keys of a segment: one that signs, one that seals. Both stand in locked memory and are wiped on drop.

use hqv_crypto::{AuditIdentity, AuditPublic, aead, ed25519, hybrid};
use hqv_model::Entropy;
use hqv_sys::memory::LockedBytes;
use zeroize::{Zeroize, Zeroizing};

use crate::{AuditError, certificate::Scope, chain::Chain, line::LineType};

const INFO: &[u8] = b"hq-vault/audit/v1/record-key\0";
const SALT: usize = 16;
const COUNTER: usize = 8;

/// Whether `public` signed `message` (RFC 8032, the strict reading: one signature, one spelling).
pub(crate) fn verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    ed25519::verify(public, message, signature)
}

/// An Ed25519 key that lives as long as a segment or an unlock.
pub(crate) struct SigningKey {
    seed: LockedBytes<32>,
    public: [u8; 32],
}

impl SigningKey {
    pub(crate) fn generate(rng: &mut dyn Entropy) -> Self {
        let mut seed = LockedBytes::<32>::zeroed();
        rng.fill(seed.expose_mut());
        let public = ed25519::public_of(seed.expose());
        SigningKey { seed, public }
    }

    pub(crate) fn public(&self) -> &[u8; 32] {
        &self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        ed25519::sign(self.seed.expose(), message)
    }
}

/// The key of a segment's records. A nonce is the segment's salt and a counter of 8 bytes that stands in
/// the line; the counter goes up with every sealing, also when the line could not be written.
pub(crate) struct RecordKey {
    key: LockedBytes<32>,
    salt: [u8; SALT],
    /// What XChaCha20 makes of key and salt: the same for every record of the segment.
    sub: LockedBytes<32>,
}

impl RecordKey {
    pub(crate) fn generate(rng: &mut dyn Entropy) -> Self {
        let mut key = LockedBytes::<32>::zeroed();
        rng.fill(key.expose_mut());
        let mut salt = [0; SALT];
        rng.fill(&mut salt);
        RecordKey::new(key, salt)
    }

    fn new(key: LockedBytes<32>, salt: [u8; SALT]) -> Self {
        let mut sub = LockedBytes::<32>::zeroed();
        aead::sub_key_into(key.expose(), &salt, sub.expose_mut());
        RecordKey { key, salt, sub }
    }

    /// Seals key and salt to the reading key (HPKE base mode, RFC 9180), bound to vault, epoch and segment.
    pub(crate) fn seal_to(
        &self,
        public: &AuditPublic,
        scope: Scope,
        segment: &[u8; 32],
        rng: &mut dyn Entropy,
    ) -> Result<Vec<u8>, AuditError> {
        let mut plain = Zeroizing::new([0_u8; 32 + SALT]);
        let (key, salt) = plain.split_at_mut(32);
        key.copy_from_slice(self.key.expose());
        salt.copy_from_slice(&self.salt);
        hybrid::seal(&public.reading, &info(scope, segment), &[], plain.as_slice(), rng)
            .map_err(|_| AuditError::WrongIdentity)
    }

    /// Opens what [`RecordKey::seal_to`] made.
    pub(crate) fn open(
        id: &AuditIdentity,
        scope: Scope,
        segment: &[u8; 32],
        sealed: &[u8],
    ) -> Result<Self, AuditError> {
        let plain = id.open(&info(scope, segment), &[], sealed).map_err(|_| AuditError::Unreadable)?;
        let bytes = plain.reveal();
        let (Some(key), Some(salt)) = (bytes.get(..32), bytes.get(32..)) else {
            return Err(AuditError::Unreadable);
        };
        let key = LockedBytes::from_slice(key).ok_or(AuditError::Unreadable)?;
        let salt = salt.try_into().map_err(|_| AuditError::Unreadable)?;
        Ok(RecordKey::new(key, salt))
    }

    /// Seals one part of a record into `out` as counter, ciphertext, tag.
    pub(crate) fn seal(&self, kind: LineType, at: &Chain, counter: u64, json: &[u8], out: &mut Vec<u8>) {
        out.clear();
        let tail = counter.to_be_bytes();
        out.extend_from_slice(&tail);
        out.extend_from_slice(json);
        let (_, body) = out.split_at_mut(COUNTER);
        let tag = aead::seal_in_place_below(self.sub.expose(), &tail, &aad(kind, at), body);
        out.extend_from_slice(&tag);
    }

    /// Opens one part where it stands and returns the JSON in it.
    pub(crate) fn open_part<'b>(
        &self,
        kind: LineType,
        at: &Chain,
        payload: &'b mut [u8],
    ) -> Result<&'b [u8], AuditError> {
        let (counter, rest) = payload.split_first_chunk_mut::<COUNTER>().ok_or(AuditError::Unreadable)?;
        let (body, tag) = rest.split_last_chunk_mut::<{ aead::TAG_LEN }>().ok_or(AuditError::Unreadable)?;
        let nonce = self.nonce(u64::from_be_bytes(*counter));
        aead::open_in_place(self.key.expose(), &nonce, &aad(kind, at), body, tag)
            .map_err(|_| AuditError::Unreadable)?;
        Ok(body)
    }

    fn nonce(&self, counter: u64) -> [u8; aead::NONCE_LEN] {
        let mut nonce = [0; aead::NONCE_LEN];
        let (salt, count) = nonce.split_at_mut(SALT);
        salt.copy_from_slice(&self.salt);
        count.copy_from_slice(&counter.to_be_bytes());
        nonce
    }
}

impl Drop for RecordKey {
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

fn info(scope: Scope, segment: &[u8; 32]) -> Vec<u8> {
    [INFO, &scope.vault.bytes(), &scope.epoch.to_be_bytes(), segment].concat()
}

/// Type, own line number and hash of the line before: a record opens only in its place.
fn aad(kind: LineType, before: &Chain) -> [u8; 41] {
    let mut aad = [0; 41];
    let (first, rest) = aad.split_at_mut(1);
    let (seq, head) = rest.split_at_mut(8);
    first.copy_from_slice(&[kind.byte()]);
    seq.copy_from_slice(&before.seq.saturating_add(1).to_be_bytes());
    head.copy_from_slice(&before.head);
    aad
}
