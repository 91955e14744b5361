//! The engine's views as the wire shows them.

use hqv_api::{AskRule, Asker, Entry, EntryAbout, EntryStored, Metadata, SessionView, TokenMetadata};
use hqv_engine::tickets::{self, AskState, AskView, AskedBy, EntryState, EntryView, Who};
use hqv_engine::{MetaView, TokenView};
use hqv_model::{Timestamp, UseLimit, format_duration};

use crate::service::Shared;

/// RFC 3339 in UTC.
pub fn time(at: Timestamp) -> String {
    hqv_api::time::rfc3339(at.millis())
}

/// `1 version`, `2 versions`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What is said about a secret.
pub fn metadata(view: &MetaView) -> Metadata {
    Metadata {
        id: view.id.to_string(),
        kind: view.meta.kind.as_str().to_owned(),
        description: view.meta.description.clone(),
        tags: view.meta.tags.clone(),
        expires: view.meta.expires.map(time),
        env: view.meta.env.as_ref().map(|env| env.as_str().to_owned()),
        route: None,
        written_by: None,
        exposed_since: view.exposed_since.map(time),
    }
}

/// One line of a listing.
pub fn entry(view: &MetaView) -> Entry {
    Entry {
        path: view.path.as_str().to_owned(),
        metadata: metadata(view),
        version: view.version,
        created_at: time(view.created_at),
        updated_at: time(view.updated_at),
    }
}

/// A token, without its text.
pub fn token(view: &TokenView) -> TokenMetadata {
    TokenMetadata {
        id: view.id.to_string(),
        name: view.name.as_str().to_owned(),
        ancestry: view.ancestry.clone(),
        parent: view.parent.map(|id| id.to_string()),
        created_at: time(view.created_at),
        expires_at: time(view.expires_at),
        last_used_at: view.last_used_at.map(time),
        use_count: view.use_count,
        max_uses: view.max_uses,
        reserve: view.reserve,
        reserve_used: view.reserve_spent,
        set_aside: view.promised,
        left: view.left,
        scope: view.scope.rules().iter().map(ToString::to_string).collect(),
        state: view.state.to_owned(),
    }
}

/// A session, without its text.
pub fn session(view: &hqv_engine::SessionView) -> SessionView {
    SessionView {
        id: view.id.to_string(),
        created_at: time(view.created_at),
        expires_at: time(view.expires_at),
        last_used_at: Some(time(view.last_used_at)),
        source: view.from.clone(),
        current: view.current,
    }
}

/// What became of an entry, in a word.
pub fn entry_state(state: &EntryState) -> &'static str {
    match state {
        EntryState::Waiting => "waiting",
        EntryState::Stored(_) => "stored",
        EntryState::Refused => "refused",
        EntryState::Expired => "expired",
    }
}

/// What was stored, where something was.
pub fn stored_of(state: &EntryState) -> Option<EntryStored> {
    match state {
        EntryState::Stored(stored) => Some(entry_stored(stored)),
        _ => None,
    }
}

/// What was stored through an entry.
pub fn entry_stored(stored: &hqv_engine::tickets::EntryStored) -> EntryStored {
    EntryStored {
        path: stored.path.as_str().to_owned(),
        bytes: stored.bytes,
        kind: stored.kind.as_str().to_owned(),
        version: stored.version,
        route: stored.route.as_str().to_owned(),
    }
}

/// Who asks.
pub fn asker(by: &AskedBy) -> Asker {
    let (pid, token, owner) = match &by.who {
        Who::Peer { pid, .. } => (*pid, None, false),
        Who::Token { ancestry, .. } => (None, Some(ancestry.clone()), false),
        Who::Owner(_) => (None, None, true),
    };
    let (program, directory) = (by.claims.program.clone(), by.claims.directory.clone());
    Asker { program, directory, pid, token, owner, source: by.from.clone() }
}

/// An entry as the prompt shows it. `public_key` is for the page alone.
pub fn entry_about(view: &EntryView, shared: &Shared) -> EntryAbout {
    EntryAbout {
        id: view.id.to_string(),
        code: view.code.to_string(),
        path: view.path.as_str().to_owned(),
        kind: view.kind.map(|kind| kind.as_str().to_owned()),
        description: view.description.clone(),
        overwrite: view.overwrite,
        exists: view.exists,
        locked: !*shared.engine.lock_events().borrow(),
        asker: asker(&view.by),
        vault_dir: shared.house.vault_name(),
        expires_at: time(view.expires),
        state: entry_state(&view.state).to_owned(),
        vault: Some(view.vault.to_string()),
        public_key: None,
    }
}

/// The same for the page: with the key to seal to, and every text harmless to look at.
pub fn entry_for_page(view: &EntryView, shared: &Shared) -> EntryAbout {
    let mut about = entry_about(view, shared);
    let safe = |text: &mut Option<String>| {
        *text = text.take().map(|text| hqv_model::escape_controls(&text).into_owned());
    };
    safe(&mut about.description);
    safe(&mut about.asker.program);
    safe(&mut about.asker.directory);
    safe(&mut about.asker.token);
    safe(&mut about.vault_dir);
    about.public_key = view.public.as_ref().map(|key| hqv_api::entry::base64url(key));
    about
}

/// What became of an ask, in a word.
pub fn ask_state(state: AskState) -> &'static str {
    match state {
        AskState::Waiting => "waiting",
        AskState::Approved => "approved",
        AskState::Denied => "denied",
        AskState::Expired => "expired",
        AskState::Collected => "collected",
    }
}

/// The exact grant that an ask wants.
pub fn ask(view: &AskView) -> hqv_api::AskView {
    let rule = |rule: &tickets::AskRule| AskRule { rule: rule.rule.to_string(), secrets: rule.covers };
    hqv_api::AskView {
        id: view.id.to_string(),
        code: view.code.to_string(),
        rules: view.rules.iter().map(rule).collect(),
        ttl: format_duration(view.ttl.as_millis()),
        max_uses: view.max_uses.map(UseLimit::get),
        name: view.name.as_str().to_owned(),
        reason: view.reason.clone(),
        asker: asker(&view.by),
        created_at: time(view.opened),
        expires_at: time(view.expires),
        state: ask_state(view.state).to_owned(),
        fingerprint: view.fingerprint.clone(),
    }
}
