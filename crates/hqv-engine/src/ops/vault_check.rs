//! What `doctor` asks: whether the shelf holds, of every kind, the very rows that were last written.
//!
//! Unlock compares all kinds but the ledger; from then on memory is believed. This reads the facts of every row again,
//! while no commit is under way, and has the shelf check its own structure. No value is read or opened.

use hqv_crypto::VaultKeys;
use hqv_crypto::row_state::Tallies;
use hqv_model::{Actor, Error, Kind, Need, OpKind, Verdict, decide};
use std::sync::Arc;

use crate::caller::Caller;
use crate::core::Phase;
use crate::engine::{Engine, Shared};
use crate::load;
use crate::operation::{Operation, View};

/// What was found.
pub struct Checked {
    /// Rows that were read.
    pub rows: u64,
    /// What is wrong, a sentence each; nothing where all is well.
    pub faults: Vec<String>,
}

/// The permission; the work is done outside the mutex.
struct VaultCheck;

impl Operation for VaultCheck {
    type Answer = Arc<VaultKeys>;
    const KIND: OpKind = OpKind::VaultCheck;
    const ACTIVITY: bool = false;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::OwnerOnly)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Arc<VaultKeys>, Error> {
        Ok(view.keys())
    }
}

impl Engine {
    /// Reads the facts of every row again and compares them with the row state. Writes wait meanwhile.
    ///
    /// # Errors
    /// As for any of the owner's operations; `UNAVAILABLE` while a commit is in doubt.
    pub async fn vault_check(&self, caller: Caller) -> Result<Checked, Error> {
        let keys = self.run(caller, VaultCheck).await?;
        let shared = self.shared.clone();
        let checked = tokio::task::spawn_blocking(move || check(&shared, &keys));
        checked.await.unwrap_or_else(|e| Err(Error::internal("the check failed").cause(e)))
    }
}

fn check(shared: &Shared, keys: &VaultKeys) -> Result<Checked, Error> {
    let _gate = shared.commit_gate();
    let (expected, sequence) = match &shared.core().phase {
        Phase::Open(open) if open.in_doubt => {
            return Err(Error::unavailable("a commit is in doubt; the disk does not answer"));
        }
        Phase::Open(open) => (open.state.tallies.clone(), open.state.sequence),
        _ => return Err(Error::locked()),
    };
    let shelf = &*shared.places.shelf;
    let mut faults = Vec::new();
    if let Err(error) = shelf.quick_check() {
        faults.push(format!("vault.db is damaged: {}", error.to_error().message()));
    }
    match load::state_row(shelf, keys) {
        Ok(state) if state.sequence == sequence => {}
        _ => faults.push("the row state is not the one last written".into()),
    }
    let (mut found, mut rows) = (Tallies::default(), 0);
    for kind in Kind::ALL.iter().copied().filter(|kind| *kind != Kind::State) {
        rows += load::count(shelf, keys, kind, &mut found)?;
        if found.of(kind) != expected.of(kind) {
            faults.push(format!("the rows of kind {kind:?} are not those that were last written"));
        }
    }
    Ok(Checked { rows, faults })
}
