//! `POST /v1/clock:reset`: the way out for a vault whose clock once ran far ahead.

use hqv_api::ClockReset;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;
use crate::v1::render;

/// Ends all tokens, then takes the wall clock's word for the time; the owner's alone.
#[utoipa::path(
    post, path = "/v1/clock:reset", operation_id = "clockReset", tag = "daemon",
    responses(
        (status = 200, description = "The clock is reset.", body = ClockReset),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn clock_reset(ask: Ask) -> Answer {
    ask.no_query()?;
    let (ended, now) = ask.shared.engine.clock_reset(ask.caller).await?;
    Ok(ok(&ClockReset { ok: true, ended, now: render::time(now) }))
}
