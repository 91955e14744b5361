//! The two settings rows: what a locked daemon obeys, in clear and signed; the rest, sealed.

use hqv_audit::Retain;
use hqv_crypto::cbor::{Fields, FieldsWriter, Items};
use hqv_crypto::settings::{locked_row_id, read_locked, sealed_row_id, sign_locked};
use hqv_crypto::{AuditPublic, VaultKeys};
use hqv_model::{Entropy, Error, Kind, Row, RowHeader, Scope, Ttl, VaultId};

use super::malformed;
use crate::record_rules;
use crate::settings::{EntryRequire, Settings, is_command};

// The clear row; 1 and 2 are the audit identity's public keys.
const IDLE: u64 = 3;
const BIND: u64 = 4;
const HOSTNAMES: u64 = 5;
const AUDIT_SYNC: u64 = 6;
const REMOTE_ADMIN: u64 = 7;
// Written only where they were set, so that a program from before them reads the row of who never did.
const ENTRY_REQUIRE: u64 = 8;
const NOTIFY_COMMAND: u64 = 9;
const MIRROR: u64 = 10;
const ROTATE_SIZE: u64 = 11;
const ROTATE_AGE: u64 = 12;
const RETAIN: u64 = 13;
const KNOWN_LOCKED: [u64; 11] = [
    IDLE,
    BIND,
    HOSTNAMES,
    AUDIT_SYNC,
    REMOTE_ADMIN,
    ENTRY_REQUIRE,
    NOTIFY_COMMAND,
    ROTATE_SIZE,
    ROTATE_AGE,
    RETAIN,
    MIRROR,
];

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
    if settings.entry_require != EntryRequire::Any {
        clear.text(ENTRY_REQUIRE, settings.entry_require.as_str());
    }
    if let Some(command) = &settings.notify_command {
        clear.items(NOTIFY_COMMAND, |items| {
            items.text(command);
        });
    }
    record_rules_to(settings, &mut clear);
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
    into.entry_require = match f.opt_text(ENTRY_REQUIRE)? {
        Some(text) => EntryRequire::parse(text).ok_or_else(|| malformed("unknown entry policy"))?,
        None => EntryRequire::Any,
    };
    into.notify_command = notify_command(&f)?;
    record_rules_from(&f, into)?;
    Ok(public)
}

/// Each only where it is not what a new vault starts with.
fn record_rules_to(settings: &Settings, clear: &mut FieldsWriter) {
    let (rotate, initial) = (settings.audit_rotate, record_rules::ROTATION);
    if rotate.size != initial.size {
        clear.u64(ROTATE_SIZE, rotate.size);
    }
    if rotate.age != initial.age {
        clear.u64(ROTATE_AGE, rotate.age);
    }
    if settings.audit_retain != Retain::All {
        clear.text(RETAIN, &record_rules::retain_text(settings.audit_retain));
    }
    if let Some(target) = &settings.audit_mirror {
        clear.text(MIRROR, &target.to_string());
    }
}

fn record_rules_from(f: &Fields<'_>, into: &mut Settings) -> Result<(), Error> {
    for (key, place) in [(ROTATE_SIZE, &mut into.audit_rotate.size), (ROTATE_AGE, &mut into.audit_rotate.age)]
    {
        if f.has(key) {
            *place = f.u64(key)?;
        }
    }
    if let Some(text) = f.opt_text(RETAIN)? {
        into.audit_retain =
            record_rules::retain(text).map_err(|_| malformed("what of the record is kept"))?;
    }
    if let Some(place) = f.opt_text(MIRROR)? {
        into.audit_mirror = record_rules::mirror(place).map_err(|_| malformed("the mirror of the record"))?;
    }
    Ok(())
}

/// A program without arguments, or none.
fn notify_command(f: &Fields<'_>) -> Result<Option<String>, Error> {
    if !f.has(NOTIFY_COMMAND) {
        return Ok(None);
    }
    match texts(f.items(NOTIFY_COMMAND)?)?.as_slice() {
        [command] if is_command(command) => Ok(Some(command.clone())),
        _ => Err(malformed("the notify command is no program's path")),
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hqv_crypto::Keyring;

    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, bytes: &mut [u8]) {
            for byte in bytes {
                self.0 = self.0.wrapping_mul(5).wrapping_add(3);
                *byte = self.0;
            }
        }
    }

    fn keys() -> VaultKeys {
        let vault = VaultId::from_bytes([3; 16]);
        VaultKeys::new(vault, 0, Keyring::generate(vault, &mut Counting(1)).unwrap())
    }

    fn read(keys: &VaultKeys, row: &Row) -> Result<Settings, Error> {
        let mut into = Settings::initial()?;
        let public = keys.audit_identity().public();
        read_clear(row, keys.vault(), Some(&public), &mut into).map(|_| into)
    }

    /// The clear row with two more fields, signed.
    fn signed(keys: &VaultKeys, more: impl FnOnce(&mut FieldsWriter)) -> Row {
        let mut clear = FieldsWriter::new();
        clear.u64(IDLE, 5).bool(AUDIT_SYNC, false).bool(REMOTE_ADMIN, false);
        clear.items(BIND, |_| {}).items(HOSTNAMES, |_| {});
        more(&mut clear);
        sign_locked(keys, 1, clear)
    }

    #[test]
    fn a_row_from_before_entries_reads_and_one_that_never_set_them_is_written_so() {
        let keys = keys();
        let old = read(&keys, &signed(&keys, |_| {})).unwrap();
        assert_eq!((old.entry_require, &old.notify_command), (EntryRequire::Any, &None));
        let rows = seal(&keys, &old, &[], &mut Counting(2));
        let without = [IDLE, BIND, HOSTNAMES, AUDIT_SYNC, REMOTE_ADMIN];
        assert!(read_locked(&rows[0], keys.vault(), None, &without).is_ok());
        let mut set = old;
        set.set("entry.require", "answer").unwrap();
        set.set("notify.command", "/usr/bin/tell-me").unwrap();
        for (key, value) in [
            ("audit.rotate-size", "1M"),
            ("audit.rotate-age", "never"),
            ("audit.retain", "20files"),
            ("audit.mirror", "file:/var/log/vault.jsonl"),
        ] {
            set.set(key, value).unwrap();
        }
        let rows = seal(&keys, &set, &rows, &mut Counting(3));
        assert_eq!(read(&keys, &rows[0]).unwrap(), set);
        assert!(read_locked(&rows[0], keys.vault(), None, &without).is_err());
    }

    #[test]
    fn in2_a_policy_or_command_that_means_nothing_is_refused_signed_or_not() {
        let keys = keys();
        let policy = |text: &str| signed(&keys, |f| _ = f.text(ENTRY_REQUIRE, text));
        let command = |parts: &[&str]| {
            signed(&keys, |f| {
                _ = f.items(NOTIFY_COMMAND, |items| parts.iter().for_each(|p| _ = items.text(p)))
            })
        };
        let bad = [
            policy("none"),
            policy(""),
            signed(&keys, |f| _ = f.u64(ENTRY_REQUIRE, 1)),
            command(&[]),
            command(&["tell-me"]),
            command(&["/bin/a\nb"]),
            command(&["/bin/sh", "-c"]),
            signed(&keys, |f| _ = f.text(NOTIFY_COMMAND, "/bin/sh")),
        ];
        for (at, row) in bad.iter().enumerate() {
            assert!(read(&keys, row).is_err(), "{at}");
        }
    }
}
