//! The door for tickets, which must also open while the vault is locked: authenticate → decide → record → do.
//!
//! What changes rows goes through the ordinary door on the writer; here it is only looked at first, so that
//! nobody without the right secret reaches the writer's queue.

use hqv_audit::{Identity, Item, ItemKind, Record};
use hqv_model::{Actor, Code, Error, OpKind, Outcome, SecretPath, Timestamp};
use std::time::Duration;

use super::Seat;
use crate::caller::{Caller, Principal};
use crate::core::{Core, Phase, WHAT_IT_MAY, no_vault, unauthorized};
use crate::settings::Settings;
use crate::vault_time::Moment;

/// A caller about a ticket, let in.
pub(crate) struct Called<'a> {
    /// The request.
    pub caller: &'a Caller,
    /// Which operation.
    pub op: OpKind,
    /// Who it is.
    pub principal: Principal,
    /// Its place at the tickets; none for the page and for nobody.
    pub seat: Option<Seat>,
    /// Vault time.
    pub now: Timestamp,
    /// The boot clock.
    pub boot: Duration,
}

impl Called<'_> {
    /// The seat, or `UNAUTHORIZED` for who has none.
    pub fn seat(&self) -> Result<&Seat, Error> {
        self.seat.as_ref().ok_or_else(unauthorized)
    }

    /// Whether this is the owner.
    pub fn is_owner(&self) -> bool {
        matches!(self.principal, Principal::Owner(_))
    }

    /// The actor that policy judges.
    pub fn actor(&self) -> Actor<'_> {
        self.principal.actor()
    }

    /// `FORBIDDEN` or `UNAUTHORIZED` for anybody but the owner.
    pub fn owner_only(&self) -> Result<(), Error> {
        match self.principal {
            Principal::Owner(_) => Ok(()),
            Principal::Token(_) => Err(Error::forbidden("this is the owner's alone").hint(WHAT_IT_MAY)),
            _ => Err(unauthorized()),
        }
    }
}

/// What a refusal is about, where its ticket is known.
pub(crate) fn known(path: &SecretPath, op: OpKind) -> Vec<Item> {
    vec![Item {
        secret: None,
        version: None,
        path: path.as_str().into(),
        kind: ItemKind::Named,
        channel: op.as_str().into(),
    }]
}

impl Core {
    /// Finds out who calls. While locked nobody's credential can be judged: on the socket its bearer is the
    /// peer, elsewhere it is told to wait. A refusal is counted. Tickets whose time is over are ended first.
    pub(crate) fn called<'a>(&mut self, caller: &'a Caller, op: OpKind) -> Result<Called<'a>, Error> {
        self.called_as(caller, op, true)
    }

    /// The same; with `touch` false the owner's session does not count as used: for who only waits.
    pub(crate) fn called_as<'a>(
        &mut self,
        caller: &'a Caller,
        op: OpKind,
        touch: bool,
    ) -> Result<Called<'a>, Error> {
        if self.stopping {
            return Err(Error::unavailable("the daemon is stopping"));
        }
        self.end_tickets();
        let principal = match &self.phase {
            Phase::Locked if caller.transport.is_socket() => Ok(Principal::Peer),
            Phase::Empty if caller.transport.is_socket() => Err(no_vault()),
            Phase::Locked if matches!(caller.transport, crate::caller::Transport::Page) => {
                Ok(Principal::Nobody)
            }
            _ => self.authenticate(caller, false, touch),
        };
        let principal =
            principal.inspect_err(|error| self.refusals.count(caller.transport.label(), error.code()))?;
        let Moment { now, boot } = self.time.moment();
        let seat = Seat::of(&principal, caller);
        Ok(Called { caller, op, principal, seat, now, boot })
    }

    /// What the owner set, as far as the daemon may know it now.
    pub(crate) fn obeyed(&self) -> &Settings {
        match &self.phase {
            Phase::Open(open) => &open.settings,
            _ => &self.locked_settings,
        }
    }

    /// Whether a live secret stands at the path; unknown while locked.
    pub(crate) fn stands(&self, path: &SecretPath) -> Option<bool> {
        match &self.phase {
            Phase::Open(open) => Some(open.secrets.paths.contains_key(path.as_str())),
            _ => None,
        }
    }

    /// Records that it was done, before the answer; a caller with a credential keeps the vault awake.
    pub(crate) fn ticket_done(
        &mut self,
        called: &Called<'_>,
        detail: String,
        items: Vec<Item>,
    ) -> Result<(), Error> {
        self.record(called.caller, &called.principal, called.op, Outcome::Ok, None, Some(detail), items)?;
        if let (Principal::Owner(_) | Principal::Token(_), Phase::Open(open)) =
            (&called.principal, &mut self.phase)
        {
            (open.last_activity, open.last_activity_at) = (called.boot, called.now);
        }
        Ok(())
    }

    /// Records a refusal, or counts it: one without a credential is recorded in full only while `full`, so
    /// that nobody fills the disk with them. Answers the error to give.
    pub(crate) fn ticket_refused(
        &mut self,
        called: &Called<'_>,
        error: Error,
        items: Vec<Item>,
        full: bool,
    ) -> Error {
        let credential = matches!(called.principal, Principal::Owner(_) | Principal::Token(_));
        if !credential && !full {
            self.refusals.count(called.caller.transport.label(), error.code());
            return error;
        }
        let denied = matches!(error.code(), Code::Forbidden | Code::Unauthorized | Code::TokenRevoked);
        let outcome = if denied { Outcome::Denied } else { Outcome::Failed };
        let detail = Some(error.message().to_owned());
        let (caller, principal) = (called.caller, &called.principal);
        let recorded = self.record(caller, principal, called.op, outcome, Some(error.code()), detail, items);
        match recorded {
            Err(unrecorded) => unrecorded,
            Ok(()) if denied && credential => error.actor(principal.label()),
            Ok(()) => error,
        }
    }

    /// Ends tickets whose time is over; each end is one record of the daemon's own.
    pub(crate) fn end_tickets(&mut self) {
        if self.tickets.entries.is_empty() && self.tickets.asks.is_empty() {
            return;
        }
        let Moment { now, boot } = self.time.moment();
        for end in self.tickets.sweep(boot) {
            let mut record = Record::new(now, end.op, Outcome::Ok, Identity::Daemon);
            record.detail = Some(end.detail.into());
            record.items = end.path.iter().flat_map(|path| known(path, end.op)).collect();
            if self.append(&record).is_err() {
                self.note(format!("an {} could not be recorded", end.op));
            }
        }
    }
}
