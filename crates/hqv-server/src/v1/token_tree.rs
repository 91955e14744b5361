//! `GET /v1/tokens/{token}/tree`: a token and what descends from it.

use hqv_api::{TokenList, TokenListQuery};
use hqv_engine::ops::token_tree::TokenTree;
use hqv_model::TokenRef;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;
use crate::v1::render;

/// The token first, then its descendants, with what each has spent, set aside and free.
#[utoipa::path(
    get, path = "/v1/tokens/{token}/tree", operation_id = "tokenTree", tag = "tokens",
    params(("token" = String, Path, description = "Id, name or ancestry; slashes as `%2F`."), TokenListQuery),
    responses(
        (status = 200, description = "The family.", body = TokenList),
        (status = 409, description = "More than one token has that name; the ids stand in the sentence.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn token_tree(ask: Ask, who: TokenRef) -> Answer {
    let all = TokenListQuery::parse(ask.query.as_deref())?.all;
    let views = ask.shared.engine.run(ask.caller, TokenTree { who, all }).await?;
    Ok(ok(&TokenList { tokens: views.iter().map(render::token).collect() }))
}
