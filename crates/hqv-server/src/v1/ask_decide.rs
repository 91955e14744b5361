//! `POST /v1/asks/{ask}:approve` and `:deny`: the owner decides on the exact grant that was shown.

use hqv_api::{AskApproveRequest, Done};
use hqv_engine::ops::ask_approve::AskApprove;
use hqv_engine::tickets::Narrowing;
use hqv_model::{AskRef, Pattern, Ttl, UseLimit, format_duration};

use crate::answer::ok;
use crate::ask::{Ask, Carried};
use crate::errors::{Answer, Refusal};
use crate::guard::size;
use crate::v1::render;

/// Grants an ask as it was shown, or less of it. The token goes to who asked, and to nobody else.
#[utoipa::path(
    post, path = "/v1/asks/{ask}:approve", operation_id = "askApprove", tag = "asks",
    params(("ask" = String, Path, description = "Id or code.")),
    request_body = AskApproveRequest,
    responses(
        (status = 200, description = "Granted.", body = Done),
        (status = 409, description = "It changed since it was shown, or is decided already.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::RefusedBody,
    )
)]
pub async fn ask_approve(ask: Ask, which: AskRef, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read(&ask, size::SMALL).await?;
    let done = ask.engine().ask_approve(&ask.caller, operation(which, size::parse(&body)?)?)?;
    let uses = match done.max_uses {
        Some(limit) => render::count(limit.get(), "use"),
        None => "any number of uses".to_owned(),
    };
    let life = format_duration(done.ttl.as_millis());
    Ok(ok(&Done::saying(format!("{} is granted: {}, for {life}, {uses}.", done.name, done.scope))))
}

fn operation(ask: AskRef, request: AskApproveRequest) -> Result<AskApprove, Refusal> {
    let patterns =
        |paths: Vec<String>| paths.iter().map(|path| Pattern::parse(path)).collect::<Result<_, _>>();
    let narrower = Narrowing {
        ttl: request.ttl.as_deref().map(Ttl::parse).transpose()?,
        max_uses: request.max_uses.map(UseLimit::new).transpose()?,
        paths: request.paths.map(patterns).transpose()?,
    };
    Ok(AskApprove { ask, fingerprint: request.fingerprint, narrower })
}

/// Refuses an ask, or takes a grant back that was not collected yet.
#[utoipa::path(
    post, path = "/v1/asks/{ask}:deny", operation_id = "askDeny", tag = "asks",
    params(("ask" = String, Path, description = "Id or code.")),
    responses(
        (status = 200, description = "Denied.", body = Done),
        (status = 409, description = "Its token was handed over already.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn ask_deny(ask: Ask, which: AskRef) -> Answer {
    ask.no_query()?;
    ask.engine().ask_deny(&ask.caller, &which)?;
    Ok(ok(&Done::saying("The ask is denied.")))
}
