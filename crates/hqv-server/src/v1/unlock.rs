//! `POST /v1/unlock`: the passphrase or the recovery key opens the vault.

use hqv_api::{UnlockAnswer, UnlockRequest, WireSecret};
use hqv_engine::Caller;
use hqv_engine::slot::{SlotSecret, parse_recovery};
use hqv_model::{Code, Error};

use crate::answer::ok;
use crate::ask::{Ask, Carried, again};
use crate::errors::{Answer, Refusal};
use crate::guard::rate::Try;
use crate::guard::size;
use crate::v1::render;

/// Unlocks the vault and opens a session of the owner. Over TCP only where `remote-admin` is set.
#[utoipa::path(
    post, path = "/v1/unlock", operation_id = "unlock", tag = "daemon", security(()),
    request_body = UnlockRequest,
    responses(
        (status = 200, description = "Unlocked; a session is opened.", body = UnlockAnswer),
        crate::openapi::Refused, crate::openapi::RefusedBody,
    )
)]
pub async fn unlock(ask: Ask, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read_from_anybody(&ask, size::PASSPHRASE).await?;
    let secret = chosen(size::parse(&body)?)?;
    drop(body);
    let attempt = ask.shared.tries(&ask.way).take(ask.way.source(), ask.shared.clock.boot()).await?;
    let engine = &ask.shared.engine;
    // Once more without credential: whoever opened the vault at the socket may also hear how it stands.
    let peer = Caller { credential: None, ..again(&ask.caller) };
    let unlocked = settle(attempt, engine.unlock(ask.caller, secret).await)?;
    Ok(ok(&UnlockAnswer {
        ok: true,
        message: "The vault is unlocked.".into(),
        session: WireSecret::from_text(&unlocked.session),
        expires_at: render::time(unlocked.expires_at),
        warnings: engine.status(&peer).map(|view| view.warnings).unwrap_or_default(),
    }))
}

/// Exactly one of the two must be there.
fn chosen(request: UnlockRequest) -> Result<SlotSecret, Refusal> {
    match (request.passphrase, request.recovery_key) {
        (Some(passphrase), None) => Ok(SlotSecret::Passphrase(passphrase.into_text().into_bytes())),
        (None, Some(key)) => {
            let key = parse_recovery(key.reveal().trim());
            Ok(SlotSecret::Recovery(
                key.map_err(|_| Error::bad_request("the recovery key is cut short or mistyped"))?,
            ))
        }
        _ => Err(Error::bad_request("give either passphrase or recoveryKey").into()),
    }
}

/// Only a wrong passphrase costs a try.
pub(super) fn settle<T>(attempt: Try<'_>, outcome: hqv_model::Result<T>) -> hqv_model::Result<T> {
    match &outcome {
        Err(error) if error.code() == Code::Unauthorized => drop(attempt),
        _ => attempt.succeeded(),
    }
    outcome
}
