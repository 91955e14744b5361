//! `lock`: the keys leave memory, whatever the disk says.

use hqv_model::{Error, OpKind, Outcome};

use crate::caller::{Caller, Principal};
use crate::core::{Core, Phase, unauthorized};
use crate::engine::Engine;

impl Engine {
    /// Locks the vault. It always takes effect; where it cannot be recorded, that gap is.
    ///
    /// # Errors
    /// `UNAUTHORIZED` or `FORBIDDEN` for anybody but the owner, `VAULT_LOCKED` where it is locked already.
    pub fn lock(&self, caller: &Caller) -> Result<(), Error> {
        {
            let mut core = self.shared.core();
            let principal = core.owner(caller, OpKind::Lock)?;
            core.lock(Some((caller, &principal)), None);
        }
        self.locked();
        Ok(())
    }

    /// After the keys are gone: connections with buffers of values are closed, freed memory is given back.
    pub(crate) fn locked(&self) {
        self.shared.tell_lock();
    }
}

impl Core {
    /// The owner, or the refusal, recorded.
    pub(crate) fn owner(&mut self, caller: &Caller, op: OpKind) -> Result<Principal, Error> {
        let principal = match self.authenticate(caller, false, true) {
            Ok(principal) => principal,
            Err(error) => {
                self.refusals.count(caller.transport.label(), error.code());
                return Err(error);
            }
        };
        match principal {
            Principal::Owner(_) => Ok(principal),
            Principal::Token(_) => {
                let error = Error::forbidden("this is the owner's alone");
                let detail = Some(error.message().to_owned());
                self.record(caller, &principal, op, Outcome::Denied, Some(error.code()), detail, Vec::new())?;
                Err(error)
            }
            _ => {
                let error = unauthorized();
                self.refusals.count(caller.transport.label(), error.code());
                Err(error)
            }
        }
    }

    /// Wipes the keys. `by` is who asked, `why` the daemon's own reason.
    pub(crate) fn lock(&mut self, by: Option<(&Caller, &Principal)>, why: Option<&str>) {
        let Phase::Open(mut open) = std::mem::replace(&mut self.phase, Phase::Locked) else {
            return;
        };
        let why = why.map(str::to_owned);
        let recorded = match by {
            Some((caller, who)) => self.record(caller, who, OpKind::Lock, Outcome::Ok, None, why, Vec::new()),
            None => self.record_own(OpKind::Lock, Outcome::Ok, why),
        };
        // Not the state's own sequence: a group may be under way, and its commit may fail.
        let (now, state_seq) = (self.time.now(), self.state_seq);
        let closed = self.log.as_mut().map_or(Ok(()), |log| log.lock(now, state_seq));
        if recorded.is_err() || closed.is_err() {
            self.note("a lock could not be recorded".into());
        }
        if open.in_doubt {
            // Nobody will ask the shelf any more: those entries wait again, and a path that exists says so.
            self.tickets.conclude(false);
        }
        self.carried = open.tokens.carry();
        drop(open);
    }
}
