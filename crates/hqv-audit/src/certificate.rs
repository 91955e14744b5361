//! Who vouches for a segment's key.
//!
//! A chain of links leads from the audit identity to the key: at unlock the identity certifies a key for
//! that unlock, and this one certifies each segment, the one that follows `lock` last of all, before it is
//! wiped. While locked, a full segment certifies the next. A daemon that starts locked has nobody to ask:
//! its first link is signed by itself, and the root says `none`.
//!
//! A link says from which line on its key may sign, and a later link never reaches further back. So the
//! key in a locked daemon's memory cannot sign in place of a segment that was closed before.

use hqv_model::VaultId;
use serde::{Deserialize, Serialize};

use crate::{AuditError, keys::SigningKey, keys::verify, line::Bytes};

/// The longest chain. A locked daemon that has come so far keeps its segment open until the unlock.
pub const MAX_LINKS: usize = 32;
const DOMAIN: &[u8] = b"hq-vault/audit/v1/certificate\0";

/// What a chain begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Root {
    /// The vault's audit identity.
    Audit,
    /// A key that nobody has certified.
    None,
}

/// One key, certified by the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Link {
    pub(crate) key: Bytes<32>,
    /// The first line that this key may sign.
    pub(crate) from: u64,
    pub(crate) sig: Bytes<64>,
}

/// The vault and epoch that a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) vault: VaultId,
    pub(crate) epoch: u32,
}

impl Scope {
    fn message(self, key: &[u8; 32], from: u64) -> Vec<u8> {
        [DOMAIN, &self.vault.bytes(), &self.epoch.to_be_bytes(), &from.to_be_bytes(), key].concat()
    }

    /// A link for `key`, signed by whoever `sign` stands for.
    pub(crate) fn link(self, key: &[u8; 32], from: u64, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Link {
        Link { key: Bytes(*key), from, sig: Bytes(sign(&self.message(key, from))) }
    }

    /// The single link of a segment that nobody vouches for.
    pub(crate) fn own_link(self, key: &SigningKey, from: u64) -> Link {
        self.link(key.public(), from, |m| key.sign(m))
    }

    /// Checks a chain that ends in `key` and signs line `at`. `audit` is the identity's public key; it
    /// is not needed for a chain whose root is `none`.
    pub(crate) fn check(
        self,
        root: Root,
        chain: &[Link],
        key: &[u8; 32],
        at: u64,
        audit: &[u8; 32],
    ) -> Result<(), AuditError> {
        let (first, last) = match (chain.first(), chain.last()) {
            (Some(first), Some(last)) if chain.len() <= MAX_LINKS => (first, last),
            _ => return Err(AuditError::Malformed("an empty or endless certificate chain")),
        };
        if last.key.0 != *key {
            return Err(AuditError::Signature("the chain certifies another key"));
        }
        if last.from > at {
            return Err(AuditError::Signature("the key signs before it was certified"));
        }
        let mut issuer = if root == Root::Audit { *audit } else { first.key.0 };
        let mut from = 0;
        for link in chain {
            if link.from < from {
                return Err(AuditError::Signature("a certificate reaches back behind its issuer's"));
            }
            if !verify(&issuer, &self.message(&link.key.0, link.from), &link.sig.0) {
                return Err(AuditError::Signature("a certificate was not made by its issuer"));
            }
            issuer = link.key.0;
            from = link.from;
        }
        Ok(())
    }
}
