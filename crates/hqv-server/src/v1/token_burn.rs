//! `POST /v1/tokens/{token}:burn`: ends a family and says what it had.

use hqv_api::{BurnQuery, BurntVersion, TokenBurnt};
use hqv_engine::ops::burn::{Burnt, Had};
use hqv_engine::ops::exposed::Fate;
use hqv_model::TokenRef;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;
use crate::v1::render;

/// Ends a token and all that descends from it, marks what they had in plain as exposed, and answers what is to be
/// rotated. A token that has ended can be burnt too. The owner's alone.
#[utoipa::path(
    post, path = "/v1/tokens/{token}:burn", operation_id = "tokenBurn", tag = "tokens",
    params(("token" = String, Path, description = "Id, name or ancestry; slashes as `%2F`, colons as `%3A`."), BurnQuery),
    responses(
        (status = 200, description = "Refused from the next request on, and marked.", body = TokenBurnt),
        (status = 409, description = "More than one token has that name; the ids stand in the sentence.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn token_burn(ask: Ask, who: TokenRef) -> Answer {
    let dry = BurnQuery::parse(ask.query.as_deref())?.dry_run;
    let done = ask.shared.engine.burn(ask.caller, who, dry).await?;
    Ok(ok(&answer(done, dry)))
}

fn answer(done: Burnt, dry_run: bool) -> TokenBurnt {
    let (replaced, rotate): (Vec<Had>, Vec<Had>) =
        done.had.into_iter().partition(|had| had.fate == Fate::Replaced);
    let to_rotate = match rotate.len() {
        0 => "nothing is to be rotated".to_owned(),
        1 => "1 secret is to be rotated".to_owned(),
        n => format!("{n} secrets are to be rotated"),
    };
    let verb = if dry_run { "would be burnt" } else { "is burnt" };
    TokenBurnt {
        ok: true,
        dry_run,
        id: done.id.to_string(),
        message: format!("{} {verb}; {to_rotate}.", done.ancestry),
        ancestry: done.ancestry.into(),
        ended: done.ended,
        marked: done.marked,
        rotate: rotate.into_iter().map(version).collect(),
        replaced: replaced.into_iter().map(version).collect(),
    }
}

fn version(had: Had) -> BurntVersion {
    BurntVersion {
        path: had.path.into(),
        secret: had.secret.to_string(),
        version: had.version,
        state: had.fate.as_str().to_owned(),
        by: had.by.into_iter().map(Into::into).collect(),
        channels: had.channels.into_iter().map(str::to_owned).collect(),
        first_at: render::time(had.first),
        last_at: render::time(had.last),
    }
}
