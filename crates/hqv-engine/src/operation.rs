//! What an operation is, and what it sees.
//!
//! A verb says what it needs and what it does; authentication, spending, recording and committing are the
//! door's. A verb cannot skip a step because it does not write the steps.

use hqv_audit::{Item, ItemKind};
use hqv_crypto::VaultKeys;
use hqv_model::{Actor, Entropy, Error, Kind, OpKind, Prefix, SecretId, SecretPath, Timestamp, Verdict};
use hqv_store::Shelf;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::caller::{Caller, Principal};
use crate::open::Open;
use crate::rows::secret::SecretBody;
use crate::rows::version::{VersionBody, Writer};
use crate::secrets::{SecretEntry, VersionEntry};
use crate::tickets::Tickets;

/// One verb.
pub trait Operation: Send + 'static {
    /// What it answers.
    type Answer: Send + 'static;
    /// Its name in the record.
    const KIND: OpKind;
    /// It changes rows: it runs on the writer and is durable before its answer.
    const WRITES: bool = false;
    /// It hands out secret material: one use, once it succeeded and was not found free.
    const SPENDS: bool = false;
    /// It counts as activity against the idle lock.
    const ACTIVITY: bool = true;

    /// It takes effect even where it cannot be recorded or stored: what ends a token must never wait.
    const ALWAYS: bool = false;

    /// May this actor do this? Pure.
    fn judge(&self, actor: &Actor<'_>) -> Verdict;

    /// The paths it names, for the record of a refusal.
    fn names(&self) -> Vec<&SecretPath> {
        Vec::new()
    }

    /// The same, to be kept while it is performed.
    fn asked(&self) -> Asked {
        Asked::Many(self.names().into_iter().cloned().collect())
    }

    /// Bytes of values it brings: what may wait for the writer is bounded by them.
    fn weight(&self) -> usize {
        0
    }

    /// The prefix it looks below, for the record.
    fn below(&self) -> Option<&Prefix> {
        None
    }

    /// Does it, or finds out why not. What it staged is undone when it fails.
    fn perform(self, view: &mut View<'_>) -> Result<Self::Answer, Error>;
}

/// The paths that an operation named.
pub enum Asked {
    /// One, without a list: what most operations name.
    One(SecretPath),
    /// Any number.
    Many(Vec<SecretPath>),
}

impl Asked {
    /// Them, in the order in which they were named.
    pub fn as_slice(&self) -> &[SecretPath] {
        match self {
            Asked::One(path) => std::slice::from_ref(path),
            Asked::Many(paths) => paths,
        }
    }
}

/// What a verb sees and may touch, under the engine's mutex.
pub struct View<'a> {
    /// The unlocked vault.
    pub open: &'a mut Open,
    /// Entries and asks.
    pub tickets: &'a mut Tickets,
    /// True on the writer: reads see the group's changes, and changes may be staged.
    pub staged: bool,
    /// Vault time.
    pub now: Timestamp,
    /// The boot clock.
    pub boot: Duration,
    /// Randomness.
    pub rng: &'a mut dyn Entropy,
    /// Who acts.
    pub principal: &'a Principal,
    /// How the request came.
    pub caller: &'a Caller,
    /// Where rows not held in memory stand.
    pub shelf: &'a Arc<dyn Shelf>,
    /// Where the record stands.
    pub log_dir: &'a Path,
    /// Tokens carry the pin of the vault's CA.
    pub pin_tokens: bool,
    /// Secrets touched, for the record.
    pub items: Vec<Item>,
    /// More for the record.
    pub detail: Option<String>,
    /// Set when nothing was handed out after all: no use is spent.
    pub free: bool,
}

impl View<'_> {
    /// The keys, to be held beyond the view for long work.
    pub fn keys(&self) -> Arc<VaultKeys> {
        self.open.keys.clone()
    }

    /// The entry and opened row at a path, deleted ones included.
    pub fn find(&self, path: &SecretPath) -> Result<Option<(Arc<SecretEntry>, SecretBody)>, Error> {
        let lookup = self.open.keys.lookup(path);
        match self.open.secrets.by_lookup.get(&lookup, self.staged) {
            Some(entry) => {
                let body = entry.open_at(&self.open.keys, path)?;
                Ok(Some((entry.clone(), body)))
            }
            None => Ok(None),
        }
    }

    /// The live secret at a path, or `NOT_FOUND`.
    pub fn live(&self, path: &SecretPath) -> Result<(Arc<SecretEntry>, SecretBody), Error> {
        match self.find(path)? {
            Some((entry, body)) if body.deleted.is_none() => Ok((entry, body)),
            _ => Err(not_found(path)),
        }
    }

    /// Opens one version of the secret at a path.
    pub fn open_version(&self, path: &SecretPath, version: &VersionEntry) -> Result<VersionBody, Error> {
        let (keys, id) = (&self.open.keys, &version.facts.header.id);
        if self.staged
            && version.body.is_none()
            && let Some(row) = self.open.staged_row(Kind::Version, id)
        {
            return version.open_row(keys, row);
        }
        version.open(keys, self.shelf.as_ref()).map_err(|error| {
            // A group on its way to the disk may have removed it there already.
            let next = self.open.secrets.by_lookup.get(&keys.lookup(path), true);
            let there = next.and_then(|entry| entry.version(version.number));
            if there.is_some_and(|there| there.facts.header.id == *id) { error } else { not_found(path) }
        })
    }

    /// Notes a secret for the record.
    pub fn touch(
        &mut self,
        secret: SecretId,
        version: u64,
        path: &SecretPath,
        kind: ItemKind,
        channel: &'static str,
    ) {
        self.items.push(Item {
            secret: Some(secret),
            version: Some(version),
            path: path.shared(),
            kind,
            channel: channel.into(),
        });
    }

    /// Who writes, as the version's row keeps it.
    pub fn writer(&self) -> Writer {
        use crate::caller::Transport;
        match (self.principal, &self.caller.transport) {
            (Principal::Owner(id), _) => Writer::Session(*id),
            (Principal::Token(t), _) => Writer::Token(t.facts.id, t.facts.ancestry.to_string()),
            (_, Transport::Socket { uid, pid, program }) => {
                Writer::Peer { uid: *uid, pid: *pid, program: program.clone() }
            }
            (_, Transport::Tcp { .. } | Transport::Page) => {
                Writer::Peer { uid: u32::MAX, pid: None, program: None }
            }
        }
    }
}

/// `NOT_FOUND` for a path.
pub fn not_found(path: &SecretPath) -> Error {
    let shown = hqv_model::escape_controls(path.as_str()).into_owned();
    Error::not_found(format!("no secret at {shown}"))
}
