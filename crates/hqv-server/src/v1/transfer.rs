//! `POST /v1/secrets:move` and `:copy`.

use hqv_api::{TransferAnswer, TransferRequest};
use hqv_engine::MetaView;
use hqv_engine::ops::copy::Copy;
use hqv_engine::ops::mv::Move;
use hqv_model::SecretPath;
use http::Response;

use crate::answer::ok;
use crate::ask::{Ask, Carried};
use crate::body::Body;
use crate::errors::{Answer, Refusal};
use crate::guard::size;
use crate::v1::render;

/// Moves a secret, with its versions.
#[utoipa::path(
    post, path = "/v1/secrets:move", operation_id = "move", tag = "secrets",
    request_body = TransferRequest,
    responses(
        (status = 200, description = "Moved.", body = TransferAnswer),
        (status = 409, description = "Something stands at the new path.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::RefusedBody,
    )
)]
pub async fn move_secret(ask: Ask, carried: Carried) -> Answer {
    let (from, to) = ends(&ask, carried).await?;
    let old = from.as_str().to_owned();
    let view = ask.shared.engine.run(ask.caller, Move { from, to }).await?;
    Ok(rendered(old, &view))
}

/// Copies the newest version of a secret. A use, and an exposure.
#[utoipa::path(
    post, path = "/v1/secrets:copy", operation_id = "copy", tag = "secrets",
    request_body = TransferRequest,
    responses(
        (status = 200, description = "Copied.", body = TransferAnswer),
        (status = 409, description = "Something stands at the new path.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::RefusedBody,
    )
)]
pub async fn copy_secret(ask: Ask, carried: Carried) -> Answer {
    let (from, to) = ends(&ask, carried).await?;
    let old = from.as_str().to_owned();
    let view = ask.shared.engine.run(ask.caller, Copy { from, to }).await?;
    Ok(rendered(old, &view))
}

async fn ends(ask: &Ask, carried: Carried) -> Result<(SecretPath, SecretPath), Refusal> {
    ask.no_query()?;
    let body = carried.read(ask, size::SMALL).await?;
    let TransferRequest { from, to } = size::parse(&body)?;
    Ok((SecretPath::parse(&from)?, SecretPath::parse(&to)?))
}

fn rendered(from: String, view: &MetaView) -> Response<Body> {
    let entry = render::entry(view);
    ok(&TransferAnswer {
        ok: true,
        from,
        path: entry.path,
        metadata: entry.metadata,
        version: entry.version,
        created_at: entry.created_at,
        updated_at: entry.updated_at,
    })
}
