//! `POST /v1/lock`: the keys leave memory.

use hqv_api::Done;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;

/// Locks the vault; the owner's alone. Every connection is closed after its answer.
#[utoipa::path(
    post, path = "/v1/lock", operation_id = "lock", tag = "daemon",
    responses(
        (status = 200, description = "Locked.", body = Done),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn lock(ask: Ask) -> Answer {
    ask.no_query()?;
    ask.engine().lock(&ask.caller)?;
    Ok(ok(&Done::saying("The vault is locked.")))
}
