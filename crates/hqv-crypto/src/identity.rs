//! The vault's audit identity: one key pair that signs, one that reads.

use hqv_model::{Entropy, SecretBytes};
use hqv_sys::memory::LockedBytes;

use crate::{OpenFailed, ed25519, hybrid};

/// The public halves. They stand in clear; anybody may have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditPublic {
    /// Ed25519: checks signatures of checkpoints, certificates and the clear settings row.
    pub signing: [u8; 32],
    /// X25519: record keys are sealed to it.
    pub reading: [u8; 32],
}

/// Both pairs, private halves in locked memory.
pub struct AuditIdentity {
    signing: LockedBytes<32>,
    reading: LockedBytes<32>,
    public: AuditPublic,
}

impl AuditIdentity {
    /// A new identity.
    pub fn generate(rng: &mut dyn Entropy) -> Self {
        let (mut signing, mut reading) = (LockedBytes::zeroed(), LockedBytes::zeroed());
        rng.fill(signing.expose_mut());
        rng.fill(reading.expose_mut());
        Self::from_locked(signing, reading)
    }

    pub(crate) fn from_locked(signing: LockedBytes<32>, reading: LockedBytes<32>) -> Self {
        let public = AuditPublic {
            signing: ed25519::public_of(signing.expose()),
            reading: hybrid::public_of(reading.expose()),
        };
        Self { signing, reading, public }
    }

    /// The public halves.
    pub fn public(&self) -> AuditPublic {
        self.public
    }

    /// Signs with the audit key. The caller's message starts with a domain of its own.
    pub fn sign(&self, message: &[u8]) -> [u8; ed25519::SIGNATURE_LEN] {
        ed25519::sign(self.signing.expose(), message)
    }

    /// Opens what was sealed to the reading key (see [`hybrid`]).
    ///
    /// # Errors
    /// [`OpenFailed`] for another key, another `info` or `aad`, or changed bytes.
    pub fn open(&self, info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, OpenFailed> {
        hybrid::open(self.reading.expose(), info, aad, sealed)
    }

    pub(crate) fn signing_seed(&self) -> &[u8; 32] {
        self.signing.expose()
    }

    pub(crate) fn reading_private(&self) -> &[u8; 32] {
        self.reading.expose()
    }
}
