//! `list`: paths and metadata below a prefix, never values.

use hqv_crypto::VaultKeys;
use hqv_model::{
    Actor, Capability, Error, Need, OpKind, Prefix, Scope, SecretPath, SecretType, Verdict, decide,
};
use std::sync::Arc;

use crate::caller::Principal;
use crate::operation::{Operation, View};
use crate::secrets::SecretEntry;
use crate::views::MetaView;

/// Most entries in one answer.
pub const MOST: usize = 1_000;

/// See the module's comment.
pub struct List {
    /// Below what.
    pub prefix: Prefix,
    /// Only this type.
    pub kind: Option<SecretType>,
    /// Only with this tag: a key, and a value where one is given.
    pub tag: Option<(String, Option<String>)>,
    /// At most this many, 1 to 1,000.
    pub limit: usize,
    /// Continue after this path.
    pub after: Option<SecretPath>,
}

/// One page.
pub struct Listed {
    /// In the order of their paths.
    pub entries: Vec<MetaView>,
    /// The cursor of the next page, where there is one.
    pub next: Option<String>,
}

/// What was found under the mutex; opened outside it, so that a long list delays nobody.
pub struct Found {
    rows: Vec<Arc<SecretEntry>>,
    keys: Arc<VaultKeys>,
    op: List,
}

impl Operation for List {
    type Answer = Found;
    const KIND: OpKind = OpKind::List;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Prefix(Capability::List, &self.prefix))
    }

    fn below(&self) -> Option<&Prefix> {
        Some(&self.prefix)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Found, Error> {
        view.detail = Some(format!("prefix {}", self.prefix));
        let scope: Option<Arc<Scope>> = match view.principal {
            Principal::Token(entry) => Some(entry.facts.scope.clone()),
            _ => None,
        };
        let filtered = self.kind.is_some() || self.tag.is_some();
        let enough = if filtered { usize::MAX } else { self.limit.clamp(1, MOST) + 1 };
        let mut rows = Vec::new();
        let after = self.after.as_ref().map(SecretPath::as_str);
        for (lookup, path) in view.open.secrets.below(&self.prefix, after, view.staged) {
            let visible = match &scope {
                Some(scope) => scope.rule_for(Capability::List, &SecretPath::parse(path)?).is_some(),
                None => true,
            };
            if visible && let Some(entry) = view.open.secrets.by_lookup.get(&lookup, view.staged) {
                rows.push(entry.clone());
                if rows.len() >= enough {
                    break;
                }
            }
        }
        Ok(Found { rows, keys: view.keys(), op: self })
    }
}

impl Found {
    /// Opens the rows and cuts the page.
    ///
    /// # Errors
    /// `INTERNAL` where a row is damaged.
    pub fn open(self) -> Result<Listed, Error> {
        let limit = self.op.limit.clamp(1, MOST);
        let mut entries = Vec::new();
        for entry in self.rows {
            let body = entry.open(&self.keys)?;
            let view = MetaView::of(entry.id()?, body);
            if !self.op.wants(&view) {
                continue;
            }
            if entries.len() == limit {
                let next = entries.last().map(|last: &MetaView| last.path.as_str().to_owned());
                return Ok(Listed { entries, next });
            }
            entries.push(view);
        }
        Ok(Listed { entries, next: None })
    }
}

impl List {
    fn wants(&self, view: &MetaView) -> bool {
        let tagged = self.tag.as_ref().is_none_or(|(key, want)| {
            view.meta.tags.get(key).is_some_and(|is| want.as_ref().is_none_or(|want| want == is))
        });
        tagged && self.kind.is_none_or(|kind| kind == view.meta.kind)
    }
}
