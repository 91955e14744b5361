//! `GET /v1/tokens/{token}/explain?path=&can=`: may it do that there, and who decides.

use hqv_api::{ExplainLink, ExplainQuery, TokenExplained};
use hqv_engine::ops::token_explain::TokenExplain;
use hqv_model::{Capability, SecretPath, TokenRef};

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;

/// Answers yes or no, and which rule of which token of the family decides. A token may ask about itself.
#[utoipa::path(
    get, path = "/v1/tokens/{token}/explain", operation_id = "tokenExplain", tag = "tokens",
    params(("token" = String, Path, description = "Id, name or ancestry; slashes as `%2F`."), ExplainQuery),
    responses(
        (status = 200, description = "Yes or no, and why.", body = TokenExplained),
        (status = 409, description = "More than one token has that name; the ids stand in the sentence.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn token_explain(ask: Ask, who: TokenRef) -> Answer {
    let query = ExplainQuery::parse(ask.query.as_deref())?;
    let can = query.can.as_deref().map_or(Ok(Capability::Read), Capability::parse)?;
    let path = SecretPath::parse(&query.path)?;
    let shown = path.as_str().to_owned();
    let done = ask.shared.engine.run(ask.caller, TokenExplain { who, can, path }).await?;
    let link = |link: hqv_engine::ops::token_explain::Link| ExplainLink {
        id: link.id.to_string(),
        ancestry: link.ancestry,
        rule: link.rule,
    };
    Ok(ok(&TokenExplained {
        id: done.id.to_string(),
        ancestry: done.ancestry,
        can: can.to_string(),
        path: shown,
        allowed: done.allowed,
        decided_by: done.decided_by,
        rule: done.rule,
        because: done.because,
        family: done.family.into_iter().map(link).collect(),
    }))
}
