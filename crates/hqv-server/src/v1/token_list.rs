//! `GET /v1/tokens`: the tokens that the caller may see.

use hqv_api::{TokenList, TokenListQuery};

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;
use crate::v1::render;

/// The caller's tokens: all for the owner, its descendants and itself for a token. Never their texts.
#[utoipa::path(
    get, path = "/v1/tokens", operation_id = "tokenList", tag = "tokens",
    params(TokenListQuery),
    responses(
        (status = 200, description = "The tokens.", body = TokenList),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn token_list(ask: Ask) -> Answer {
    let all = TokenListQuery::parse(ask.query.as_deref())?.all;
    let op = hqv_engine::ops::token_list::TokenList { all };
    let views = ask.shared.engine.run(ask.caller, op).await?;
    Ok(ok(&TokenList { tokens: views.iter().map(render::token).collect() }))
}
