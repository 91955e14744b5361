//! `POST /v1/vault:check`: what `doctor` has the daemon look at.

use hqv_api::VaultChecked;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;

/// Compares every row of the store with the row state; the owner's alone.
#[utoipa::path(
    post, path = "/v1/vault:check", operation_id = "vaultCheck", tag = "daemon",
    responses(
        (status = 200, description = "What was found.", body = VaultChecked),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn vault_check(ask: Ask) -> Answer {
    ask.no_query()?;
    let checked = ask.shared.engine.vault_check(ask.caller).await?;
    Ok(ok(&VaultChecked { ok: checked.faults.is_empty(), rows: checked.rows, faults: checked.faults }))
}
