//! `GET /v1/audit/public-key` and `POST /v1/audit:checkpoint`: what proves the record to somebody else.

use hqv_api::{AuditCheckpoint, AuditKey};
use hqv_engine::Checkpoint;
use hqv_model::Error;
use std::fmt::Write as _;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;
use crate::v1::render;

/// The key that checks the record's signatures.
#[utoipa::path(
    get, path = "/v1/audit/public-key", operation_id = "auditKey", tag = "audit",
    responses(
        (status = 200, description = "The key.", body = AuditKey),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn audit_key(ask: Ask) -> Answer {
    ask.no_query()?;
    let engine = ask.shared.engine.clone();
    let key = engine.run(ask.caller, hqv_engine::ops::audit_key::AuditKey).await?;
    let public_key = key.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    Ok(ok(&AuditKey { public_key, vault: engine.vault().map(|id| id.to_string()).unwrap_or_default() }))
}

/// A signed line to keep elsewhere: it catches a record that was cut or put back. The owner's alone.
#[utoipa::path(
    post, path = "/v1/audit:checkpoint", operation_id = "auditCheckpoint", tag = "audit",
    responses(
        (status = 200, description = "The checkpoint.", body = AuditCheckpoint),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn audit_checkpoint(ask: Ask) -> Answer {
    ask.no_query()?;
    let line = ask.shared.engine.audit_checkpoint(ask.caller).await?;
    let checkpoint =
        Checkpoint::parse(&line).map_err(|e| Error::internal("the checkpoint has no form").cause(e))?;
    Ok(ok(&AuditCheckpoint {
        ok: true,
        sequence: checkpoint.seq(),
        time: render::time(checkpoint.time()),
        checkpoint: line,
    }))
}
