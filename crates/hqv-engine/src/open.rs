//! An unlocked vault in memory: keys, rows, row state, and the changes of the group under way.
//!
//! All of it goes away at `lock`. Nothing here is reached without the engine's mutex.

use hqv_crypto::VaultKeys;
use hqv_crypto::row_state::{RowState, Tallies};
use hqv_model::{Entropy, Kind, Row, RowFacts, RowId, Timestamp};
use hqv_store::Batch;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::family::{Sealed, Tokens};
use crate::ledger::Ledger;
use crate::rows::{settings, token};
use crate::secrets::Secrets;
use crate::session::Sessions;
use crate::settings::Settings;

/// One row's change: what stood before, what stands after.
pub struct Change {
    /// Kind of row.
    pub kind: Kind,
    /// Its id.
    pub id: RowId,
    /// What it added to the row state before; none for a new row.
    pub before: Option<[u8; 64]>,
    /// The row to write; none removes it.
    pub after: Option<Row>,
}

/// See the module's comment.
pub struct Open {
    /// Every key of the vault.
    pub keys: Arc<VaultKeys>,
    /// The secrets.
    pub secrets: Secrets,
    /// The tokens.
    pub tokens: Tokens,
    /// The owner's sessions.
    pub sessions: Sessions,
    /// Who had what.
    pub ledger: Ledger,
    /// What the owner set.
    pub settings: Settings,
    /// The rows of the two settings, for their facts.
    pub setting_rows: Vec<Row>,
    /// The row state that is durable.
    pub state: RowState,
    /// When something was last used, on the boot clock, in milliseconds.
    pub last_activity: std::time::Duration,
    /// The same moment in vault time, for `status`.
    pub last_activity_at: Timestamp,
    /// Tells one unlocked time from the next.
    pub generation: u64,
    /// A commit failed and the shelf could not yet say whether it is durable. The group stays staged until
    /// it does; nothing else is written meanwhile.
    pub in_doubt: bool,
    changes: Vec<Change>,
    mark: usize,
    touched: bool,
    staged_settings: Vec<(Settings, Vec<Row>)>,
    settings_mark: usize,
    before_group: Option<StateBefore>,
}

/// The row state as it was before the group under way, to go back to.
struct StateBefore {
    sequence: u64,
    tallies: Tallies,
    vault_time: Timestamp,
    audit_head: Option<(u64, [u8; 32])>,
}

/// What the loader found in the shelf.
pub struct Loaded {
    /// The keys.
    pub keys: Arc<VaultKeys>,
    /// The secrets.
    pub secrets: Secrets,
    /// The tokens.
    pub tokens: Tokens,
    /// The settings and their rows.
    pub settings: Settings,
    /// See `settings`.
    pub setting_rows: Vec<Row>,
    /// The row state, checked against every row.
    pub state: RowState,
    /// The ledger's rows are complete up to this line of the record.
    pub noted: u64,
}

impl Open {
    /// Takes over what was loaded.
    pub fn new(loaded: Loaded, boot: std::time::Duration, now: Timestamp, generation: u64) -> Self {
        Open {
            keys: loaded.keys,
            secrets: loaded.secrets,
            tokens: loaded.tokens,
            sessions: Sessions::default(),
            ledger: Ledger::default(),
            settings: loaded.settings,
            setting_rows: loaded.setting_rows,
            state: loaded.state,
            last_activity: boot,
            last_activity_at: now,
            generation,
            in_doubt: false,
            changes: Vec::new(),
            mark: 0,
            touched: false,
            staged_settings: Vec::new(),
            settings_mark: 0,
            before_group: None,
        }
    }

    /// Adds a row's change to the group.
    pub fn change(&mut self, kind: Kind, id: RowId, before: Option<[u8; 64]>, after: Option<Row>) {
        self.changes.push(Change { kind, id, before, after });
    }

    /// What a sealed row adds to the row state.
    pub fn mac(&self, facts: &RowFacts) -> [u8; 64] {
        self.keys.row_mac(facts, None)
    }

    /// Stages new settings.
    pub fn stage_settings(&mut self, next: Settings, rng: &mut dyn Entropy) {
        let held = self.staged_settings.last().map_or(&self.setting_rows, |(_, rows)| rows).clone();
        let rows = settings::seal(&self.keys, &next, &held, rng);
        for row in &rows {
            let before = held.iter().find(|r| r.header.id == row.header.id).map(|r| mac_of(&self.keys, r));
            self.change(Kind::Setting, row.header.id, before, Some(row.clone()));
        }
        self.staged_settings.push((next, rows));
    }

    /// The settings that the group under way will leave, where it changes them.
    pub fn staged_settings(&self) -> Option<&Settings> {
        self.staged_settings.last().map(|(next, _)| next)
    }

    /// The settings as the writer or a reader sees them.
    pub fn settings(&self, staged: bool) -> &Settings {
        match self.staged_settings.last() {
            Some((next, _)) if staged => next,
            _ => &self.settings,
        }
    }

    /// The operation under way is whole: its changes belong to the group.
    pub fn keep(&mut self) {
        self.mark = self.changes.len();
        self.settings_mark = self.staged_settings.len();
        self.secrets.keep();
        self.tokens.keep();
    }

