//! Reading all rows at unlock: keys first, then every row against the row state.
//!
//! Nothing is believed before the sums agree: a row swapped, put back, removed or added makes them differ,
//! and the vault stays locked. Large values are not read; their facts are.

use hqv_crypto::row_state::{RowState, Tallies};
use hqv_crypto::slot::{self, SlotError, SlotSecret};
use hqv_crypto::{Keyring, RootKey, VaultKeys};
use hqv_model::{Error, Kind, Row, VaultId};
use hqv_store::{Scanned, Shelf};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::family::Tokens;
use crate::open::{Loaded, mac_of};
use crate::read::read;
use crate::rows::{ledger, settings, token};
use crate::secrets::damaged;
use crate::settings::Settings;

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

/// Reads everything and checks it.
pub fn load(shelf: &dyn Shelf, keys: Arc<VaultKeys>) -> Result<Loaded, Error> {
    let state = state_row(shelf, &keys)?;
    let most = read(shelf, &keys)?;
    let mut found = most.tallies().clone();
    for kind in [Kind::Slot, Kind::Keyring] {
        for row in rows(shelf, kind)? {
            found.add(kind, &mac_of(&keys, &row));
        }
    }
    let setting_rows = rows(shelf, Kind::Setting)?;
    setting_rows.iter().for_each(|row| found.add(Kind::Setting, &mac_of(&keys, row)));
    let tokens = read_tokens(shelf, &keys, &mut found)?;
    if let Some(kind) = CHECKED.into_iter().find(|kind| found.of(*kind) != state.tallies.of(*kind)) {
        return Err(damaged_rows(kind));
    }
    let settings = read_settings(&keys, &setting_rows)?;
    let tokens = tokens?;
    let secrets = most.join()?;
    let noted = noted(shelf, &keys)?;
    Ok(Loaded { secrets, tokens, settings, setting_rows, state, keys, noted })
}

/// One row at a time: all of them at once would stay in the process's memory. That the rows are those last written is
/// found out when all have been added up, so what is wrong with one of them is told after that.
fn read_tokens(
    shelf: &dyn Shelf,
    keys: &VaultKeys,
    found: &mut Tallies,
) -> Result<Result<Tokens, Error>, Error> {
    let (mut tokens, mut wrong) = (Tokens::default(), None);
    let mut visit = |scanned: Scanned| {
        if let Scanned::Row(row) = scanned {
            found.add(Kind::Token, &keys.row_mac(&row.facts(), None));
            match token::open(keys, &row) {
                Ok(entry) => tokens.load(entry),
                Err(error) => drop(wrong.get_or_insert(error)),
            }
        }
        ControlFlow::Continue(())
    };
    shelf.scan(Kind::Token, usize::MAX, &mut visit).map_err(|e| e.to_error())?;
    Ok(wrong.map_or(Ok(tokens), Err))
}

/// Up to which line of the record the ledger is complete. A note that does not open is as good as none: all is read
/// again, and whoever opens the ledger is told of the damage.
fn noted(shelf: &dyn Shelf, keys: &VaultKeys) -> Result<u64, Error> {
    let row = shelf.get(Kind::Ledger, &ledger::noted_id()?).map_err(|e| e.to_error())?;
    Ok(row.and_then(|row| ledger::open_noted(keys, &row).ok()).unwrap_or(0))
}

fn damaged_rows(kind: Kind) -> Error {
    let error = if kind == Kind::Setting { changed_settings() } else { damaged("row state") };
    error.cause(format!("the rows of kind {kind:?} are not those that were last written"))
}

pub fn state_row(shelf: &dyn Shelf, keys: &VaultKeys) -> Result<RowState, Error> {
    let row = shelf.get(Kind::State, &RowState::row_id()).map_err(|e| e.to_error())?;
    let row = row.ok_or_else(|| damaged("the state row is missing"))?;
    let state = RowState::open(&row, keys).map_err(|_| damaged("the state row does not open"))?;
    if state.epoch != keys.epoch() {
        return Err(damaged("the state row is of another epoch"));
    }
    Ok(state)
}

/// What a locked daemon went by is not what the owner set.
fn changed_settings() -> Error {
    Error::internal("the vault's settings are not those last written; it stays locked")
        .hint("run hq-vault doctor, and put back a copy of the vault directory if you have one")
}

/// Settings as the rows say, the clear one signed by this very vault.
fn read_settings(keys: &VaultKeys, rows: &[Row]) -> Result<Settings, Error> {
    let mut all = Settings::initial()?;
    let mut seen = 0;
    for row in rows {
        if settings::is_clear(&row.header) {
            let identity = keys.audit_identity().public();
            settings::read_clear(row, keys.vault(), Some(&identity), &mut all)
                .map_err(|e| changed_settings().cause(e))?;
        } else {
            settings::read_sealed(keys, row, &mut all)?;
        }
        seen += 1;
    }
    if seen == 2 { Ok(all) } else { Err(changed_settings().cause("a settings row is missing or too many")) }
}

/// Adds up the rows of a kind, of which only the facts are read where a tag covers the body. Answers how many.
pub fn count(shelf: &dyn Shelf, keys: &VaultKeys, kind: Kind, found: &mut Tallies) -> Result<u64, Error> {
    let whole = matches!(kind, Kind::Slot | Kind::Setting);
    let mut rows = 0;
    shelf
        .scan(kind, if whole { usize::MAX } else { 0 }, &mut |scanned| {
            let mac = match &scanned {
                Scanned::Row(row) => mac_of(keys, row),
                Scanned::Facts(facts) => keys.row_mac(facts, None),
            };
            found.add(kind, &mac);
            rows += 1;
            ControlFlow::Continue(())
        })
        .map_err(|e| e.to_error())?;
    Ok(rows)
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
