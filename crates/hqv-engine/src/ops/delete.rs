//! `delete`: marks a secret deleted and keeps its versions a while; `--purge`, the owner's, removes them.

use hqv_audit::ItemKind;
use hqv_model::{Actor, Capability, Error, Kind, Need, OpKind, SecretPath, Timestamp, Verdict, decide};
use std::sync::Arc;
use std::time::Duration;

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
            return purge(view, &entry, &body);
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
        let versions = entry.versions.clone();
        let kept = versions.len() as u64;
        view.open.secrets.stage(keys.lookup(&self.path), Some(Arc::new(SecretEntry { row, versions })));
        view.open.secrets.stage_path(&self.path, None);
        view.touch(id, newest, &self.path, ItemKind::Deleted, "delete");
        Ok(Deleted { versions_kept: kept, until: Some(view.now.plus(KEPT)) })
    }
}

/// Stages the removal of a secret's row and of all its versions.
pub fn purge(view: &mut View<'_>, entry: &SecretEntry, body: &SecretBody) -> Result<Deleted, Error> {
    let before = Some(view.open.mac(&entry.row.facts()));
    view.open.change(Kind::Secret, entry.row.header.id, before, None);
    for version in &entry.versions {
        let before = Some(view.open.mac(&version.facts));
        view.open.change(Kind::Version, version.facts.header.id, before, None);
    }
    let lookup = view.open.keys.lookup(&body.path);
    view.open.secrets.stage(lookup, None);
    view.open.secrets.stage_path(&body.path, None);
    let id = entry.id()?;
    view.touch(id, body.newest, &body.path, ItemKind::Deleted, "purge");
    Ok(Deleted { versions_kept: 0, until: None })
}
