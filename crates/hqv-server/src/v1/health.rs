//! `GET /v1/health`: for whoever only wants to know whether to try.

use hqv_api::ErrorBody;
use hqv_model::Error;
use http::StatusCode;

use crate::answer::{json, ok};
use crate::ask::Ask;
use crate::errors::Answer;

/// Whether the vault can answer. No credential, no detail.
#[utoipa::path(
    get, path = "/v1/health", operation_id = "health", tag = "daemon", security(()),
    responses(
        (status = 200, description = "Unlocked.", body = hqv_api::Done),
        (status = 503, description = "Locked, not made yet, or its storage is down.", body = ErrorBody),
        crate::openapi::Guarded,
    )
)]
pub async fn health(ask: Ask) -> Answer {
    ask.no_query()?;
    if ask.engine().healthy() {
        return Ok(ok(&hqv_api::Done::saying("ready")));
    }
    let error = Error::unavailable("not ready").hint("hq-vault status");
    Ok(json(StatusCode::SERVICE_UNAVAILABLE, &ErrorBody::new(&error, Some(ask.caller.request.to_string()))))
}
