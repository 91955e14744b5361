//! Reading all rows at unlock: keys first, then every row against the row state.
//!
//! Nothing is believed before the sums agree: a row swapped, put back, removed or added makes them differ,
//! and the vault stays locked. Large values are not read; their facts are.

use hqv_crypto::row_state::{RowState, Tallies};
use hqv_crypto::slot::{self, SlotError, SlotSecret};
use hqv_crypto::{Keyring, RootKey, VaultKeys};
use hqv_model::{Error, Kind, Row, SecretId, Timestamp, VaultId};
use hqv_store::{Scanned, Shelf};
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::family::Tokens;
use crate::open::{Loaded, mac_of};
use crate::rows::{settings, token};
use crate::secrets::{
    HELD, SecretEntry, Secrets, VersionEntry, damaged, open_secret, secret_id, version_number,
};
use crate::settings::Settings;
use crate::table::Uniform;

/// Kinds checked at unlock; the ledger is checked when it is first opened.
const CHECKED: [Kind; 6] =
    [Kind::Slot, Kind::Keyring, Kind::Setting, Kind::Secret, Kind::Version, Kind::Token];

/// Opens a slot with what the person gave.
pub fn open_root(shelf: &dyn Shelf, vault: VaultId, secret: &SlotSecret) -> Result<RootKey, Error> {
    let mut fault = SlotError::Wrong;
    for row in rows(shelf, Kind::Slot)? {
        if slot::kind_of(&row) != Some(secret.kind()) {
            continue;
        }
        match slot::open(&row, vault, secret) {
            Ok(root) => return Ok(root),
            Err(SlotError::Wrong) => {}
            Err(other) => fault = other,
        }
    }
    Err(match fault {
        SlotError::Wrong => wrong(secret),
        SlotError::Memory => Error::unavailable("there is not enough memory to derive the key").cause(fault),
        _ => damaged("a key slot").cause(fault),
    })
}

fn wrong(secret: &SlotSecret) -> Error {
    let what = match secret {
        SlotSecret::Recovery(_) => "the recovery key is wrong",
        _ => "the passphrase is wrong",
    };
    Error::new(hqv_model::Code::Unauthorized, what)
        .hint("try again; hq-vault unlock --recovery takes the recovery key")
}

/// Opens the keyring.
pub fn open_keys(shelf: &dyn Shelf, vault: VaultId, root: &RootKey) -> Result<Arc<VaultKeys>, Error> {
    let row = shelf.get(Kind::Keyring, &Keyring::row_id()).map_err(|e| e.to_error())?;
    let row = row.ok_or_else(|| damaged("the keyring is missing"))?;
    let keyring = Keyring::open(&row, root, vault).map_err(|_| damaged("the keyring does not open"))?;
    Ok(Arc::new(VaultKeys::new(vault, row.header.epoch, keyring)))
}

/// Reads everything and checks it. Secrets and versions are read side by side, since they are the most.
pub fn load(shelf: &dyn Shelf, keys: Arc<VaultKeys>) -> Result<Loaded, Error> {
    let state = state_row(shelf, &keys)?;
    let (secrets, versions) = std::thread::scope(|threads| {
        let versions = threads.spawn(|| read_versions(shelf, &keys));
        let secrets = read_secrets(shelf, &keys);
        (secrets, versions.join().unwrap_or_else(|_| Err(Error::internal("reading the vault failed"))))
    });
    let ((secrets, secret_macs), (versions, version_macs)) = (secrets?, versions?);
    let mut few = Tallies::default();
    for kind in [Kind::Slot, Kind::Keyring] {
        for row in rows(shelf, kind)? {
            few.add(kind, &mac_of(&keys, &row));
        }
    }
    let setting_rows = rows(shelf, Kind::Setting)?;
    setting_rows.iter().for_each(|row| few.add(Kind::Setting, &mac_of(&keys, row)));
    let token_rows = rows(shelf, Kind::Token)?;
    token_rows.iter().for_each(|row| few.add(Kind::Token, &keys.row_mac(&row.facts(), None)));
    for kind in CHECKED {
        let found = match kind {
            Kind::Secret => &secret_macs,
            Kind::Version => &version_macs,
            _ => &few,
        };
        if found.of(kind) != state.tallies.of(kind) {
            return Err(damaged_rows(kind));
        }
    }
    let settings = read_settings(&keys, &setting_rows)?;
    let mut tokens = Tokens::default();
    for row in &token_rows {
        tokens.load(token::open(&keys, row)?);
    }
    let secrets = join(secrets, versions)?;
    Ok(Loaded { secrets, tokens, settings, setting_rows, state, keys })
}

fn damaged_rows(kind: Kind) -> Error {
    damaged("row state").cause(format!("the rows of kind {kind:?} are not those that were last written"))
}

