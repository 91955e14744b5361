//! `move`: the same secret at another path. One row is sealed anew; versions and history stay with the id.

use hqv_audit::ItemKind;
use hqv_model::{Actor, Capability, Code, Error, Kind, Need, OpKind, SecretPath, Verdict, decide};
use std::sync::Arc;

use crate::operation::{Operation, View};
use crate::rows::secret::SecretBody;
use crate::secrets::{SecretEntry, seal_secret};
use crate::views::MetaView;

/// See the module's comment.
pub struct Move {
    /// From where.
    pub from: SecretPath,
    /// To where; nothing may be there, not even a deleted secret whose versions are kept.
    pub to: SecretPath,
}

impl Operation for Move {
    type Answer = MetaView;
    const KIND: OpKind = OpKind::Move;
    const WRITES: bool = true;
    const SPENDS: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        let needs = [
            Need::Path(Capability::Read, &self.from),
            Need::Path(Capability::Delete, &self.from),
            Need::Path(Capability::Write, &self.to),
        ];
        let mut verdict = decide(actor, &Need::Myself);
        for need in &needs {
            if matches!(verdict, Verdict::Deny(_)) {
                break;
            }
            verdict = decide(actor, need);
        }
        verdict
    }

    fn names(&self) -> Vec<&SecretPath> {
        vec![&self.from, &self.to]
    }

    fn perform(self, view: &mut View<'_>) -> Result<MetaView, Error> {
        let (entry, body) = view.live(&self.from)?;
        let free = view.find(&self.to)?;
        vacant(&self.to, free.map(|(_, body)| body))?;
        let id = entry.id()?;
        let newest = body.newest;
        let moved = SecretBody { path: self.to.clone(), ..body };
        let keys = view.keys();
        let revision = entry.row.header.revision.saturating_add(1);
        let row = seal_secret(&keys, id, revision, &moved, view.rng);
        let before = Some(view.open.mac(&entry.row.facts()));
        view.open.change(Kind::Secret, row.header.id, before, Some(row.clone()));
        let (old, new) = (keys.lookup(&self.from), keys.lookup(&self.to));
        let versions = entry.versions.clone();
        view.open.secrets.stage(old, None);
        view.open.secrets.stage(new, Some(Arc::new(SecretEntry { row, versions })));
        view.open.secrets.stage_exposed(old, false);
        view.open.secrets.stage_exposed(new, moved.exposed.is_some());
        view.open.secrets.stage_path(&self.from, None);
        view.open.secrets.stage_path(&self.to, Some(new));
        view.touch(id, newest, &self.from, ItemKind::Exposed, "move");
        view.touch(id, newest, &self.to, ItemKind::Written, "move");
        Ok(MetaView::of(id, moved))
    }
}

/// Nothing may stand at a target, alive or kept.
pub fn vacant(path: &SecretPath, found: Option<SecretBody>) -> Result<(), Error> {
    let shown = hqv_model::escape_controls(path.as_str()).into_owned();
    match found {
        None => Ok(()),
        Some(body) if body.deleted.is_none() => {
            Err(Error::new(Code::AlreadyExists, format!("there is a secret at {shown} already")))
        }
        Some(_) => {
            Err(Error::new(Code::AlreadyExists, format!("versions of a deleted secret are kept at {shown}"))
                .hint(format!("hq-vault delete --purge {shown} removes them")))
        }
    }
}
