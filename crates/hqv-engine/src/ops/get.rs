//! `get`: one value. The hot path.

use hqv_audit::ItemKind;
use hqv_model::{Actor, Capability, Error, Need, OpKind, SecretBytes, SecretPath, Verdict, decide};

use crate::operation::{Operation, View, not_found};
use crate::views::MetaView;

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
    pub meta: MetaView,
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
    let (entry, body) = view.live(path)?;
    let number = version.unwrap_or(body.newest);
    let version = entry.version(number).ok_or_else(|| match version {
        Some(n) => {
            Error::not_found(format!("{} has no version {n}", hqv_model::escape_controls(path.as_str())))
        }
        None => not_found(path),
    })?;
    let value = view.open_version(path, version)?.value;
    let id = entry.id()?;
    view.touch(id, number, path, ItemKind::Exposed, channel);
    let mut meta = MetaView::of(id, body);
    meta.version = number;
    Ok(Got { value, meta })
}
