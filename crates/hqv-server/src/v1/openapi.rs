//! `GET /v1/openapi.json`: this API, described.

use http::StatusCode;

use crate::answer::typed;
use crate::ask::Ask;
use crate::body::Body;
use crate::errors::Answer;

/// This document.
#[utoipa::path(
    get, path = "/v1/openapi.json", operation_id = "openapi", tag = "daemon", security(()),
    responses(
        (status = 200, description = "OpenAPI 3.1.", content_type = "application/json", body = Object),
        crate::openapi::Guarded,
    )
)]
pub async fn openapi(ask: Ask) -> Answer {
    ask.no_query()?;
    Ok(typed(StatusCode::OK, "application/json", Body::fixed(crate::openapi::document().as_bytes())))
}
