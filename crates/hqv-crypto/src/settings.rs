//! The two settings rows, and how the clear one is signed.
//!
//! What a daemon must know before unlock stands in clear in the row `locked`, signed by the audit identity
//! and counted in the row state. It carries the identity's public halves, so its signature shows damage
//! and half-made changes; that it is this vault's row is shown at unlock, by the row state and by
//! comparing the public halves. Until then it may switch on nothing that an attacker would want: see
//! spec/settings.md. The row `sealed` is an ordinary sealed row.

use hqv_model::{Kind, Row, RowHeader, RowId, VaultId};

use crate::cbor::{Fields, FieldsWriter};
use crate::keys::{fixed_id, settings_message};
use crate::{AuditPublic, VaultKeys, ed25519};

/// Field of the Ed25519 public key of the audit identity.
pub const SIGNING_KEY: u64 = 1;
/// Field of the X25519 public key of the audit identity.
pub const READING_KEY: u64 = 2;

/// The row in clear is not what its signature says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsError {
    /// Not the row `locked`, or not of its form.
    Malformed,
    /// The signature does not hold, or is not by the identity that was expected.
    NotSigned,
}

impl std::fmt::Display for SettingsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the settings of the locked daemon are malformed",
            Self::NotSigned => "the settings of the locked daemon are not signed by this vault",
        })
    }
}

impl std::error::Error for SettingsError {}

/// The id of the clear, signed row.
pub fn locked_row_id() -> RowId {
    fixed_id(b"locked")
}

/// The id of the sealed row.
pub fn sealed_row_id() -> RowId {
    fixed_id(b"sealed")
}

/// Makes the clear row from the caller's fields (keys 3 and up); the public keys are added here.
pub fn sign_locked(keys: &VaultKeys, revision: u64, mut fields: FieldsWriter) -> Row {
    let public = keys.audit_identity().public();
    fields.bytes(SIGNING_KEY, &public.signing).bytes(READING_KEY, &public.reading);
    let header =
        RowHeader { kind: Kind::Setting, id: locked_row_id(), revision, epoch: keys.epoch(), term: 0 };
    let map = fields.finish();
    let mut body = map.to_vec();
    body.extend_from_slice(&keys.sign_settings(&signed_bytes(&header, keys.vault(), &map)));
    Row { header, lookup: None, nonce: [0; 24], tag: [0; 16], body: body.into_boxed_slice() }
}

/// Checks the clear row and reads it. `known` lists the caller's keys. With `expected` the row must be
/// signed by that identity; without, by the one that it names.
///
/// # Errors
/// [`SettingsError`]; the caller then goes by the strictest defaults.
pub fn read_locked<'a>(
    row: &'a Row,
    vault: VaultId,
    expected: Option<&AuditPublic>,
    known: &[u64],
) -> Result<(AuditPublic, Fields<'a>), SettingsError> {
    let plain = row.nonce == [0; 24] && row.tag == [0; 16] && row.lookup.is_none() && row.header.term == 0;
    if row.header.kind != Kind::Setting || row.header.id != locked_row_id() || !plain {
        return Err(SettingsError::Malformed);
    }
    let (map, signature) = row.body.split_last_chunk().ok_or(SettingsError::Malformed)?;
    let known: Vec<u64> = known.iter().copied().chain([SIGNING_KEY, READING_KEY]).collect();
    let fields = Fields::parse(map, &known).map_err(|_| SettingsError::Malformed)?;
    let key = |at| fields.array::<32>(at).copied().map_err(|_| SettingsError::Malformed);
    let public = AuditPublic { signing: key(SIGNING_KEY)?, reading: key(READING_KEY)? };
    let message = settings_message(&signed_bytes(&row.header, vault, map));
    let expected_one = expected.is_none_or(|expected| *expected == public);
    if !expected_one || !ed25519::verify(&public.signing, &message, signature) {
        return Err(SettingsError::NotSigned);
    }
    Ok((public, fields))
}

/// Vault id, revision, epoch and map, as they are signed after the domain.
fn signed_bytes(header: &RowHeader, vault: VaultId, map: &[u8]) -> Vec<u8> {
    let revision = header.revision.to_be_bytes();
    [&vault.bytes()[..], &revision, &header.epoch.to_be_bytes(), map].concat()
}
