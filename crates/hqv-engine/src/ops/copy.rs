//! `copy`: the newest version at another path, under an id of its own.

use hqv_model::{Actor, Capability, EntryRoute, Error, Need, OpKind, SecretPath, Verdict, decide};

use super::get::read;
use super::mv::vacant;
use super::put::{Written, write};
use crate::operation::{Operation, View};
use crate::views::MetaView;

/// See the module's comment.
pub struct Copy {
    /// From where.
    pub from: SecretPath,
    /// To where; nothing may be there.
    pub to: SecretPath,
}

impl Operation for Copy {
    type Answer = MetaView;
    const KIND: OpKind = OpKind::Copy;
    const WRITES: bool = true;
    const SPENDS: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        match decide(actor, &Need::Path(Capability::Read, &self.from)) {
            Verdict::Allow { .. } => decide(actor, &Need::Path(Capability::Write, &self.to)),
            deny => deny,
        }
    }

    fn names(&self) -> Vec<&SecretPath> {
        vec![&self.from, &self.to]
    }

    fn perform(self, view: &mut View<'_>) -> Result<MetaView, Error> {
        let found = view.find(&self.to)?;
        vacant(&self.to, found.map(|(_, body)| body))?;
        let got = read(view, &self.from, None, "copy")?;
        let (meta, exposed, value) = (got.meta.meta.clone(), got.meta.exposed_since, got.value);
        let new = Written { path: self.to, meta, value, route: EntryRoute::Copy, exposed };
        let writer = view.writer();
        let (_, meta) = write(view, writer, None, new, "copy")?;
        Ok(meta)
    }
}
