//! `audit`: the newest records that a filter wants, and the record as it grows.
//!
//! The owner reads all. A token with `audit` reads the records of its own family whose every path its
//! patterns cover. Records are opened outside the mutex.

use hqv_audit::reader::Follower;
use hqv_audit::{Page, Reader, RecordView};
use hqv_crypto::VaultKeys;
use hqv_model::{
    Actor, Capability, Error, Need, OpKind, Outcome, Pattern, Prefix, Scope, SecretPath, Timestamp, TokenId,
    Verdict, decide,
};
use std::path::PathBuf;
use std::sync::Arc;

use crate::caller::Principal;
use crate::operation::{Operation, View};

/// Most records in one answer.
pub const MOST: usize = 10_000;

/// Which records. Every field that is given must hold.
#[derive(Clone, Default)]
pub struct AuditFilter {
    /// Touching this path or something below it.
    pub path: Option<Prefix>,
    /// By this token: an id, a name, or a path of names.
    pub token: Option<String>,
    /// Of this operation.
    pub operation: Option<OpKind>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// At or after this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// See the module's comment.
pub struct AuditRead {
    /// Which.
    pub filter: AuditFilter,
}

/// Reads records for as long as it is held; the keys with it.
pub struct Records {
    keys: Arc<VaultKeys>,
    dir: PathBuf,
    filter: AuditFilter,
    family: Option<(TokenId, Scope)>,
}

/// The record as it grows, from a line on.
pub struct Followed {
    records: Arc<Records>,
    follower: Follower,
}

impl Followed {
    /// The wanted ones of the next `limit` records, oldest first, and whether there were any at all: none
    /// means that the end was reached. Blocks on the disk.
    ///
    /// # Errors
    /// `UNAVAILABLE` where the record cannot be read.
    pub fn next(&mut self, limit: usize) -> Result<(Vec<RecordView>, bool), Error> {
        let page = self.follower.next(self.records.keys.audit_identity(), limit)?;
        let any = !page.records.is_empty();
        Ok((page.records.into_iter().filter(|record| self.records.wants(record)).collect(), any))
    }
}

impl Operation for AuditRead {
    type Answer = Records;
    const KIND: OpKind = OpKind::AuditRead;
    const ACTIVITY: bool = false;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Audit)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Records, Error> {
        let family = match view.principal {
            Principal::Token(entry) => Some((entry.facts.id, Scope::clone(&entry.facts.scope))),
            _ => None,
        };
        Ok(Records { keys: view.keys(), dir: view.log_dir.to_owned(), filter: self.filter, family })
    }
}

impl Records {
    /// The newest `limit` wanted records, newest first, of those before line `before`. Blocks on the disk.
    ///
    /// # Errors
    /// `UNAVAILABLE` where the record cannot be read.
    pub fn last(&self, limit: usize, before: Option<u64>) -> Result<Page, Error> {
        let reader = Reader::open(&self.dir, self.keys.audit_identity())?;
        Ok(reader.last(limit.min(MOST), &|record| self.wants(record), before)?)
    }

    /// Reads on from line `from`, as the record grows. Blocks on the disk.
    ///
    /// # Errors
    /// `UNAVAILABLE` where the record cannot be read.
    pub fn follow(self: &Arc<Self>, from: u64) -> Result<Followed, Error> {
        let follower = Follower::open(&self.dir, self.keys.audit_identity(), from)?;
        Ok(Followed { records: self.clone(), follower })
    }

    fn wants(&self, record: &RecordView) -> bool {
        let f = &self.filter;
        let op = f.operation.is_none_or(|op| record.operation == op.as_str());
        let outcome = f.outcome.is_none_or(|o| record.outcome == o.as_str());
        let time = f.since.is_none_or(|t| record.time >= t) && f.until.is_none_or(|t| record.time < t);
        op && outcome && time && self.wants_path(record) && self.wants_token(record) && self.visible(record)
    }

    fn wants_path(&self, record: &RecordView) -> bool {
        let Some(prefix) = &self.filter.path else {
            return true;
        };
        let exact = prefix.as_str().trim_end_matches('/');
        record.items.iter().any(|item| item.path == exact || item.path.starts_with(prefix.as_str()))
    }

    fn wants_token(&self, record: &RecordView) -> bool {
        let Some(want) = &self.filter.token else {
            return true;
        };
        let by_name = record.identity.name.as_deref().is_some_and(|name| {
            name == want || name.ends_with(&format!("/{want}")) || name.starts_with(&format!("{want}/"))
        });
        by_name || record.identity.id.as_deref() == Some(want.as_str())
    }

    /// A token sees its own family's records, and only those whose every path its `audit` rules cover.
    fn visible(&self, record: &RecordView) -> bool {
        let Some((me, scope)) = &self.family else {
            return true;
        };
        let me = me.to_string();
        let family =
            record.identity.id.as_deref() == Some(me.as_str()) || record.identity.ancestors.contains(&me);
        family && record.items.iter().all(|item| may_see(scope, &item.path))
    }
}

/// Whether an `audit` rule covers an item: a path, or everything below a prefix that was looked through.
fn may_see(scope: &Scope, item: &str) -> bool {
    if item.ends_with('/') {
        let covers =
            |on: &Pattern| scope.rules().iter().any(|r| r.can.contains(Capability::Audit) && r.on.covers(on));
        return Pattern::parse(item).is_ok_and(|on| covers(&on));
    }
    SecretPath::parse(item).is_ok_and(|path| scope.rule_for(Capability::Audit, &path).is_some())
}
