//! `audit verify`: the whole record, with the keys: chain, signatures, and every record opened.

use hqv_audit::verify::{self, Level, Options, Report};
use hqv_audit::{Checkpoint, DbHead};
use hqv_crypto::VaultKeys;
use hqv_model::{Actor, Error, Need, OpKind, Verdict, decide};
use std::path::PathBuf;
use std::sync::Arc;

use crate::caller::Caller;
use crate::engine::Engine;
use crate::operation::{Operation, View};

/// The permission; the work is done outside the mutex.
struct AuditVerify;

struct ToVerify {
    keys: Arc<VaultKeys>,
    dir: PathBuf,
    database: DbHead,
}

impl Operation for AuditVerify {
    type Answer = ToVerify;
    const KIND: OpKind = OpKind::AuditVerify;
    const ACTIVITY: bool = false;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::OwnerOnly)
    }

    fn perform(self, view: &mut View<'_>) -> Result<ToVerify, Error> {
        let state = &view.open.state;
        let database = DbHead { state_seq: state.sequence, head: state.audit_head };
        Ok(ToVerify { keys: view.keys(), dir: view.log_dir.to_owned(), database })
    }
}

impl Engine {
    /// Verifies the record up to its head of now; with `against`, also against a checkpoint kept elsewhere.
    ///
    /// # Errors
    /// As for any of the owner's operations; `BAD_REQUEST` for a checkpoint that is none of this vault's.
    pub async fn audit_verify(&self, caller: Caller, against: Option<String>) -> Result<Report, Error> {
        let against = against.map(|text| Checkpoint::parse(&text)).transpose();
        let against = against.map_err(|e| Error::bad_request("that is not a checkpoint").cause(e))?;
        // The head first, the database's state after it: the other way round a line could name a later state.
        let until = {
            let core = self.shared.core();
            core.log.as_ref().map(|log| log.head().0)
        };
        let work = self.run(caller, AuditVerify).await?;
        let verified = tokio::task::spawn_blocking(move || {
            let options = Options { against, database: Some(work.database), until };
            let level = Level::Everything(work.keys.audit_identity());
            verify::verify_dir(&work.dir, level, &options, &mut |_| {}).map_err(|e| match e {
                hqv_audit::AuditError::Signature(_) => {
                    Error::bad_request("the checkpoint was not signed for this vault").cause(e)
                }
                other => other.into(),
            })
        });
        verified.await.unwrap_or_else(|e| Err(Error::internal("verifying failed").cause(e)))
    }
}