fn state_row(shelf: &dyn Shelf, keys: &VaultKeys) -> Result<RowState, Error> {
    let row = shelf.get(Kind::State, &RowState::row_id()).map_err(|e| e.to_error())?;
    let row = row.ok_or_else(|| damaged("the state row is missing"))?;
    let state = RowState::open(&row, keys).map_err(|_| damaged("the state row does not open"))?;
    if state.epoch != keys.epoch() {
        return Err(damaged("the state row is of another epoch"));
    }
    Ok(state)
}

/// Settings as the rows say, the clear one signed by this very vault.
fn read_settings(keys: &VaultKeys, rows: &[Row]) -> Result<Settings, Error> {
    let mut all = Settings::initial()?;
    let mut seen = 0;
    for row in rows {
        if settings::is_clear(&row.header) {
            settings::read_clear(row, keys.vault(), Some(&keys.audit_identity().public()), &mut all)?;
        } else {
            settings::read_sealed(keys, row, &mut all)?;
        }
        seen += 1;
    }
    if seen == 2 { Ok(all) } else { Err(damaged("a settings row is missing or too many")) }
}

type Versions = HashMap<SecretId, Vec<VersionEntry>, BuildHasherDefault<Uniform>>;

/// A secret's row with what the join needs of its body.
struct ReadSecret {
    row: Row,
    lookup: [u8; 32],
    newest: u64,
    /// None for a deleted one.
    path: Option<Box<str>>,
    deleted: Option<Timestamp>,
}

/// Secret rows, opened: each stands under the look-up hash of the path it names. A row that does not open
/// is damage whatever the sums say.
fn read_secrets(shelf: &dyn Shelf, keys: &VaultKeys) -> Result<(Vec<ReadSecret>, Tallies), Error> {
    let (mut tallies, mut all) = (Tallies::default(), Vec::new());
    for row in rows(shelf, Kind::Secret)? {
        tallies.add(Kind::Secret, &keys.row_mac(&row.facts(), None));
        let lookup = row.lookup.ok_or_else(|| damaged("a secret's row has no look-up hash"))?;
        let body = open_secret(keys, &row)?;
        if keys.lookup(&body.path) != lookup {
            return Err(damaged("a secret's row stands under another path"));
        }
        let path = body.deleted.is_none().then(|| body.path.as_str().into());
        all.push(ReadSecret { row, lookup, newest: body.newest, path, deleted: body.deleted });
    }
    Ok((all, tallies))
}

/// Version rows. The newest small value of each secret stays in memory.
fn read_versions(shelf: &dyn Shelf, keys: &VaultKeys) -> Result<(Versions, Tallies), Error> {
    let (mut tallies, mut versions) = (Tallies::default(), Versions::default());
    let mut fault = None;
    let scanned = shelf.scan(Kind::Version, HELD, &mut |scanned| {
        let (facts, body) = match scanned {
            Scanned::Row(row) => (row.facts(), Some(Arc::from(row.body))),
            Scanned::Facts(facts) => (facts, None),
        };
        tallies.add(Kind::Version, &keys.row_mac(&facts, None));
        let ids = secret_id(&facts.header.id).and_then(|id| Ok((id, version_number(&facts.header.id)?)));
        match ids {
            Ok((id, number)) => {
                let list = versions.entry(id).or_insert_with(|| Vec::with_capacity(1));
                // Ids ascend, so an earlier one is no longer the newest: its value leaves memory.
                if let Some(last) = list.last_mut() {
                    last.body = None;
                }
                list.push(VersionEntry { number, facts, body });
                ControlFlow::Continue(())
            }
            Err(error) => {
                fault = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    scanned.map_err(|e| e.to_error())?;
    match fault {
        Some(error) => Err(error),
        None => Ok((versions, tallies)),
    }
}

fn join(read: Vec<ReadSecret>, mut versions: Versions) -> Result<Secrets, Error> {
    let mut all = Secrets::default();
    all.by_lookup.reserve(read.len());
    let mut paths = Vec::with_capacity(read.len());
    for secret in read {
        let mut own = versions.remove(&secret_id(&secret.row.header.id)?).unwrap_or_default();
        own.shrink_to_fit();
        let entry = SecretEntry { row: secret.row, versions: own };
        if entry.version(secret.newest).is_none() {
            return Err(damaged("a secret's newest version is missing"));
        }
        if let Some(path) = secret.path {
            paths.push((path, secret.lookup));
        }
        if let Some(since) = secret.deleted {
            all.deleted.insert((since, secret.lookup));
        }
        all.by_lookup.load(secret.lookup, Arc::new(entry));
    }
    paths.sort_unstable();
    all.paths = BTreeMap::from_iter(paths);
    Ok(all)
}

fn rows(shelf: &dyn Shelf, kind: Kind) -> Result<Vec<Row>, Error> {
    let mut all = Vec::new();
    shelf
        .scan(kind, usize::MAX, &mut |scanned| {
            if let Scanned::Row(row) = scanned {
                all.push(row);
            }
            ControlFlow::Continue(())
        })
        .map_err(|e| e.to_error())?;
    Ok(all)
}
