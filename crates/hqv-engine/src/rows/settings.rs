//! The two settings rows: what a locked daemon obeys, in clear and signed; the rest, sealed.

use hqv_crypto::cbor::{Fields, FieldsWriter, Items};
use hqv_crypto::settings::{locked_row_id, read_locked, sealed_row_id, sign_locked};
use hqv_crypto::{AuditPublic, VaultKeys};
use hqv_model::{Entropy, Error, Kind, Row, RowHeader, Scope, Ttl, VaultId};

use super::malformed;
use crate::settings::Settings;

// The clear row; 1 and 2 are the audit identity's public keys.
const IDLE: u64 = 3;
const BIND: u64 = 4;
const HOSTNAMES: u64 = 5;
const AUDIT_SYNC: u64 = 6;
const REMOTE_ADMIN: u64 = 7;
const KNOWN_LOCKED: [u64; 5] = [IDLE, BIND, HOSTNAMES, AUDIT_SYNC, REMOTE_ADMIN];

// The sealed row.
const SESSION: u64 = 1;
const TOKEN_TTL: u64 = 2;
const TOKEN_SCOPE: u64 = 3;
const KNOWN_SEALED: [u64; 3] = [SESSION, TOKEN_TTL, TOKEN_SCOPE];

/// True for the row that stands in clear.
pub fn is_clear(header: &RowHeader) -> bool {
    header.kind == Kind::Setting && header.id == locked_row_id()
}

/// Both rows for these settings, each one revision above the one held.
pub fn seal(keys: &VaultKeys, settings: &Settings, held: &[Row], rng: &mut dyn Entropy) -> Vec<Row> {
    let next =
        |id| held.iter().find(|r| r.header.id == id).map_or(1, |r| r.header.revision.saturating_add(1));
    let mut clear = FieldsWriter::new();
    clear.u64(IDLE, settings.idle_minutes).bool(AUDIT_SYNC, settings.audit_sync);
    clear.bool(REMOTE_ADMIN, settings.remote_admin);
    for (key, list) in [(BIND, &settings.bind), (HOSTNAMES, &settings.hostnames)] {
        clear.items(key, |items| {
            for text in list {
                items.text(text);
            }
        });
    }
    let mut sealed = FieldsWriter::new();
    sealed.u64(SESSION, settings.session_minutes).u64(TOKEN_TTL, settings.token_ttl.as_millis());
    sealed.items(TOKEN_SCOPE, |items| {
        for rule in settings.token_scope.rules() {
            items.text(&rule.to_string());
        }
    });
    keep_newer(keys, held, &mut clear, &mut sealed);
    let id = sealed_row_id();
    vec![
        sign_locked(keys, next(locked_row_id()), clear),
        keys.seal_row(Kind::Setting, id, next(id), None, &sealed.finish(), rng),
    ]
}

/// Fields of a newer program stay in both rows.
fn keep_newer(keys: &VaultKeys, held: &[Row], clear: &mut FieldsWriter, sealed: &mut FieldsWriter) {
    for row in held {
        if is_clear(&row.header) {
            if let Ok((_, fields)) = read_locked(row, keys.vault(), None, &KNOWN_LOCKED) {
                clear.keep(&fields.kept());
            }
        } else if let Ok(plain) = keys.open_row(row)
            && let Ok(fields) = Fields::parse(plain.reveal(), &KNOWN_SEALED)
        {
            sealed.keep(&fields.kept());
        }
    }
}

/// What the clear row says, by the identity it names (locked), or by the one expected (unlocked).
pub fn read_clear(
    row: &Row,
    vault: VaultId,
    expected: Option<&AuditPublic>,
    into: &mut Settings,
) -> Result<AuditPublic, Error> {
    let (public, f) = read_locked(row, vault, expected, &KNOWN_LOCKED).map_err(|e| malformed_because(&e))?;
    into.idle_minutes = f.u64(IDLE)?.min(crate::settings::MAX_IDLE_MINUTES);
    into.bind = texts(f.items(BIND)?)?;
    into.hostnames = texts(f.items(HOSTNAMES)?)?;
    into.audit_sync = f.bool(AUDIT_SYNC)?;
    into.remote_admin = f.bool(REMOTE_ADMIN)?;
    Ok(public)
}

/// What the sealed row says.
pub fn read_sealed(keys: &VaultKeys, row: &Row, into: &mut Settings) -> Result<(), Error> {
    let plain = keys.open_row(row).map_err(|_| malformed("the settings row does not open"))?;
    let f = Fields::parse(plain.reveal(), &KNOWN_SEALED)?;
    into.session_minutes = f.u64(SESSION)?;
    into.token_ttl = Ttl::parse(&format!("{}s", f.u64(TOKEN_TTL)? / 1000))?;
    into.token_scope = Scope::parse_rules(&texts(f.items(TOKEN_SCOPE)?)?)?;
    Ok(())
}

fn texts(mut items: Items<'_>) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    while !items.is_empty() {
        all.push(items.text()?.to_owned());
    }
    Ok(all)
}

fn malformed_because(error: &hqv_crypto::settings::SettingsError) -> Error {
    malformed("the clear settings row").cause(error)
}
