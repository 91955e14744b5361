//! `POST /v1/tokens:plan`: what a token would be.

use hqv_api::{TokenPlanned, TokenRequest};
use hqv_engine::ops::token_plan::TokenPlan;
use hqv_model::OpKind;

use crate::answer::ok;
use crate::ask::{Ask, Carried};
use crate::errors::Answer;
use crate::guard::size;
use crate::v1::{render, token_create};

/// Checks and cuts what is asked for as making it would, and makes nothing.
#[utoipa::path(
    post, path = "/v1/tokens:plan", operation_id = "tokenPlan", tag = "tokens",
    request_body = TokenRequest,
    responses(
        (status = 200, description = "What it would be.", body = TokenPlanned),
        (status = 409, description = "A live sibling has that name.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::RefusedBody,
    )
)]
pub async fn token_plan(ask: Ask, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read(&ask, size::SMALL).await?;
    let create = size::parse::<TokenRequest>(&body).and_then(|request| token_create::operation(&request));
    let create = create.map_err(|refusal| ask.meaningless(OpKind::TokenPlan, refusal))?;
    let planned = ask.shared.engine.run(ask.caller, TokenPlan { create }).await?;
    let token = render::token(&planned.view);
    Ok(ok(&TokenPlanned {
        ok: true,
        name: token.name,
        ancestry: token.ancestry,
        expires_at: token.expires_at,
        max_uses: token.max_uses,
        reserve: token.reserve,
        scope: token.scope,
        notes: planned.notes,
    }))
}
