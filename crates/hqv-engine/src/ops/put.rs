//! `put`: a new version at a path, or a new secret.

use hqv_audit::ItemKind;
use hqv_model::{
    Actor, Capability, Code, EntryRoute, EnvName, Error, Kind, Need, OpKind, SecretBytes, SecretId,
    SecretMeta, SecretPath, SecretType, Timestamp, Verdict, array, decide,
};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::operation::{Operation, View};
use crate::rows::secret::SecretBody;
use crate::rows::version::{VersionBody, Writer};
use crate::secrets::{SecretEntry, seal_secret, seal_version};
use crate::views::MetaView;

/// The longest value: 1 MiB.
pub const MAX_VALUE: usize = 1 << 20;

/// When a put may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutCondition {
    /// Always.
    Any,
    /// Only where nothing is at the path (`If-None-Match: *`).
    Absent,
    /// Only where this is the newest version (`If-Match: "N"`).
    Version(u64),
}

/// See the module's comment. `None` keeps what an existing secret has.
pub struct Put {
    /// Where.
    pub path: SecretPath,
    /// What.
    pub value: SecretBytes,
    /// The type.
    pub kind: Option<SecretType>,
    /// The description.
    pub description: Option<String>,
    /// The tags.
    pub tags: Option<BTreeMap<String, String>>,
    /// When it expires; `Some(None)` takes an expiry away.
    pub expires: Option<Option<Timestamp>>,
    /// Its `env` name; `Some(None)` takes it away.
    pub env: Option<Option<EnvName>>,
    /// How the value came in.
    pub route: EntryRoute,
    /// When to go on.
    pub condition: PutCondition,
}

/// What `put` answers.
pub struct PutDone {
    /// The value's length.
    pub bytes: u64,
    /// True where nothing live was there before.
    pub created: bool,
    /// What stands there now.
    pub meta: MetaView,
}

impl Operation for Put {
    type Answer = PutDone;
    const KIND: OpKind = OpKind::Put;
    const WRITES: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Path(Capability::Write, &self.path))
    }

    fn names(&self) -> Vec<&SecretPath> {
        vec![&self.path]
    }

    fn weight(&self) -> usize {
        self.value.len()
    }

    fn perform(self, view: &mut View<'_>) -> Result<PutDone, Error> {
        let writer = view.writer();
        self.store(view, writer, "put")
    }
}

impl Put {
    /// Checks and stages it, as written by `writer`. Whether it may be was decided.
    pub(crate) fn store(
        self,
        view: &mut View<'_>,
        writer: Writer,
        channel: &'static str,
    ) -> Result<PutDone, Error> {
        if self.value.len() > MAX_VALUE {
            let say = format!("the value has {} bytes; at most {MAX_VALUE} are kept", self.value.len());
            return Err(Error::too_large(say));
        }
        let found = view.find(&self.path)?;
        self.check(found.as_ref().map(|(_, body)| body))?;
        let meta = self.meta(found.as_ref().map(|(_, body)| body))?;
        let bytes = self.value.len() as u64;
        let written = Written { path: self.path, meta, value: self.value, route: self.route, exposed: None };
        let (created, meta) = write(view, writer, found, written, channel)?;
        Ok(PutDone { bytes, created, meta })
    }

    fn check(&self, found: Option<&SecretBody>) -> Result<(), Error> {
        let live = found.filter(|body| body.deleted.is_none()).map(|body| body.newest);
        let shown = hqv_model::escape_controls(self.path.as_str());
        match (self.condition, live) {
            (PutCondition::Absent, Some(_)) => {
                Err(Error::new(Code::AlreadyExists, format!("there is a secret at {shown} already")))
            }
            (PutCondition::Version(want), Some(is)) if want == is => Ok(()),
            (PutCondition::Version(_), Some(is)) => {
                Err(Error::conflict(format!("{shown} is at version {is}")).hint("read it again, then decide"))
            }
            (PutCondition::Version(_), None) => {
                Err(Error::conflict(format!("there is no secret at {shown}")))
            }
            _ => Ok(()),
        }
    }

    fn meta(&self, found: Option<&SecretBody>) -> Result<SecretMeta, Error> {
        let old = found.filter(|body| body.deleted.is_none()).map(|body| &body.meta);
        let meta = SecretMeta {
            kind: self.kind.or(old.map(|m| m.kind)).unwrap_or(SecretType::Other),
            description: self.description.clone().or(old.map(|m| m.description.clone())).unwrap_or_default(),
            tags: self.tags.clone().or(old.map(|m| m.tags.clone())).unwrap_or_default(),
            expires: self.expires.unwrap_or(old.and_then(|m| m.expires)),
            env: self.env.clone().unwrap_or(old.and_then(|m| m.env.clone())),
        };
        meta.validate()?;
        Ok(meta)
    }
}

/// A value on its way into the vault.
pub struct Written {
    /// Where.
    pub path: SecretPath,
    /// What stands beside it.
    pub meta: SecretMeta,
    /// The value.
    pub value: SecretBytes,
    /// How it came.
    pub route: EntryRoute,
    /// Since when it counts as exposed: a copy's source did. A new value does not.
    pub exposed: Option<Timestamp>,
}

/// Stages a new version: of the secret found, or of a new one. True where nothing live was there.
pub fn write(
    view: &mut View<'_>,
    writer: Writer,
    found: Option<(Arc<SecretEntry>, SecretBody)>,
    new: Written,
    channel: &'static str,
) -> Result<(bool, MetaView), Error> {
    let version = VersionBody { value: new.value, created: view.now, route: new.route, writer };
    let mut body = SecretBody {
        path: new.path,
        meta: new.meta,
        created: view.now,
        updated: view.now,
        newest: 1,
        deleted: None,
        exposed: new.exposed,
        kept: Default::default(),
    };
    let (mut id, mut revision, mut versions, mut before, mut was_live) = (None, 1, Vec::new(), None, false);
    if let Some((entry, old)) = found {
        was_live = old.deleted.is_none();
        if let Some(since) = old.deleted {
            let lookup = view.open.keys.lookup(&body.path);
            view.open.secrets.stage_deleted(since, lookup, false);
        }
        body.created = if was_live { old.created } else { view.now };
        body.newest = old.newest.saturating_add(1);
        body.kept = old.kept;
        id = Some(entry.id()?);
        revision = entry.row.header.revision.saturating_add(1);
        versions = entry.versions.clone();
        before = Some(view.open.mac(&entry.row.facts()));
    }
    let id = id.unwrap_or_else(|| SecretId::from_bytes(array(view.rng)));
    let number = body.newest;
    let keys = view.keys();
    let row = seal_secret(&keys, id, revision, &body, view.rng);
    let (version_row, version_entry) = seal_version(&keys, id, number, &version, view.rng);
    if let Some(last) = versions.last_mut() {
        last.body = None;
    }
    versions.push(version_entry);
    view.open.change(Kind::Secret, row.header.id, before, Some(row.clone()));
    view.open.change(Kind::Version, version_row.header.id, None, Some(version_row));
    let lookup = keys.lookup(&body.path);
    view.open.secrets.stage(lookup, Some(Arc::new(SecretEntry { row, versions })));
    view.open.secrets.stage_exposed(lookup, body.exposed.is_some());
    if !was_live {
        view.open.secrets.stage_path(&body.path, Some(lookup));
    }
    view.touch(id, number, &body.path, ItemKind::Written, channel);
    Ok((!was_live, MetaView::of(id, body)))
}
