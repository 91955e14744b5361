//! `approve`: the owner grants an ask, as it was shown or narrower.
//!
//! No token is made here: its id is drawn and stands in the record, and it comes to be when who asked
//! collects it.

use hqv_model::{
    AskId, AskRef, Code, Error, OpKind, Scope, TicketCode, TokenId, TokenName, Ttl, UseLimit, array,
};

use super::ask_collect::undecided;
use crate::caller::{Caller, Principal};
use crate::core::{Core, Phase};
use crate::engine::Engine;
use crate::tickets::{AskState, Called, Grant, LIFE, Narrowing, Who};

/// See the module's comment.
pub struct AskApprove {
    /// Which.
    pub ask: AskRef,
    /// The fingerprint of what was shown ([`crate::tickets::AskView`]).
    pub fingerprint: String,
    /// What is granted less than was asked for.
    pub narrower: Narrowing,
}

/// What `approve` answers: what was granted.
#[derive(Clone, Debug)]
pub struct AskApproved {
    /// The ask's id.
    pub id: AskId,
    /// Its code.
    pub code: TicketCode,
    /// The id that the token will have.
    pub token: TokenId,
    /// Its name.
    pub name: TokenName,
    /// What it may.
    pub scope: Scope,
    /// How long, from the moment it is collected.
    pub ttl: Ttl,
    /// How often.
    pub max_uses: Option<UseLimit>,
}

impl Engine {
    /// Grants an ask. It must then be collected within ten minutes.
    ///
    /// # Errors
    /// `CONFLICT` where it changed since it was shown or was decided already, `FORBIDDEN` where it would be
    /// wider than what was asked for (naming what) and to a token, `ALREADY_EXISTS` where a live token has
    /// its name, `NOT_FOUND`, `UNAUTHORIZED`, `VAULT_LOCKED`.
    pub fn ask_approve(&self, caller: &Caller, approve: AskApprove) -> Result<AskApproved, Error> {
        let mut core = self.shared.core();
        let called = core.called(caller, OpKind::AskApprove)?;
        core.decides(&called, Some(&approve.ask))?;
        let (id, code, grant) = match core.grant(&called, &approve) {
            Ok(granted) => granted,
            Err(error) => return Err(core.ticket_refused(&called, error, Vec::new(), true)),
        };
        let asked_by = core.tickets.ask(&approve.ask).map(|ask| ask.by.who.label()).unwrap_or_default();
        let detail =
            format!("ask {code} {id} by {asked_by}: token {} {}, {}", grant.name, grant.token, told(&grant));
        core.ticket_done(&called, detail, Vec::new())?;
        let approved = AskApproved {
            id,
            code,
            token: grant.token,
            name: grant.name.clone(),
            scope: grant.scope.clone(),
            ttl: grant.ttl,
            max_uses: grant.max_uses,
        };
        if let Some(ask) = core.tickets.ask(&AskRef::Id(id)) {
            ask.body.grant = Some(grant);
            ask.body.state = AskState::Approved;
            ask.deadline = called.boot.saturating_add(LIFE);
        }
        core.tickets.tell();
        Ok(approved)
    }
}

/// The grant as the record tells it.
fn told(grant: &Grant) -> String {
    let ttl = hqv_model::format_duration(grant.ttl.as_millis());
    let uses = grant.max_uses.map(|uses| format!(", {} uses", uses.get())).unwrap_or_default();
    format!("{} for {ttl}{uses}", grant.scope)
}

impl Core {
    fn grant(
        &mut self,
        called: &Called<'_>,
        approve: &AskApprove,
    ) -> Result<(AskId, TicketCode, Grant), Error> {
        let Principal::Owner(by) = called.principal else {
            return Err(crate::core::unauthorized());
        };
        let Phase::Open(open) = &self.phase else {
            return Err(Error::locked());
        };
        let default = open.settings.token_ttl;
        let missing = self.missing_ask(&approve.ask);
        let ask = self.tickets.ask(&approve.ask).ok_or(missing)?;
        undecided(ask)?;
        if ask.fingerprint(default)? != approve.fingerprint {
            return Err(Error::conflict("the ask changed since it was shown")
                .hint("hq-vault pending shows it as it is now; look again before you decide"));
        }
        let (id, code, name, who) = (ask.id, ask.code, ask.name()?, ask.by.who.clone());
        let scope = approve.narrower.scope(&ask.body.rules)?;
        let ttl = approve.narrower.ttl(ask.body.ttl.unwrap_or(default))?;
        let max_uses = approve.narrower.max_uses(ask.body.max_uses)?;
        if let Who::Token { id, ancestry, .. } = &who
            && !self.token_stands(id)
        {
            return Err(Error::conflict(format!("token {ancestry}, which asked, has ended")));
        }
        self.name_is_free(&name)?;
        let token = TokenId::from_bytes(array(self.rng.as_mut()));
        Ok((id, code, Grant { token, name, scope, ttl, max_uses, by }))
    }

    /// The token will be a child of the owner's; its name must be free there.
    fn name_is_free(&mut self, name: &TokenName) -> Result<(), Error> {
        let Phase::Open(open) = &self.phase else {
            return Err(Error::locked());
        };
        let other = open.tokens.sibling(None, name, false).map(|other| other.facts.id);
        match other {
            Some(id) if self.token_stands(&id) => {
                Err(Error::new(Code::AlreadyExists, format!("a live token is called {name} already"))
                    .hint(format!("hq-vault token revoke {id}, or deny this ask")))
            }
            _ => Ok(()),
        }
    }
}
