//! `session end`: one session, or all of them.

use hqv_model::{Actor, Error, Need, OpKind, SessionId, Verdict, decide};

use crate::caller::Principal;
use crate::operation::{Operation, View};

/// See the module's comment.
pub struct SessionEnd {
    /// Which.
    pub which: WhichSession,
}

/// The sessions to end.
pub enum WhichSession {
    /// The caller's own.
    Mine,
    /// This one.
    One(SessionId),
    /// Every one.
    All,
}

impl Operation for SessionEnd {
    type Answer = ();
    const KIND: OpKind = OpKind::SessionEnd;
    const ACTIVITY: bool = false;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::OwnerOnly)
    }

    fn perform(self, view: &mut View<'_>) -> Result<(), Error> {
        let id = match (self.which, view.principal) {
            (WhichSession::All, _) => {
                view.open.sessions.clear();
                return Ok(());
            }
            (WhichSession::One(id), _) => id,
            (WhichSession::Mine, Principal::Owner(id)) => *id,
            _ => return Err(Error::not_found("there is no such session")),
        };
        view.detail = Some(id.to_string());
        match view.open.sessions.end(id) {
            true => Ok(()),
            false => Err(Error::not_found("there is no such session").hint("hq-vault session list")),
        }
    }
}
