//! `get`: one value. The hot path.

use hqv_audit::ItemKind;
use hqv_model::{Actor, Capability, Error, Need, OpKind, SecretBytes, SecretPath, Verdict, decide};
use std::sync::Arc;

use crate::operation::{Asked, Operation, View, not_found};
use crate::recent::Held;
use crate::views::{Described, MetaView};

/// See the module's comment.
pub struct Get {
    /// Where.
    pub path: SecretPath,
    /// Which version; the newest where none is named.
    pub version: Option<u64>,
}

/// A value with its metadata.
pub struct Got {
    /// The value.
    pub value: SecretBytes,
    /// What stands beside it; `version` is the one handed out.
    pub meta: Arc<Described>,
}

impl Operation for Get {
    type Answer = Got;
    const KIND: OpKind = OpKind::Get;
    const SPENDS: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Path(Capability::Read, &self.path))
    }

    fn names(&self) -> Vec<&SecretPath> {
        vec![&self.path]
    }

    fn asked(&self) -> Asked {
        Asked::One(self.path.clone())
    }

    fn perform(self, view: &mut View<'_>) -> Result<Got, Error> {
        read(view, &self.path, self.version, "get")
    }
}

/// Opens one value and notes the exposure.
pub fn read(
    view: &mut View<'_>,
    path: &SecretPath,
    version: Option<u64>,
    channel: &'static str,
) -> Result<Got, Error> {
    let Held { entry, mut meta } = described(view, path)?;
    let number = version.unwrap_or(meta.version);
    let version = entry.version(number).ok_or_else(|| match version {
        Some(n) => {
            Error::not_found(format!("{} has no version {n}", hqv_model::escape_controls(path.as_str())))
        }
        None => not_found(path),
    })?;
    let value = view.open_version(path, version)?.value;
    view.touch(meta.id, number, path, ItemKind::Exposed, channel);
    if meta.version != number {
        meta = Arc::new(Described::new(MetaView { version: number, ..MetaView::clone(&meta) }));
    }
    Ok(Got { value, meta })
}

/// The live secret at a path, its row opened: a moment ago or now. The writer sees changes that nobody may
/// read yet, so it looks for itself.
fn described(view: &mut View<'_>, path: &SecretPath) -> Result<Held, Error> {
    if !view.staged
        && let Some(held) = view.open.secrets.recent.find(path)
    {
        return Ok(held.clone());
    }
    let (entry, body) = view.live(path)?;
    let meta = Arc::new(Described::new(MetaView::of(entry.id()?, body)));
    let held = Held { entry, meta };
    if !view.staged
        && let Some(lookup) = held.entry.row.lookup
    {
        view.open.secrets.recent.take_in(lookup, held.clone());
    }
    Ok(held)
}
