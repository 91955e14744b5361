//! The root key: what a slot opens to, and what opens the keyring. It seals nothing itself.

use hqv_model::{Entropy, VaultId};
use hqv_sys::memory::LockedBytes;
use zeroize::Zeroizing;

use crate::mac::Mac256;

/// Label of the key that seals the keyring. A label ends in a NUL, so none is the start of another.
const KEYRING_LABEL: &[u8] = b"hq-vault keyring key v1\0";
/// Label of the check value in a slot.
const CHECK_LABEL: &[u8] = b"hq-vault key check v1\0";

/// 32 random bytes in locked memory.
pub struct RootKey(LockedBytes<32>);

impl RootKey {
    /// A new root key.
    pub fn generate(rng: &mut dyn Entropy) -> Self {
        let mut key = LockedBytes::zeroed();
        rng.fill(key.expose_mut());
        Self(key)
    }

    pub(crate) fn from_locked(key: LockedBytes<32>) -> Self {
        Self(key)
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The key that seals the keyring of one vault.
    pub(crate) fn keyring_key(&self, vault: VaultId) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(Mac256::new(self.expose()).tag(&[KEYRING_LABEL, &vault.bytes()]))
    }

    /// Commits a slot to this root key. XChaCha20-Poly1305 does not commit to its key, so a slot made for
    /// the purpose could open to several keys under several passphrases; with this value only to one.
    pub(crate) fn check_value(&self, slot: &[u8], vault: VaultId) -> [u8; 32] {
        Mac256::new(self.expose()).tag(&[CHECK_LABEL, slot, &vault.bytes()])
    }
}
