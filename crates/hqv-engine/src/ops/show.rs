//! `show`: one secret's metadata and its newest versions, never a value.

use hqv_audit::ItemKind;
use hqv_model::{Actor, Capability, Error, Need, OpKind, SecretPath, Verdict, decide};

use crate::caller::Principal;
use crate::operation::{Operation, View};
use crate::rows::version::Writer;
use crate::views::{MetaView, VersionView};

/// Versions shown: the newest ones.
pub const MOST_VERSIONS: usize = 20;

/// See the module's comment.
pub struct Show {
    /// Which.
    pub path: SecretPath,
}

/// What `show` answers.
pub struct Shown {
    /// The metadata.
    pub view: MetaView,
    /// The newest versions, newest first.
    pub versions: Vec<VersionView>,
    /// How many versions are kept in all.
    pub kept: u64,
}

impl Operation for Show {
    type Answer = Shown;
    const KIND: OpKind = OpKind::Show;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Path(Capability::List, &self.path))
    }

    fn names(&self) -> Vec<&SecretPath> {
        vec![&self.path]
    }

    fn perform(self, view: &mut View<'_>) -> Result<Shown, Error> {
        let (entry, body) = view.live(&self.path)?;
        let mut versions = Vec::new();
        for version in entry.versions.iter().rev().take(MOST_VERSIONS) {
            let opened = view.open_version(&self.path, version)?;
            versions.push(VersionView {
                version: version.number,
                created_at: opened.created,
                bytes: opened.value.len() as u64,
                route: opened.route,
                by: shown_to(view.principal, &opened.writer),
            });
        }
        let id = entry.id()?;
        view.touch(id, body.newest, &self.path, ItemKind::Listed, "show");
        Ok(Shown { kept: entry.versions.len() as u64, view: MetaView::of(id, body), versions })
    }
}

/// A token is not told the names of other families: they are the owner's to see.
fn shown_to(principal: &Principal, writer: &Writer) -> String {
    match (principal, writer) {
        (Principal::Token(me), Writer::Token(id, ancestry)) => {
            let above = me.facts.ancestors.contains(id);
            let mine =
                *ancestry == *me.facts.ancestry || ancestry.starts_with(&format!("{}/", me.facts.ancestry));
            if above || mine { ancestry.clone() } else { "another token".into() }
        }
        _ => writer.label(),
    }
}
