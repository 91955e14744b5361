//! `POST /v1/init`: a new vault.

use hqv_api::{InitAnswer, InitRequest, WireSecret};

use crate::answer::ok;
use crate::ask::{Ask, Carried};
use crate::errors::Answer;
use crate::guard::size;
use crate::v1::render;

/// Makes the vault and leaves it unlocked. On the socket only, from the same user.
#[utoipa::path(
    post, path = "/v1/init", operation_id = "init", tag = "daemon", security(()),
    request_body = InitRequest,
    responses(
        (status = 200, description = "Made and unlocked. The recovery key is shown here once.", body = InitAnswer),
        (status = 409, description = "A vault is here already.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::RefusedBody,
    )
)]
pub async fn init(ask: Ask, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read_from_anybody(&ask, size::PASSPHRASE).await?;
    let InitRequest { passphrase, weak } = size::parse(&body)?;
    let made = ask.shared.engine.init(ask.caller, passphrase.into_text().into_bytes(), weak).await?;
    Ok(ok(&InitAnswer {
        ok: true,
        message: "The vault is made and unlocked.".into(),
        recovery_key: WireSecret::from_text(&made.recovery),
        session: WireSecret::from_text(&made.session),
        expires_at: render::time(made.expires_at),
        vault: made.vault.to_string(),
    }))
}
