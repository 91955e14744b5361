//! `POST /v1/tokens/{token}:freeze` and `:thaw`: a token and its family are suspended, and go on.

use hqv_api::TokenSuspended;
use hqv_engine::ops::token_freeze::{Suspended, TokenFreeze};
use hqv_engine::ops::token_thaw::TokenThaw;
use hqv_model::TokenRef;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;
use crate::v1::render;

/// Suspends a token and all that descends from it. Name, reserve and end stay as they are.
#[utoipa::path(
    post, path = "/v1/tokens/{token}:freeze", operation_id = "tokenFreeze", tag = "tokens",
    params(("token" = String, Path, description = "Id, name or ancestry; slashes as `%2F`, colons as `%3A`.")),
    responses(
        (status = 200, description = "Frozen: refused from the next request on.", body = TokenSuspended),
        (status = 409, description = "It has ended, or more than one token has that name.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn token_freeze(ask: Ask, who: TokenRef) -> Answer {
    ask.no_query()?;
    let done = ask.shared.engine.run(ask.caller, TokenFreeze { who }).await?;
    Ok(ok(&answer(done, "is frozen")))
}

/// Lets a frozen token go on, and all that descends from it.
#[utoipa::path(
    post, path = "/v1/tokens/{token}:thaw", operation_id = "tokenThaw", tag = "tokens",
    params(("token" = String, Path, description = "Id, name or ancestry; slashes as `%2F`, colons as `%3A`.")),
    responses(
        (status = 200, description = "It goes on.", body = TokenSuspended),
        (status = 409, description = "It is not frozen, or has ended, or more than one token has that name.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn token_thaw(ask: Ask, who: TokenRef) -> Answer {
    ask.no_query()?;
    let done = ask.shared.engine.run(ask.caller, TokenThaw { who }).await?;
    Ok(ok(&answer(done, "goes on")))
}

fn answer(done: Suspended, what: &str) -> TokenSuspended {
    let message = match done.descendants {
        0 => format!("{} {what}.", done.ancestry),
        n => format!("{} {what}, and {} with it.", done.ancestry, render::count(n, "descendant")),
    };
    TokenSuspended {
        ok: true,
        id: done.id.to_string(),
        ancestry: done.ancestry,
        descendants: done.descendants,
        message,
    }
}
