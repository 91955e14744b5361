//! `delete`: marks a secret deleted and keeps its versions a while; `--purge`, the owner's, removes them.

use hqv_audit::ItemKind;
use hqv_model::{Actor, Capability, Error, Kind, Need, OpKind, SecretPath, Timestamp, Verdict, decide};
use std::sync::Arc;
use std::time::Duration;

use crate::open::Open;
use crate::operation::{Operation, View, not_found};
use crate::rows::secret::SecretBody;
use crate::secrets::{SecretEntry, seal_secret};

/// How long the versions of a deleted secret are kept: 30 days.
pub const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// See the module's comment.
pub struct Delete {
    /// Which.
    pub path: SecretPath,
    /// Remove all versions for good, also of a secret deleted before.
    pub purge: bool,
}

/// What `delete` answers.
pub struct Deleted {
    /// Versions kept.
    pub versions_kept: u64,
    /// Until when; none where nothing is kept.
    pub until: Option<Timestamp>,
}

impl Operation for Delete {
    type Answer = Deleted;
    const KIND: OpKind = OpKind::Delete;
    const WRITES: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        if self.purge {
            decide(actor, &Need::OwnerOnly)
        } else {
            decide(actor, &Need::Path(Capability::Delete, &self.path))
        }
    }

    fn names(&self) -> Vec<&SecretPath> {
        vec![&self.path]
    }

    fn perform(self, view: &mut View<'_>) -> Result<Deleted, Error> {
        let (entry, body) = view.find(&self.path)?.ok_or_else(|| not_found(&self.path))?;
        if self.purge {
            view.detail = Some("purged".into());
            let (id, newest) = (entry.id()?, body.newest);
            view.touch(id, newest, &body.path, ItemKind::Deleted, "purge");
            purge(view.open, &entry, &body);
            return Ok(Deleted { versions_kept: 0, until: None });
        }
        if body.deleted.is_some() {
            return Err(not_found(&self.path));
        }
        let newest = body.newest;
        let marked = SecretBody { deleted: Some(view.now), ..body };
        let id = entry.id()?;
        let keys = view.keys();
        let revision = entry.row.header.revision.saturating_add(1);
        let row = seal_secret(&keys, id, revision, &marked, view.rng);
        let before = Some(view.open.mac(&entry.row.facts()));
        view.open.change(Kind::Secret, row.header.id, before, Some(row.clone()));
        let lookup = keys.lookup(&self.path);
        view.open.secrets.stage_deleted(view.now, lookup, true);
        view.open.secrets.stage_exposed(lookup, false);
        let versions = entry.versions.clone();
        let kept = versions.len() as u64;
        view.open.secrets.stage(lookup, Some(Arc::new(SecretEntry { row, versions })));
        view.open.secrets.stage_path(&self.path, None);
        view.touch(id, newest, &self.path, ItemKind::Deleted, "delete");
        Ok(Deleted { versions_kept: kept, until: Some(view.now.plus(KEPT)) })
    }
}

/// Stages the removal of a secret's row and of all its versions.
pub fn purge(open: &mut Open, entry: &SecretEntry, body: &SecretBody) {
    let before = Some(open.mac(&entry.row.facts()));
    open.change(Kind::Secret, entry.row.header.id, before, None);
    for version in &entry.versions {
        let before = Some(open.mac(&version.facts));
        open.change(Kind::Version, version.facts.header.id, before, None);
    }
    let lookup = open.keys.lookup(&body.path);
    open.secrets.stage(lookup, None);
    open.secrets.stage_exposed(lookup, false);
    match body.deleted {
        Some(since) => open.secrets.stage_deleted(since, lookup, false),
        None => open.secrets.stage_path(&body.path, None),
    }
}

/// Deleted secrets removed at once, so that a group stays short.
const SWEPT: usize = 100;

/// Removes what was deleted more than [`KEPT`] ago, the oldest first; says how many.
pub fn sweep(open: &mut Open, now: Timestamp) -> usize {
    let due = open.secrets.deleted.iter().take_while(|(since, _)| since.plus(KEPT) <= now);
    let due: Vec<[u8; 32]> = due.take(SWEPT).map(|(_, lookup)| *lookup).collect();
    let mut swept = 0;
    for lookup in due {
        let Some(entry) = open.secrets.by_lookup.get(&lookup, true).cloned() else {
            continue;
        };
        // One that does not open is left for doctor: it cannot be told what it is.
        let Ok(body) = entry.open(&open.keys) else {
            continue;
        };
        if body.deleted.is_some_and(|since| since.plus(KEPT) <= now) {
            purge(open, &entry, &body);
            swept += 1;
        }
    }
    swept
}
