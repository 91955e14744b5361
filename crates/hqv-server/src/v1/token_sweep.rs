//! `POST /v1/tokens:sweep`: rows of tokens that have ended go.

use hqv_api::TokensSwept;
use hqv_engine::ops::token_sweep::TokenSweep;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;
use crate::v1::render;

/// Removes the rows of ended tokens, the owner's all or those below the token that asks: at most 500 at once. `left` says
/// how many more there are. Record and ledger keep all that they hold.
#[utoipa::path(
    post, path = "/v1/tokens:sweep", operation_id = "tokenSweep", tag = "tokens",
    responses(
        (status = 200, description = "Removed.", body = TokensSwept),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn token_sweep(ask: Ask) -> Answer {
    ask.no_query()?;
    let done = ask.shared.engine.run(ask.caller, TokenSweep).await?;
    let message = format!("{} removed.", render::count(done.removed, "ended token"));
    Ok(ok(&TokensSwept { ok: true, removed: done.removed, left: done.left, message }))
}
