//! The engine's views as the wire shows them.

use hqv_api::{Entry, Metadata, SessionView, TokenMetadata};
use hqv_engine::{MetaView, TokenView};
use hqv_model::Timestamp;

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
