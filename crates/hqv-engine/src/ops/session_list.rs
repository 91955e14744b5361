//! `session list`: the owner's live sessions.

use hqv_model::{Actor, Error, Need, OpKind, Verdict, decide};

use crate::caller::Principal;
use crate::operation::{Operation, View};
use crate::session::SessionView;

/// See the module's comment.
pub struct SessionList;

impl Operation for SessionList {
    type Answer = Vec<SessionView>;
    const KIND: OpKind = OpKind::SessionList;
    const ACTIVITY: bool = false;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::OwnerOnly)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Vec<SessionView>, Error> {
        let me = match view.principal {
            Principal::Owner(id) => Some(*id),
            _ => None,
        };
        let idle = view.open.settings.session_idle();
        Ok(view.open.sessions.list(idle, view.now, view.boot, me))
    }
}
