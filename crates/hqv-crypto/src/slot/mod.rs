//! Key slots: each seals the same root key under another secret.
//!
//! A slot's row is in clear but for the 32 sealed bytes. Every clear field is in the AAD, so that none can
//! be changed or carried to another slot or vault, and a check value commits the slot to its root key. Cost
//! parameters below the floor are refused before anything is derived. Bytes: spec/slots.md.

mod kdf;
mod recovery;

use hqv_model::{Entropy, Kind, Row, RowHeader, RowId, SecretBytes, SecretText, SlotId, VaultId, array};
use hqv_sys::memory::{LockedBytes, scrub_stack};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::cbor::{Fields, FieldsWriter, Kept};
use crate::keys::row_aad;
use crate::{RootKey, aead};

pub use kdf::KdfParams;
pub use recovery::{RecoveryKey, parse_recovery};

const KIND: u64 = 1;
const SALT: u64 = 2;
const MEM_KIB: u64 = 3;
const PASSES: u64 = 4;
const LANES: u64 = 5;
const CHECK: u64 = 6;
const SEALED: u64 = 7;
const KNOWN: &[u64] = &[KIND, SALT, MEM_KIB, PASSES, LANES, CHECK, SEALED];

/// What a slot is opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// A passphrase, stretched by Argon2id.
    Passphrase = 1,
    /// The recovery key.
    Recovery = 2,
    /// Nothing at all: for tests that open a vault thousands of times.
    #[cfg(feature = "test-slot")]
    Test = 255,
}

impl SlotKind {
    fn from_code(code: u64) -> Option<Self> {
        match code {
            1 => Some(Self::Passphrase),
            2 => Some(Self::Recovery),
            #[cfg(feature = "test-slot")]
            255 => Some(Self::Test),
            _ => None,
        }
    }
}

/// The secret that opens a slot.
pub enum SlotSecret {
    /// The master passphrase, byte for byte.
    Passphrase(SecretBytes),
    /// The recovery key.
    Recovery(RecoveryKey),
    /// For slots made by `seal_test`.
    #[cfg(feature = "test-slot")]
    Test,
}

impl SlotSecret {
    /// The kind of slot that it opens.
    pub fn kind(&self) -> SlotKind {
        match self {
            Self::Passphrase(_) => SlotKind::Passphrase,
            Self::Recovery(_) => SlotKind::Recovery,
            #[cfg(feature = "test-slot")]
            Self::Test => SlotKind::Test,
        }
    }
}

/// A slot that gives no root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotError {
    /// It does not open: the wrong secret, or a slot that was changed or belongs elsewhere. The two cannot
    /// be told apart.
    Wrong,
    /// It is malformed, of another kind, asks for absurd costs, or does not hold the key it commits to.
    Damaged,
    /// It asks for less work than any slot was made with.
    Weakened,
    /// There is not enough memory for the key derivation.
    Memory,
}

impl std::fmt::Display for SlotError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Wrong => "the key slot does not open with this",
            Self::Damaged => "the key slot is damaged",
            Self::Weakened => "the key slot was weakened: its cost is below the least ever written",
            Self::Memory => "there is not enough memory to derive the key",
        })
    }
}

impl std::error::Error for SlotError {}

/// The clear part of a slot.
struct Clear {
    kind: SlotKind,
    salt: [u8; 16],
    params: Option<KdfParams>,
    check: [u8; 32],
    kept: Kept,
}

/// Seals the root key under a passphrase. Takes as long and as much memory as `params` ask for.
///
/// # Errors
/// [`SlotError::Weakened`] or [`SlotError::Damaged`] for parameters out of bounds, [`SlotError::Memory`].
pub fn seal_passphrase(
    root: &RootKey,
    vault: VaultId,
    id: SlotId,
    passphrase: &SecretBytes,
    params: KdfParams,
    rng: &mut dyn Entropy,
) -> Result<Row, SlotError> {
    let clear = Clear::new(SlotKind::Passphrase, Some(params), root, vault, id, rng);
    let row =
        kdf::derive(passphrase, &clear.salt, params).map(|kek| seal(root, vault, id, &clear, &kek, rng));
    scrub_stack();
    row
}

/// Seals the root key under a new recovery key, which is returned to be shown once.
pub fn seal_recovery(root: &RootKey, vault: VaultId, id: SlotId, rng: &mut dyn Entropy) -> (Row, SecretText) {
    let key = RecoveryKey::generate(rng);
    let clear = Clear::new(SlotKind::Recovery, None, root, vault, id, rng);
    let kek = key.derive(&clear.salt, vault, &id.bytes());
    (seal(root, vault, id, &clear, &kek, rng), key.to_text())
}

/// Seals the root key under a key that everybody knows.
#[doc(hidden)]
#[cfg(feature = "test-slot")]
pub fn seal_test(root: &RootKey, vault: VaultId, id: SlotId, rng: &mut dyn Entropy) -> Row {
    let clear = Clear::new(SlotKind::Test, None, root, vault, id, rng);
    seal(root, vault, id, &clear, &Zeroizing::new([0; 32]), rng)
}

