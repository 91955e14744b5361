//! What a reference to a token means: an id, a name or a path of names, looked up in the caller's family.

use hqv_model::{Error, TokenId, TokenRef};
use std::sync::Arc;

use crate::caller::Principal;
use crate::family::TokenEntry;
use crate::operation::View;

/// Finds the one token meant. Live and frozen ones come before ended ones of the same name; more than one is
/// `CONFLICT` with the ids. A token sees itself and its descendants, the owner all.
pub fn find(view: &View<'_>, who: &TokenRef) -> Result<Arc<TokenEntry>, Error> {
    let tokens = &view.open.tokens;
    let visible = |entry: &TokenEntry| match view.principal {
        Principal::Owner(_) => true,
        Principal::Token(me) => entry.facts.id == me.facts.id || entry.facts.ancestors.contains(&me.facts.id),
        _ => false,
    };
    if let TokenRef::Id(id) = who {
        let entry = tokens.by_id.get(id, view.staged).filter(|entry| visible(entry));
        return entry.cloned().ok_or_else(|| unknown(who));
    }
    let found: Vec<&Arc<TokenEntry>> =
        tokens.all(view.staged).filter(|entry| visible(entry) && matches(entry, who)).collect();
    let live: Vec<_> = found.iter().filter(|e| !tokens.gone(e, view.now, view.staged)).collect();
    match (live.as_slice(), found.as_slice()) {
        ([one], _) => Ok((**one).clone()),
        ([], [one]) => Ok((*one).clone()),
        ([], []) => Err(unknown(who)),
        ([], all) => newest(all),
        (several, _) => Err(ambiguous(several.iter().map(|e| e.facts.id))),
    }
}

/// Among ended tokens of one and the same ancestry the newest is meant; of several ancestries, none.
fn newest(all: &[&Arc<TokenEntry>]) -> Result<Arc<TokenEntry>, Error> {
    let first = all.first().map(|e| &e.facts.ancestry);
    if all.iter().all(|e| Some(&e.facts.ancestry) == first) {
        let newest = all.iter().max_by_key(|e| e.facts.created);
        return newest.map(|e| (**e).clone()).ok_or_else(|| Error::not_found("no token is called that"));
    }
    Err(ambiguous(all.iter().map(|e| e.facts.id)))
}

pub(crate) fn matches(entry: &TokenEntry, who: &TokenRef) -> bool {
    match who {
        TokenRef::Id(id) => entry.facts.id == *id,
        // Most are passed by with one look.
        TokenRef::Path(names) if names.last() != Some(&entry.facts.name) => false,
        TokenRef::Path(names) => {
            let is: Vec<&str> = entry.facts.ancestry.split('/').collect();
            let want: Vec<&str> = names.iter().map(|n| n.as_str()).collect();
            is.ends_with(&want)
        }
    }
}

fn unknown(who: &TokenRef) -> Error {
    Error::not_found(format!("no token is called {who}")).hint("hq-vault token list")
}

fn ambiguous(ids: impl Iterator<Item = TokenId>) -> Error {
    let ids: Vec<String> = ids.take(20).map(|id| id.to_string()).collect();
    Error::conflict(format!("several tokens are called that: {}", ids.join(", "))).hint("name one by its id")
}

/// A token may see and end itself; its descendants only where it may delegate.
pub fn may_manage(view: &View<'_>, entry: &TokenEntry) -> Result<(), Error> {
    match view.principal {
        Principal::Token(me) if me.facts.id == entry.facts.id => Ok(()),
        Principal::Token(me) if !me.facts.scope.has(hqv_model::Capability::Delegate) => {
            Err(Error::forbidden("the token may not delegate"))
        }
        Principal::Token(_) | Principal::Owner(_) => Ok(()),
        _ => Err(crate::core::unauthorized()),
    }
}

/// A descendant of the caller; the owner's are all. A token decides about those below it, not about itself.
pub fn below(view: &View<'_>, who: &TokenRef) -> Result<Arc<TokenEntry>, Error> {
    let entry = find(view, who)?;
    match view.principal {
        Principal::Token(me) if me.facts.id == entry.facts.id => {
            Err(Error::forbidden("a token may not do this to itself"))
        }
        _ => may_manage(view, &entry).map(|()| entry),
    }
}
