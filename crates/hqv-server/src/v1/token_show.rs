//! `GET /v1/tokens/{token}` and `/v1/tokens/self`.

use hqv_api::{TokenMetadata, WhoAmI};
use hqv_engine::ops::token_self::{TokenSelf, WhoAmI as Who};
use hqv_engine::ops::token_show::TokenShow;
use hqv_model::TokenRef;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;
use crate::v1::render;

/// One token, by id, name or ancestry (its slashes as `%2F`).
#[utoipa::path(
    get, path = "/v1/tokens/{token}", operation_id = "tokenShow", tag = "tokens",
    params(("token" = String, Path, description = "Id, name or ancestry; slashes as `%2F`.")),
    responses(
        (status = 200, description = "The token.", body = TokenMetadata),
        (status = 409, description = "More than one token has that name; the ids stand in the sentence.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn token_show(ask: Ask, who: TokenRef) -> Answer {
    ask.no_query()?;
    let view = ask.shared.engine.run(ask.caller, TokenShow { who }).await?;
    Ok(ok(&render::token(&view)))
}

/// Who asks, what it may, and what it has left.
#[utoipa::path(
    get, path = "/v1/tokens/self", operation_id = "tokenSelf", tag = "tokens",
    responses(
        (status = 200, description = "Who asks.", body = WhoAmI),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn token_self(ask: Ask) -> Answer {
    ask.no_query()?;
    let who = ask.shared.engine.run(ask.caller, TokenSelf).await?;
    let (kind, token, session) = match &who {
        Who::Owner(session) => ("owner", None, Some(render::session(session))),
        Who::Token(view) => ("token", Some(render::token(view)), None),
    };
    Ok(ok(&WhoAmI { kind: kind.into(), token, session }))
}
