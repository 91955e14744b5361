//! `shutdown`: what waits is finished, counts are flushed, the record is closed with a signature.

use hqv_model::{Error, OpKind, Outcome};

use crate::caller::{Caller, Principal};
use crate::core::Phase;
use crate::engine::Engine;

impl Engine {
    /// Allows a stop: the owner's, and anybody's of the same user on the socket while the vault is locked.
    /// The daemon then calls [`Engine::stop`]. It takes effect even where it cannot be recorded.
    ///
    /// # Errors
    /// `UNAUTHORIZED`, `FORBIDDEN`.
    pub fn shutdown(&self, caller: &Caller) -> Result<(), Error> {
        let mut core = self.shared.core();
        let free = caller.transport.is_socket() && !matches!(core.phase, Phase::Open(_));
        let principal = if free { Principal::Peer } else { core.owner(caller, OpKind::Shutdown)? };
        if core.record(caller, &principal, OpKind::Shutdown, Outcome::Ok, None, None, Vec::new()).is_err() {
            core.note("a stop could not be recorded".into());
        }
        Ok(())
    }

    /// The clean end: no new work, what is queued is done, uses counted in memory are stored, the record is
    /// closed and fsynced. Safe to call twice.
    pub fn stop(&self) {
        {
            let mut core = self.shared.core();
            if core.stopping {
                return;
            }
            core.stopping = true;
        }
        self.close_ledger();
        self.flush();
        self.shared.queue.close();
        self.wait_for_writer();
        // The gate waits for the group under way, if there is one.
        let _gate = self.shared.commit_gate();
        let mut core = self.shared.core();
        core.flush_refusals();
        core.lock(None, Some("the daemon stops"));
        let (now, state_seq) = (core.time.now(), core.state_seq);
        let own = core.record_own(OpKind::Stop, Outcome::Ok, None);
        if let Some(log) = &mut core.log
            && own.is_ok()
        {
            // The next start says "unclean end" where this fails; there is nobody left to tell now.
            let _ = log.close(now, state_seq);
        }
        drop(core);
        self.locked();
    }
}
