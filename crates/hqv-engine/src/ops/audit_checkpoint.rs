//! `audit checkpoint`: a signed line to keep elsewhere. It is fsynced before it is handed out.

use hqv_model::{Actor, Error, Need, OpKind, Verdict, decide};

use crate::caller::Caller;
use crate::engine::Engine;
use crate::operation::{Operation, View};

/// The permission to have one; the engine signs it.
struct AuditCheckpoint;

impl Operation for AuditCheckpoint {
    type Answer = ();
    const KIND: OpKind = OpKind::AuditCheckpoint;
    const ACTIVITY: bool = false;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::OwnerOnly)
    }

    fn perform(self, _: &mut View<'_>) -> Result<(), Error> {
        Ok(())
    }
}

impl Engine {
    /// A checkpoint over everything recorded so far, as the line that stands in the record.
    ///
    /// # Errors
    /// As for any of the owner's operations, and `UNAVAILABLE` where the record cannot be written.
    pub async fn audit_checkpoint(&self, caller: Caller) -> Result<String, Error> {
        self.run(caller, AuditCheckpoint).await?;
        let shared = self.shared.clone();
        let signed = tokio::task::spawn_blocking(move || {
            let checkpoint = {
                let mut core = shared.core();
                let (now, state_seq) = (core.now(), core.state_seq);
                let log = core.log.as_mut().ok_or_else(crate::core::no_vault)?;
                log.checkpoint(now, state_seq)?
            };
            shared.sync_record(false)?;
            Ok(checkpoint.line().to_owned())
        });
        signed.await.unwrap_or_else(|e| Err(Error::internal("signing a checkpoint failed").cause(e)))
    }
}
