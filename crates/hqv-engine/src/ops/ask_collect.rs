//! The token that was granted goes to who asked: to the newest claim alone, and once.
//!
//! As with entries the claim is looked at twice: first so that nobody else reaches the writer, then on the
//! writer, where the token comes to be and the ask is over in one group.

use hqv_model::{Actor, AskId, AskRef, Error, OpKind, SecretText, TokenId, Verdict};

use super::token_create::{TokenCreate, TokenMade};
use crate::caller::Caller;
use crate::core::{Core, Phase, unauthorized};
use crate::engine::Engine;
use crate::operation::{Operation, View};
use crate::tickets::{Ask, AskState, Called, Grant, Seat, Ticket};
use crate::writer::Waiting;

impl Engine {
    /// Makes the token and hands it over. It is shown this once.
    ///
    /// # Errors
    /// `CONFLICT` where nothing was decided yet, `FORBIDDEN` where it was denied, ended or handed over
    /// before, and for the claim of an older run; `NOT_FOUND` for somebody else's ask; `VAULT_LOCKED`;
    /// `UNAVAILABLE` where it could not be stored: it can then be asked for again.
    pub async fn ask_collect(
        &self,
        caller: Caller,
        id: AskId,
        claim: SecretText,
    ) -> Result<TokenMade, Error> {
        {
            let mut core = self.shared.core();
            let called = core.called(&caller, OpKind::AskCollect)?;
            core.may_collect(&called, id, &claim)?;
        }
        let (job, receive) = Waiting::new(caller, HandOver { id, claim });
        self.shared.queue.push(job)?;
        receive.await.unwrap_or_else(|_| Err(Error::unavailable("the daemon is stopping")))
    }
}

impl Core {
    fn may_collect(&mut self, called: &Called<'_>, id: AskId, claim: &SecretText) -> Result<(), Error> {
        let locked = matches!(self.phase, Phase::Locked);
        let ask = self.tickets.ask(&AskRef::Id(id));
        let checked = match (&called.seat, &ask) {
            (None, _) => Err(unauthorized()),
            (Some(seat), Some(ask)) if ask.seat.is(seat) && locked => {
                if ask.body.state == AskState::Collected { Err(collected()) } else { Err(Error::locked()) }
            }
            (Some(seat), Some(ask)) => granted(ask, seat, claim).map(drop),
            (Some(_), None) => Err(no_ask()),
        };
        let Err(error) = checked else {
            return Ok(());
        };
        let full = ask.is_some_and(|ask| ask.complain());
        Err(self.ticket_refused(called, error, Vec::new(), full))
    }
}

/// The grant, for the newest claim of who asked.
fn granted<'a>(ask: &'a Ticket<AskId, Ask>, seat: &Seat, claim: &SecretText) -> Result<&'a Grant, Error> {
    if !ask.seat.is(seat) {
        return Err(no_ask());
    }
    match (ask.body.state, &ask.body.grant) {
        (AskState::Approved, Some(_)) if ask.busy => Err(collected()),
        (AskState::Approved, Some(grant)) if ask.body.claim.opens(claim) => Ok(grant),
        (AskState::Approved, _) => {
            Err(Error::forbidden("a newer run of the same command waits for this token"))
        }
        (AskState::Collected, _) => Err(collected()),
        (AskState::Denied, _) => Err(Error::forbidden("the owner denied it")),
        (AskState::Expired, _) => Err(Error::forbidden("the ask has expired")),
        (AskState::Waiting, _) => Err(Error::conflict("the owner has not decided yet")),
    }
}

fn collected() -> Error {
    Error::forbidden("this token was handed over already").hint("ask again: hq-vault ask")
}

/// One answer for every wrong id and code, and for what is somebody else's.
pub(crate) fn no_ask() -> Error {
    Error::not_found("no such ask waits here")
        .hint("hq-vault pending lists them; one that has ended is forgotten after 10 minutes")
}

/// Whether the ask can still be decided; else what became of it.
pub(crate) fn undecided(ask: &Ticket<AskId, Ask>) -> Result<(), Error> {
    let over = match ask.body.state {
        AskState::Waiting => return Ok(()),
        AskState::Approved | AskState::Collected => "was approved already",
        AskState::Denied => "was denied",
        AskState::Expired => "has expired",
    };
    Err(Error::conflict(format!("this ask {over}")))
}

/// The second look, on the writer. Who may was decided by [`Core::may_collect`]; `perform` decides it again.
struct HandOver {
    id: AskId,
    claim: SecretText,
}

impl Operation for HandOver {
    type Answer = TokenMade;
    const KIND: OpKind = OpKind::AskCollect;
    const WRITES: bool = true;
    const ACTIVITY: bool = false;

    fn judge(&self, _: &Actor<'_>) -> Verdict {
        Verdict::Allow { rule: None }
    }

    fn perform(self, view: &mut View<'_>) -> Result<TokenMade, Error> {
        let seat = Seat::of(view.principal, view.caller).ok_or_else(unauthorized)?;
        let ask = view.tickets.ask(&AskRef::Id(self.id)).ok_or_else(no_ask)?;
        let (code, grant) = (ask.code, granted(ask, &seat, &self.claim)?.clone());
        let token: TokenId = grant.token;
        // A commit that failed in doubt, while the vault locked, may have stored it all the same.
        if view.open.tokens.by_id.get(&token, view.staged).is_some() {
            return Err(collected());
        }
        // It ends when the owner said: no renewal carries it further.
        let create = TokenCreate {
            name: grant.name,
            ttl: Some(grant.ttl),
            reserve: None,
            max_uses: grant.max_uses,
            scope: Some(grant.scope),
            max_ttl: Some(grant.ttl),
        };
        view.detail =
            Some(format!("ask {code} {}: token {} {token}, granted by {}", self.id, create.name, grant.by));
        let made = create.mint(view, None, token, "owner".into())?;
        view.tickets.stage_collected(self.id, view.boot);
        Ok(made)
    }
}
