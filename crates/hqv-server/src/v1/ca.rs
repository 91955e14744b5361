//! `GET /v1/ca`: the certificate that a client checks against its pin.

use hqv_model::Error;
use http::StatusCode;

use crate::answer::typed;
use crate::ask::Ask;
use crate::body::Body;
use crate::errors::Answer;

/// The vault's CA certificate. It proves nothing by itself: compare it with a pin that came another way.
#[utoipa::path(
    get, path = "/v1/ca", operation_id = "ca", tag = "daemon", security(()),
    responses(
        (status = 200, description = "The certificate.", content_type = "application/x-pem-file", body = String),
        (status = 404, description = "No CA of its own, or no vault yet.", body = hqv_api::ErrorBody),
        crate::openapi::Guarded,
    )
)]
pub async fn ca(ask: Ask) -> Answer {
    ask.no_query()?;
    match ask.shared.house.ca() {
        Some(pem) => Ok(typed(StatusCode::OK, "application/x-pem-file", Body::text(pem))),
        None => Err(Error::not_found("this server has no CA of its own").into()),
    }
}
