//! The chain: every line's hash takes in the hash before it.

use hqv_model::VaultId;
use sha2::{Digest, Sha256};

/// SHA-256.
pub type Hash = [u8; 32];

/// Where a chain stands: how many lines there are and the hash over all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// The number of the last line; the first line of a vault is number 1.
    pub seq: u64,
    /// The hash after that line.
    pub head: Hash,
}

impl Chain {
    /// Before the first line. The vault's id goes in, so that one vault's record never continues another's.
    pub fn start(vault: VaultId) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"hq-vault/audit/v1/start\0");
        hash.update(vault.bytes());
        Chain { seq: 0, head: hash.finalize().into() }
    }

    /// Takes in one line, given without its newline.
    pub fn push(&mut self, line: &[u8]) {
        let mut hash = Sha256::new();
        hash.update(self.head);
        hash.update(line);
        self.head = hash.finalize().into();
        self.seq = self.seq.saturating_add(1);
    }
}
