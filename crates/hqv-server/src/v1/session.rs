//! `/v1/sessions`: the owner's sessions.

use hqv_api::{Done, SessionAnswer, SessionList, SessionRequest, WireSecret};
use hqv_engine::ops::session_end::{SessionEnd, WhichSession};
use hqv_engine::slot::SlotSecret;
use http::StatusCode;

use crate::answer::{json, ok};
use crate::ask::{Ask, Carried};
use crate::errors::Answer;
use crate::guard::size;
use crate::v1::render;
use crate::v1::unlock::settle;

/// Opens a session with the passphrase; the vault must be unlocked. Over TCP only where `remote-admin` is set.
#[utoipa::path(
    post, path = "/v1/sessions", operation_id = "sessionCreate", tag = "sessions", security(()),
    request_body = SessionRequest,
    responses(
        (status = 201, description = "Opened.", body = SessionAnswer),
        crate::openapi::Refused, crate::openapi::RefusedBody,
    )
)]
pub async fn session_create(ask: Ask, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read_from_anybody(&ask, size::PASSPHRASE).await?;
    let SessionRequest { passphrase } = size::parse(&body)?;
    drop(body);
    let secret = SlotSecret::Passphrase(passphrase.into_text().into_bytes());
    let attempt = ask.shared.tries(&ask.way).take(ask.way.source(), ask.shared.clock.boot()).await?;
    let opened = settle(attempt, ask.shared.engine.session_create(ask.caller, secret).await)?;
    let answer = SessionAnswer {
        session: WireSecret::from_text(&opened.session),
        expires_at: render::time(opened.expires_at),
    };
    Ok(json(StatusCode::CREATED, &answer))
}

/// The live sessions; the owner's alone. Never their texts.
#[utoipa::path(
    get, path = "/v1/sessions", operation_id = "sessionList", tag = "sessions",
    responses(
        (status = 200, description = "The sessions.", body = SessionList),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn session_list(ask: Ask) -> Answer {
    ask.no_query()?;
    let op = hqv_engine::ops::session_list::SessionList;
    let views = ask.shared.engine.run(ask.caller, op).await?;
    Ok(ok(&SessionList { sessions: views.iter().map(render::session).collect() }))
}

/// Ends a session: by its id, or `self` for the one that asks.
#[utoipa::path(
    delete, path = "/v1/sessions/{session}", operation_id = "sessionEnd", tag = "sessions",
    params(("session" = String, Path, description = "The session's id, or `self`.")),
    responses(
        (status = 200, description = "Ended.", body = Done),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn session_end(ask: Ask, which: WhichSession) -> Answer {
    ask.no_query()?;
    ask.shared.engine.run(ask.caller, SessionEnd { which }).await?;
    Ok(ok(&Done::saying("The session has ended.")))
}

/// Ends all sessions, the one that asks among them.
#[utoipa::path(
    delete, path = "/v1/sessions", operation_id = "sessionEndAll", tag = "sessions",
    responses(
        (status = 200, description = "Ended.", body = Done),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn session_end_all(ask: Ask) -> Answer {
    ask.no_query()?;
    ask.shared.engine.run(ask.caller, SessionEnd { which: WhichSession::All }).await?;
    Ok(ok(&Done::saying("All sessions have ended.")))
}
