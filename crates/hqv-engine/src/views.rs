//! What operations answer about secrets and tokens: no value, no token, no hash.

use hqv_model::{EntryRoute, Scope, SecretId, SecretMeta, SecretPath, Timestamp, TokenId, TokenName};

use std::ops::Deref;
use std::sync::OnceLock;

use crate::family::{TokenEntry, Tokens};
use crate::rows::secret::SecretBody;

/// A secret's metadata.
#[derive(Clone, Debug)]
pub struct MetaView {
    /// Its path.
    pub path: SecretPath,
    /// Its id, for ever.
    pub id: SecretId,
    /// The version this speaks of: the newest, unless another was asked for.
    pub version: u64,
    /// Type, description, tags, expiry, `env` name.
    pub meta: SecretMeta,
    /// When the secret came to be.
    pub created_at: Timestamp,
    /// When its newest version was written.
    pub updated_at: Timestamp,
    /// Since when its newest version counts as known to a family that was burnt.
    pub exposed_since: Option<Timestamp>,
}

impl MetaView {
    /// The view of an opened row.
    pub fn of(id: SecretId, body: SecretBody) -> Self {
        MetaView {
            path: body.path,
            id,
            version: body.newest,
            meta: body.meta,
            created_at: body.created,
            updated_at: body.updated,
            exposed_since: body.exposed,
        }
    }
}

/// A secret's metadata as many readers share it, with what their answers have in common.
#[derive(Debug)]
pub struct Described {
    view: MetaView,
    frame: OnceLock<Frame>,
}

/// What an answer says before and after the value. The wire's business; it is kept here because it lives as long as the
/// metadata that it repeats.
#[derive(Debug)]
pub struct Frame {
    /// Up to the value.
    pub before: Box<[u8]>,
    /// From the value on.
    pub after: Box<[u8]>,
}

impl Described {
    /// Nothing is written of it yet.
    pub fn new(view: MetaView) -> Self {
        Described { view, frame: OnceLock::new() }
    }

    /// The frame, written by whoever asks first.
    pub fn frame(&self, write: impl FnOnce(&MetaView) -> Frame) -> &Frame {
        self.frame.get_or_init(|| write(&self.view))
    }
}

impl Deref for Described {
    type Target = MetaView;

    fn deref(&self) -> &MetaView {
        &self.view
    }
}

/// One version, without its value.
#[derive(Clone, Debug)]
pub struct VersionView {
    /// Its number.
    pub version: u64,
    /// When it was written.
    pub created_at: Timestamp,
    /// The value's length.
    pub bytes: u64,
    /// How it came in.
    pub route: EntryRoute,
    /// Who wrote it: `owner`, an ancestry, or a program's name.
    pub by: String,
}

/// A token's metadata.
#[derive(Clone, Debug)]
pub struct TokenView {
    /// Its id.
    pub id: TokenId,
    /// Its name.
    pub name: TokenName,
    /// The path of names.
    pub ancestry: String,
    /// Its parent; none for the owner's.
    pub parent: Option<TokenId>,
    /// Who made it.
    pub creator: String,
    /// When.
    pub created_at: Timestamp,
    /// When it ends, its ancestors' ends included.
    pub expires_at: Timestamp,
    /// The last use.
    pub last_used_at: Option<Timestamp>,
    /// Uses so far, descendants' included.
    pub use_count: u64,
    /// Its own limit.
    pub max_uses: Option<u64>,
    /// The share that was set aside for it.
    pub reserve: Option<u64>,
    /// What it spent of that.
    pub reserve_spent: u64,
    /// What is set aside for those below it.
    pub promised: u64,
    /// Uses that it could make now; none without any limit.
    pub left: Option<u64>,
    /// What it may.
    pub scope: Scope,
    /// `live`, `expired`, `exhausted`, `frozen` or `revoked`.
    pub state: &'static str,
    /// How deep in its family: 0 for the owner's.
    pub depth: usize,
}

impl TokenView {
    /// The view of an entry at a moment.
    pub fn of(tokens: &Tokens, entry: &TokenEntry, now: Timestamp, staged: bool) -> Self {
        let facts = &entry.facts;
        let left = tokens.available(entry, staged);
        let (use_count, last_used_at) = tokens.spent(entry, staged);
        TokenView {
            id: facts.id,
            name: facts.name.clone(),
            ancestry: facts.ancestry.to_string(),
            parent: facts.parent,
            creator: facts.creator.to_string(),
            created_at: facts.created,
            expires_at: tokens.effective_end(entry, staged),
            last_used_at,
            use_count,
            max_uses: facts.max,
            reserve: facts.reserve,
            reserve_spent: entry.reserve_spent,
            promised: entry.promised,
            left,
            scope: Scope::clone(&facts.scope),
            state: state(tokens, entry, now, staged, left),
            depth: facts.ancestors.len(),
        }
    }
}

impl TokenView {
    /// Sorts so that each family stands together, a parent before its children: by the names on the way down and
    /// not by the text of the path, in which `a-b` comes before `a/b`. Ended ones of one name by age.
    pub fn in_families(views: &mut [TokenView]) {
        views.sort_by(|a, b| {
            let names = a.ancestry.split('/').cmp(b.ancestry.split('/'));
            names.then_with(|| a.created_at.cmp(&b.created_at))
        });
    }
}

fn state(
    tokens: &Tokens,
    entry: &TokenEntry,
    now: Timestamp,
    staged: bool,
    left: Option<u64>,
) -> &'static str {
    use hqv_model::Code::TokenExpired;
    match tokens.ended(entry, now, staged) {
        Some(TokenExpired) => "expired",
        Some(_) if !tokens.gone(entry, now, staged) => "frozen",
        Some(_) => "revoked",
        None if left == Some(0) => "exhausted",
        None => "live",
    }
}
