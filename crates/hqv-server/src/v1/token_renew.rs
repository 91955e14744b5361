//! `POST /v1/tokens/{token}:renew`: a later end.

use hqv_api::{TokenRenewRequest, TokenRenewed};
use hqv_engine::ops::token_renew::TokenRenew;
use hqv_model::{OpKind, TokenRef, Ttl};

use crate::answer::ok;
use crate::ask::{Ask, Carried};
use crate::errors::{Answer, Refusal};
use crate::guard::size;
use crate::v1::render;

/// Gives a token a later end, never beyond its latest end or its parent's.
#[utoipa::path(
    post, path = "/v1/tokens/{token}:renew", operation_id = "tokenRenew", tag = "tokens",
    params(("token" = String, Path, description = "Id, name or ancestry; slashes as `%2F`, colons as `%3A`.")),
    request_body = TokenRenewRequest,
    responses(
        (status = 200, description = "Renewed; `notes` says what was cut.", body = TokenRenewed),
        (status = 409, description = "It has ended or is frozen, or more than one token has that name.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::RefusedBody,
    )
)]
pub async fn token_renew(ask: Ask, who: TokenRef, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read(&ask, size::SMALL).await?;
    let ttl = size::parse(&body).and_then(|request: TokenRenewRequest| {
        request.ttl.as_deref().map(Ttl::parse).transpose().map_err(Refusal::from)
    });
    let ttl = ttl.map_err(|refusal| ask.meaningless(OpKind::TokenRenew, refusal))?;
    let done = ask.shared.engine.run(ask.caller, TokenRenew { who, ttl }).await?;
    Ok(ok(&TokenRenewed { ok: true, metadata: render::token(&done.view), notes: done.notes }))
}
