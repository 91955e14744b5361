//! An unlocked vault's keys at work: sealing and opening rows, looking paths up, accounting for rows.
//!
//! A row's AAD is its whole clear header, the vault id and, where there is one, the look-up hash: a row
//! opens only in its own place. Bytes: spec/rows.md.

use hqv_model::{Entropy, Kind, Row, RowFacts, RowHeader, RowId, SecretBytes, SecretPath, VaultId, array};
use hqv_sys::memory::scrub_stack;
use sha2::{Digest, Sha256};

use crate::ca::Ca;
use crate::mac::{Mac256, Mac512};
use crate::{AuditIdentity, Keyring, OpenFailed, aead};

/// Domain of signatures over the clear settings row.
const SETTINGS_DOMAIN: &[u8] = b"hq-vault locked settings v1\0";

/// Domain of the ids of ledger rows.
const LEDGER_DOMAIN: &[u8] = b"\0hq-vault/ledger/v1\0";

/// The keyring of one vault in one epoch, ready for use.
pub struct VaultKeys {
    vault: VaultId,
    epoch: u32,
    keyring: Keyring,
    lookup: Mac256,
    row_state: Mac512,
}

impl VaultKeys {
    /// Prepares the keys of `vault`. Rows sealed from now on carry `epoch`.
    pub fn new(vault: VaultId, epoch: u32, keyring: Keyring) -> Self {
        let lookup = Mac256::new(keyring.path_index.expose());
        let row_state = Mac512::new(keyring.row_state.expose());
        scrub_stack(); // the two prepared states were built on it
        Self { vault, epoch, keyring, lookup, row_state }
    }

    /// The vault that these keys belong to.
    pub fn vault(&self) -> VaultId {
        self.vault
    }

    /// The epoch that new rows carry.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The keyring, for sealing it again.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The audit identity.
    pub fn audit_identity(&self) -> &AuditIdentity {
        &self.keyring.identity
    }

    /// The vault's CA.
    pub fn ca(&self) -> &Ca {
        &self.keyring.ca
    }

    /// Seals a row in the newest term: a version with the value key, anything else with the metadata key.
    pub fn seal_row(
        &self,
        kind: Kind,
        id: RowId,
        revision: u64,
        lookup: Option<[u8; 32]>,
        plain: &[u8],
        rng: &mut dyn Entropy,
    ) -> Row {
        let nonce = array(rng);
        let term = self.keyring.terms.keys().next_back().copied().unwrap_or_default();
        let header = RowHeader { kind, id, revision, epoch: self.epoch, term };
        let mut body = Vec::with_capacity(plain.len());
        let aad = row_aad(&header, self.vault, lookup.as_ref());
        let tag = match self.key(kind, term) {
            Some(key) => aead::seal(key, &nonce, &aad, plain, &mut body),
            None => unreachable!("a keyring has at least one term: it is checked when it is opened"),
        };
        Row { header, lookup, nonce, tag, body: body.into_boxed_slice() }
    }

    /// Opens a sealed row of this vault.
    ///
    /// # Errors
    /// [`OpenFailed`] for a row that was changed, moved, or sealed in a term that is gone.
    pub fn open_row(&self, row: &Row) -> Result<SecretBytes, OpenFailed> {
        self.open_parts(&row.header, row.lookup.as_ref(), &row.nonce, &row.tag, &row.body)
    }

    /// Opens a row whose body is held apart from its facts.
    ///
    /// # Errors
    /// As [`VaultKeys::open_row`].
    pub fn open_body(&self, facts: &RowFacts, body: &[u8]) -> Result<SecretBytes, OpenFailed> {
        self.open_parts(&facts.header, facts.lookup.as_ref(), &facts.nonce, &facts.tag, body)
    }

    fn open_parts(
        &self,
        header: &RowHeader,
        lookup: Option<&[u8; 32]>,
        nonce: &[u8; aead::NONCE_LEN],
        tag: &[u8; aead::TAG_LEN],
        body: &[u8],
    ) -> Result<SecretBytes, OpenFailed> {
        let key = self.key(header.kind, header.term).ok_or(OpenFailed)?;
        aead::open(key, nonce, &row_aad(header, self.vault, lookup), body, tag)
    }

    /// The look-up hash of a path: HMAC-SHA-256 under the path-index key.
    pub fn lookup(&self, path: &SecretPath) -> [u8; 32] {
        self.lookup.tag(&[path.as_str().as_bytes()])
    }