/// What a slot row is opened with; `None` for what is not a slot, or of a kind unknown here.
pub fn kind_of(row: &Row) -> Option<SlotKind> {
    parse(row).ok().map(|(clear, _)| clear.kind)
}

/// Opens a slot.
///
/// # Errors
/// See [`SlotError`].
pub fn open(row: &Row, vault: VaultId, secret: &SlotSecret) -> Result<RootKey, SlotError> {
    let root = open_inner(row, vault, secret);
    scrub_stack(); // the slot's key passed over it
    root
}

fn open_inner(row: &Row, vault: VaultId, secret: &SlotSecret) -> Result<RootKey, SlotError> {
    let (clear, sealed) = parse(row)?;
    let slot = row.header.id.as_bytes();
    let kek = match (clear.kind, secret, clear.params) {
        (SlotKind::Passphrase, SlotSecret::Passphrase(phrase), Some(params)) => {
            kdf::derive(phrase, &clear.salt, params)?
        }
        (SlotKind::Recovery, SlotSecret::Recovery(key), None) => key.derive(&clear.salt, vault, slot),
        #[cfg(feature = "test-slot")]
        (SlotKind::Test, SlotSecret::Test, None) => Zeroizing::new([0; 32]),
        (kind, secret, _) if kind != secret.kind() => return Err(SlotError::Wrong),
        _ => return Err(SlotError::Damaged),
    };
    let aad = clear.aad(&row.header, vault);
    let mut key = LockedBytes::<32>::zeroed();
    key.expose_mut().copy_from_slice(sealed);
    aead::open_in_place(&kek, &row.nonce, &aad, key.expose_mut(), &row.tag).map_err(|_| SlotError::Wrong)?;
    let root = RootKey::from_locked(key);
    let committed = root.check_value(slot, vault).ct_eq(&clear.check);
    if bool::from(committed) { Ok(root) } else { Err(SlotError::Damaged) }
}

fn seal(
    root: &RootKey,
    vault: VaultId,
    id: SlotId,
    clear: &Clear,
    kek: &Zeroizing<[u8; 32]>,
    rng: &mut dyn Entropy,
) -> Row {
    let header = header(id);
    let nonce = array(rng);
    let mut sealed = Zeroizing::new(*root.expose());
    let tag = aead::seal_in_place(kek, &nonce, &clear.aad(&header, vault), sealed.as_mut_slice());
    let mut fields = clear.fields();
    fields.bytes(SEALED, sealed.as_slice());
    Row { header, lookup: None, nonce, tag, body: fields.finish().to_vec().into_boxed_slice() }
}

/// A slot is written once and belongs to no epoch: a restore keeps the passphrase.
fn header(id: SlotId) -> RowHeader {
    RowHeader { kind: Kind::Slot, id: RowId::of(id.bytes()), revision: 1, epoch: 0, term: 0 }
}

fn parse(row: &Row) -> Result<(Clear, &[u8; 32]), SlotError> {
    if row.header.kind != Kind::Slot || row.lookup.is_some() {
        return Err(SlotError::Damaged);
    }
    let fields = Fields::parse(&row.body, KNOWN).map_err(|_| SlotError::Damaged)?;
    Clear::read(&fields).map_err(|_| SlotError::Damaged)
}

impl Clear {
    fn new(
        kind: SlotKind,
        params: Option<KdfParams>,
        root: &RootKey,
        vault: VaultId,
        id: SlotId,
        rng: &mut dyn Entropy,
    ) -> Self {
        let check = root.check_value(&id.bytes(), vault);
        Self { kind, salt: array(rng), params, check, kept: Kept::default() }
    }

    fn read<'a>(fields: &Fields<'a>) -> Result<(Self, &'a [u8; 32]), crate::cbor::CborError> {
        let unknown = crate::cbor::CborError::new("unknown kind of slot");
        let params = if fields.has(MEM_KIB) || fields.has(PASSES) || fields.has(LANES) {
            Some(KdfParams { mem_kib: fields.u32(MEM_KIB)?, t: fields.u32(PASSES)?, p: fields.u32(LANES)? })
        } else {
            None
        };
        let clear = Self {
            kind: SlotKind::from_code(fields.u64(KIND)?).ok_or(unknown)?,
            salt: *fields.array(SALT)?,
            params,
            check: *fields.array(CHECK)?,
            kept: fields.kept(),
        };
        Ok((clear, fields.array(SEALED)?))
    }

    fn fields(&self) -> FieldsWriter {
        let mut fields = FieldsWriter::new();
        fields.u64(KIND, self.kind as u64).bytes(SALT, &self.salt).bytes(CHECK, &self.check);
        if let Some(params) = self.params {
            fields
                .u64(MEM_KIB, u64::from(params.mem_kib))
                .u64(PASSES, u64::from(params.t))
                .u64(LANES, u64::from(params.p));
        }
        fields.keep(&self.kept);
        fields
    }

    /// The row's AAD and, after it, every clear field in its one encoding.
    fn aad(&self, header: &RowHeader, vault: VaultId) -> Vec<u8> {
        let mut aad = row_aad(header, vault, None);
        aad.extend_from_slice(&self.fields().finish());
        aad
    }
}
