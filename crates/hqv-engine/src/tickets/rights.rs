//! What who asked may still do when the value comes in.

use hqv_model::{Actor, Capability, Error, Need, SecretPath, Verdict, decide};

use super::Who;
use crate::operation::View;

/// Who asked must still be allowed to: a token that ended takes its entries with it.
pub fn in_force(view: &View<'_>, who: &Who, path: &SecretPath) -> Result<(), Error> {
    let Who::Token { id, ancestry, .. } = who else {
        return Ok(());
    };
    let tokens = &view.open.tokens;
    let live = tokens.by_id.get(id, view.staged).filter(|t| tokens.ended(t, view.now, view.staged).is_none());
    let need = Need::AnyOf(&[Capability::Ingest, Capability::Write], path);
    match live.map(|token| decide(&Actor::Token(&token.facts.scope), &need)) {
        Some(Verdict::Allow { .. }) => Ok(()),
        Some(Verdict::Deny(reason)) => Err(Error::forbidden(reason.to_string())),
        None => Err(Error::forbidden(format!("token {ancestry}, which asked for this value, has ended"))
            .hint("hq-vault store puts the value there without it")),
    }
}

/// Replacing needs who could write there anyway: a token with `write`, or a session of the owner that still
/// lives.
pub fn may_replace(view: &View<'_>, who: &Who, path: &SecretPath) -> Result<(), Error> {
    let open = &view.open;
    let may = match who {
        Who::Peer { .. } => false,
        Who::Owner(session) => open.sessions.lives(*session, open.settings.session_idle(), view.boot),
        Who::Token { id, .. } => open.tokens.by_id.get(id, view.staged).is_some_and(|token| {
            let need = Need::Path(Capability::Write, path);
            matches!(decide(&Actor::Token(&token.facts.scope), &need), Verdict::Allow { .. })
        }),
    };
    if may {
        return Ok(());
    }
    Err(Error::forbidden("replacing a secret needs the owner's answer")
        .hint("run hq-vault answer in a terminal of your own"))
}