    /// The id of a ledger row: HMAC-SHA-256 of what it is about. The key is the one for paths; no path begins
    /// with a zero byte, so the two never meet.
    pub fn ledger_id(&self, about: &[u8]) -> RowId {
        let tag = self.lookup.tag(&[LEDGER_DOMAIN, about]);
        RowId::new(&tag).unwrap_or_else(|| fixed_id(b"ledger"))
    }

    /// What a row adds to the row state. `clear_body` is given for rows whose body is not sealed (slots and
    /// the clear settings), because no tag covers it.
    pub fn row_mac(&self, facts: &RowFacts, clear_body: Option<&[u8]>) -> [u8; 64] {
        let header = facts.header.encode();
        let mut hash = Sha256::new();
        hash.update(&header);
        hash.update([u8::from(facts.lookup.is_some()) | u8::from(clear_body.is_some()) << 1]);
        hash.update(facts.nonce);
        hash.update(facts.tag);
        if let Some(lookup) = &facts.lookup {
            hash.update(lookup);
        }
        if let Some(body) = clear_body {
            hash.update(body);
        }
        let id = facts.header.id.as_bytes();
        let place = [facts.header.kind.code(), id.len() as u8];
        self.row_state.tag(&[&place, id, &facts.header.revision.to_be_bytes(), &hash.finalize()])
    }

    /// Signs the bytes that [`crate::settings`] puts together, in the domain of clear settings.
    pub fn sign_settings(&self, bytes: &[u8]) -> [u8; 64] {
        self.keyring.identity.sign(&settings_message(bytes))
    }

    fn key(&self, kind: Kind, term: u32) -> Option<&[u8; 32]> {
        let term = self.keyring.terms.get(&term)?;
        Some(if kind == Kind::Version { term.value.expose() } else { term.metadata.expose() })
    }
}

/// What the audit key signs for a clear settings row.
pub(crate) fn settings_message(bytes: &[u8]) -> Vec<u8> {
    [SETTINGS_DOMAIN, bytes].concat()
}

/// The AAD of a row. The header tells the length of its id, and the look-up hash stands last, so no two
/// sets of fields give the same bytes.
pub(crate) fn row_aad(header: &RowHeader, vault: VaultId, lookup: Option<&[u8; 32]>) -> Vec<u8> {
    let mut aad = Vec::with_capacity(RowHeader::LONGEST + 48);
    header.encode_into(&mut aad);
    aad.extend_from_slice(&vault.bytes());
    if let Some(lookup) = lookup {
        aad.extend_from_slice(lookup);
    }
    aad
}

/// The id of a row of which there is only one.
pub(crate) fn fixed_id(name: &'static [u8]) -> RowId {
    let Some(id) = RowId::new(name) else { unreachable!("fixed names have 1 to 32 bytes") };
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Header, vault and look-up hash, as drawn; few values, so that all but one field often agree.
    type Place = (usize, Vec<u8>, u64, u32, u32, u8, Option<u8>);

    fn places() -> impl Strategy<Value = Place> {
        let id = prop::collection::vec(0u8..2, 1..4);
        (0usize..8, id, 0u64..3, 0u32..3, 0u32..3, 0u8..2, prop::option::of(0u8..2))
    }

    fn aad_of((kind, id, revision, epoch, term, vault, lookup): &Place) -> Vec<u8> {
        let id = RowId::new(id).unwrap_or_else(|| fixed_id(b"none"));
        let kind = Kind::ALL.get(*kind).copied().unwrap_or(Kind::State);
        let header = RowHeader { kind, id, revision: *revision, epoch: *epoch, term: *term };
        row_aad(&header, VaultId::from_bytes([*vault; 16]), lookup.map(|byte| [byte; 32]).as_ref())
    }

    proptest! {
        #[test]
        fn cr5_two_places_never_share_an_aad(one in places(), two in places()) {
            prop_assert_eq!(one == two, aad_of(&one) == aad_of(&two));
        }
    }

    #[test]
    fn cr5_the_term_is_bound_even_where_two_terms_had_one_key() {
        let header = RowHeader { kind: Kind::Token, id: RowId::of([1; 16]), revision: 1, epoch: 1, term: 1 };
        let vault = VaultId::from_bytes([2; 16]);
        let mut sealed = Vec::new();
        let (key, nonce) = ([3; 32], [4; 24]);
        let tag = aead::seal(&key, &nonce, &row_aad(&header, vault, None), b"token", &mut sealed);
        let open = |header| aead::open(&key, &nonce, &row_aad(&header, vault, None), &sealed, &tag).is_ok();
        assert!(open(header));
        assert!(!open(RowHeader { term: 2, ..header }));
    }
}
