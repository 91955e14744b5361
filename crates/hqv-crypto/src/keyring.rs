//! The keyring: every key of a vault but the root key, in one sealed row.
//!
//! Value and metadata keys come in terms, so that a rekey can add one, re-seal rows a few at a time and
//! drop the old one. The other keys are for life. Bytes: spec/keyring.md.

use std::collections::BTreeMap;

use hqv_model::{Entropy, Kind, Row, RowHeader, RowId, VaultId, array};
use hqv_sys::memory::{LockedBuf, LockedBytes, scrub_stack};
use zeroize::Zeroizing;

use crate::ca::{Ca, CaError};
use crate::cbor::{CborError, Fields, FieldsWriter, ItemsWriter, Kept};
use crate::identity::AuditIdentity;
use crate::keys::{fixed_id, row_aad};
use crate::{OpenFailed, RootKey, aead};

/// Name of the one keyring row.
const ROW_NAME: &[u8] = b"keyring";
/// The first term.
const FIRST_TERM: u32 = 1;

const PATH_INDEX: u64 = 1;
const ROW_STATE: u64 = 2;
const SIGNING: u64 = 3;
const READING: u64 = 4;
const CA_KEY: u64 = 5;
const CA_CERT: u64 = 6;
const TERMS: u64 = 7;
const KNOWN: &[u64] = &[PATH_INDEX, ROW_STATE, SIGNING, READING, CA_KEY, CA_CERT, TERMS];

/// The two keys of a term.
pub(crate) struct Term {
    pub(crate) value: LockedBytes<32>,
    pub(crate) metadata: LockedBytes<32>,
}

/// Every key of the vault, in locked memory.
pub struct Keyring {
    pub(crate) terms: BTreeMap<u32, Term>,
    pub(crate) path_index: LockedBytes<32>,
    pub(crate) row_state: LockedBytes<32>,
    pub(crate) identity: AuditIdentity,
    pub(crate) ca: Ca,
    kept: Kept,
}

impl Keyring {
    /// New keys and a new CA for a new vault.
    ///
    /// # Errors
    /// When aws-lc cannot make the CA's key.
    pub fn generate(vault: VaultId, rng: &mut dyn Entropy) -> Result<Self, CaError> {
        let first = Term { value: random_key(rng), metadata: random_key(rng) };
        Ok(Self {
            terms: BTreeMap::from([(FIRST_TERM, first)]),
            path_index: random_key(rng),
            row_state: random_key(rng),
            identity: AuditIdentity::generate(rng),
            ca: Ca::create(vault, rng)?,
            kept: Kept::default(),
        })
    }

    /// The id of the row that holds the keyring.
    pub fn row_id() -> RowId {
        fixed_id(ROW_NAME)
    }

    /// Seals the keyring into its row.
    pub fn seal(
        &self,
        root: &RootKey,
        vault: VaultId,
        epoch: u32,
        revision: u64,
        rng: &mut dyn Entropy,
    ) -> Row {
        let header = RowHeader { kind: Kind::Keyring, id: Self::row_id(), revision, epoch, term: 0 };
        let nonce = array(rng);
        let body = self.encode();
        let mut sealed = Vec::with_capacity(body.len());
        let aad = row_aad(&header, vault, None);
        let tag = aead::seal(&root.keyring_key(vault), &nonce, &aad, &body, &mut sealed);
        Row { header, lookup: None, nonce, tag, body: sealed.into_boxed_slice() }
    }

    /// Opens the keyring row of this vault.
    ///
    /// # Errors
    /// [`OpenFailed`] for another root key, another vault, another row, or changed bytes.
    pub fn open(row: &Row, root: &RootKey, vault: VaultId) -> Result<Self, OpenFailed> {
        if row.header.kind != Kind::Keyring || row.header.id != Self::row_id() {
            return Err(OpenFailed);
        }
        let aad = row_aad(&row.header, vault, row.lookup.as_ref());
        let body = aead::open(&root.keyring_key(vault), &row.nonce, &aad, &row.body, &row.tag)?;
        let keyring = Self::decode(body.reveal(), vault).map_err(|_| OpenFailed);
        scrub_stack(); // keys passed over it on their way into locked memory
        keyring
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut body = FieldsWriter::with_capacity(2048);
        body.bytes(PATH_INDEX, self.path_index.expose())
            .bytes(ROW_STATE, self.row_state.expose())
            .bytes(SIGNING, self.identity.signing_seed())
            .bytes(READING, self.identity.reading_private())
            .bytes(CA_KEY, self.ca.key_pkcs8())
            .bytes(CA_CERT, self.ca.cert_der())
            .items(TERMS, |list| self.encode_terms(list))
            .keep(&self.kept);
        body.finish()
    }

    fn encode_terms(&self, list: &mut ItemsWriter) {
        for (number, term) in &self.terms {
            list.items(|one| {
                one.u64(u64::from(*number)).bytes(term.value.expose()).bytes(term.metadata.expose());
            });
        }
    }

    fn decode(body: &[u8], vault: VaultId) -> Result<Self, CborError> {
        let fields = Fields::parse(body, KNOWN)?;
        let key = |at| fields.array::<32>(at).map(locked);
        let ca_key = LockedBuf::from_vec_wiping(fields.bytes(CA_KEY)?.to_vec());
        Ok(Self {
            terms: decode_terms(&fields)?,
            path_index: key(PATH_INDEX)?,
            row_state: key(ROW_STATE)?,
            identity: AuditIdentity::from_locked(key(SIGNING)?, key(READING)?),
            ca: Ca::from_parts(vault, ca_key, fields.bytes(CA_CERT)?.to_vec()),
            kept: fields.kept(),
        })
    }
}

fn decode_terms(fields: &Fields<'_>) -> Result<BTreeMap<u32, Term>, CborError> {
    let mut terms = BTreeMap::new();
    let mut list = fields.items(TERMS)?;
    while !list.is_empty() {
        let mut one = list.items()?;
        let number = u32::try_from(one.u64()?).map_err(|_| CborError::new("a term is too large"))?;
        let term = Term { value: locked(one.array()?), metadata: locked(one.array()?) };
        one.end()?;
        if number == 0 || terms.insert(number, term).is_some() {
            return Err(CborError::new("a term is zero or stands twice"));
        }
    }
    if terms.is_empty() {
        return Err(CborError::new("no term"));
    }
    Ok(terms)
}

fn random_key(rng: &mut dyn Entropy) -> LockedBytes<32> {
    let mut key = LockedBytes::zeroed();
    rng.fill(key.expose_mut());
    key
}

fn locked(bytes: &[u8; 32]) -> LockedBytes<32> {
    let mut key = LockedBytes::zeroed();
    key.expose_mut().copy_from_slice(bytes);
    key
}