    /// Undoes the operation under way.
    pub fn undo(&mut self) {
        self.changes.truncate(self.mark);
        self.staged_settings.truncate(self.settings_mark);
        self.secrets.undo();
        self.tokens.undo();
    }

    /// A row that the group writes and the shelf does not have yet.
    pub fn staged_row(&self, kind: Kind, id: &RowId) -> Option<&Row> {
        let last = self.changes.iter().rev().find(|change| change.kind == kind && change.id == *id);
        last.and_then(|change| change.after.as_ref())
    }

    /// The group did not come through. One that was sealed may be on the shelf all the same and is in doubt;
    /// any other is dropped.
    pub fn fail_group(&mut self) {
        self.tokens.hold_revocations();
        if self.before_group.is_some() {
            self.in_doubt = true;
        } else {
            self.discard();
        }
    }

    /// Has the state row written even where no other row changes: vault time and the record's head.
    pub fn touch_state(&mut self) {
        self.touched = true;
    }

    /// True where the group changes nothing.
    pub fn is_clean(&self) -> bool {
        !self.touched
            && self.changes.is_empty()
            && self.tokens.by_id.staged().next().is_none()
            && self.tokens.pending_revocations.is_empty()
            && self.tokens.pending_freezes.is_empty()
    }

    /// Seals what the group changed, computes the next row state and hands out the batch to commit. `head`
    /// is the newest record known to be fsynced.
    pub fn seal_group(
        &mut self,
        now: Timestamp,
        head: Option<(u64, [u8; 32])>,
        rng: &mut dyn Entropy,
    ) -> Batch {
        self.tokens.stage_pending();
        self.seal_tokens(rng);
        // Sealed rows are the group's own: no operation that fails from here on may undo them.
        self.tokens.keep();
        self.touched = false;
        self.before_group = Some(StateBefore {
            sequence: self.state.sequence,
            tallies: self.state.tallies.clone(),
            vault_time: self.state.vault_time,
            audit_head: self.state.audit_head,
        });
        let mut last: BTreeMap<(Kind, RowId), Option<Row>> = BTreeMap::new();
        for change in std::mem::take(&mut self.changes) {
            apply(&mut self.state, &self.keys, &change);
            last.insert((change.kind, change.id), change.after);
        }
        self.mark = 0;
        self.state.sequence = self.state.sequence.saturating_add(1);
        self.state.vault_time = now;
        self.state.audit_head = head.or(self.state.audit_head);
        let mut batch = Batch::default();
        for ((kind, id), after) in last {
            match after {
                Some(row) => batch.put.push(row),
                None => batch.delete.push((kind, id)),
            }
        }
        batch.put.push(self.state.seal(&self.keys, rng));
        batch
    }

    /// Each token that the group touched is sealed once, whatever the number of its uses in it.
    fn seal_tokens(&mut self, rng: &mut dyn Entropy) {
        let touched: Vec<_> = self.tokens.by_id.staged().map(|(id, e)| (*id, e.cloned())).collect();
        for (id, entry) in touched {
            let before = self.tokens.by_id.get(&id, false).and_then(|e| Some(e.sealed?.facts(id)));
            match entry {
                Some(entry) => {
                    let revision = before.as_ref().map_or(1, |f| f.header.revision.saturating_add(1));
                    let row = token::seal(&self.keys, &entry, revision, rng);
                    let mut next = (*entry).clone();
                    next.sealed = Some(Sealed::of(&row.facts()));
                    self.tokens.by_id.stage(id, Some(Arc::new(next)));
                    let before = before.map(|f| self.mac(&f));
                    self.change(Kind::Token, row.header.id, before, Some(row));
                }
                None => {
                    if let Some(before) = before {
                        self.change(Kind::Token, before.header.id, Some(self.mac(&before)), None);
                    }
                }
            }
        }
    }

    /// The group is durable: readers see it from now on.
    pub fn publish(&mut self) {
        self.before_group = None;
        self.in_doubt = false;
        if let Some((settings, rows)) = self.staged_settings.pop() {
            self.settings = settings;
            self.setting_rows = rows;
        }
        self.staged_settings.clear();
        self.settings_mark = 0;
        self.secrets.publish();
        self.tokens.publish();
    }

    /// The group did not become durable: nothing happened.
    pub fn discard(&mut self) {
        self.in_doubt = false;
        self.changes.clear();
        self.mark = 0;
        if let Some(before) = self.before_group.take() {
            self.state.sequence = before.sequence;
            self.state.tallies = before.tallies;
            self.state.vault_time = before.vault_time;
            self.state.audit_head = before.audit_head;
        }
        self.staged_settings.clear();
        self.settings_mark = 0;
        self.secrets.discard();
        self.tokens.discard();
    }
}

/// Two HMACs a change: one row leaves the sum, one enters.
fn apply(state: &mut RowState, keys: &VaultKeys, change: &Change) {
    if let Some(before) = &change.before {
        state.remove(change.kind, before);
    }
    if let Some(after) = &change.after {
        state.add(change.kind, &mac_of(keys, after));
    }
}

/// What a row adds to the row state. Rows in clear are hashed with their body, sealed ones by their tag.
pub fn mac_of(keys: &VaultKeys, row: &Row) -> [u8; 64] {
    let clear = row.header.kind == Kind::Slot || settings::is_clear(&row.header);
    keys.row_mac(&row.facts(), clear.then_some(&row.body))
}
