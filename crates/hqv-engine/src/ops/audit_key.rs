//! `audit public-key`: what an outsider verifies the record with.

use hqv_model::{Actor, Error, Need, OpKind, Verdict, decide};

use crate::operation::{Operation, View};

/// See the module's comment.
pub struct AuditKey;

impl Operation for AuditKey {
    /// The Ed25519 public key.
    type Answer = [u8; 32];
    const KIND: OpKind = OpKind::AuditKey;
    const ACTIVITY: bool = false;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Audit)
    }

    fn perform(self, view: &mut View<'_>) -> Result<[u8; 32], Error> {
        Ok(view.open.keys.audit_identity().public().signing)
    }
}
