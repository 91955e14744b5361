//! `DELETE /v1/tokens/{token}`: a token ends, and its family with it.

use hqv_api::TokenRevoked;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::ops::token_self::{TokenSelf, WhoAmI};
use hqv_model::{Error, TokenRef};

use crate::answer::ok;
use crate::ask::{Ask, again};
use crate::errors::Answer;
use crate::v1::render;

/// Ends a token and all that descends from it.
#[utoipa::path(
    delete, path = "/v1/tokens/{token}", operation_id = "tokenRevoke", tag = "tokens",
    params(("token" = String, Path, description = "Id, name or ancestry; slashes as `%2F`.")),
    responses(
        (status = 200, description = "Ended.", body = TokenRevoked),
        (status = 409, description = "More than one token has that name; the ids stand in the sentence.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn token_revoke(ask: Ask, who: TokenRef) -> Answer {
    ask.no_query()?;
    let done = ask.shared.engine.run(ask.caller, TokenRevoke { who }).await?;
    let message = match done.descendants {
        0 => format!("{} is revoked.", done.ancestry),
        n => format!("{} is revoked, and {} with it.", done.ancestry, render::count(n, "descendant")),
    };
    Ok(ok(&TokenRevoked {
        ok: true,
        id: done.id.to_string(),
        ancestry: done.ancestry,
        descendants: done.descendants,
        message,
    }))
}

/// Ends the token that asks, and all that descends from it.
#[utoipa::path(
    delete, path = "/v1/tokens/self", operation_id = "tokenRevokeSelf", tag = "tokens",
    responses(
        (status = 200, description = "Ended.", body = TokenRevoked),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn token_revoke_self(ask: Ask) -> Answer {
    // Its id is found out first; a name could be that of a sibling by the time it is looked up.
    let caller = again(&ask.caller);
    match ask.shared.engine.run(caller, TokenSelf).await? {
        WhoAmI::Token(view) => token_revoke(ask, TokenRef::Id(view.id)).await,
        WhoAmI::Owner(_) => {
            Err(Error::bad_request("a session is no token; hq-vault session end ends it").into())
        }
    }
}
