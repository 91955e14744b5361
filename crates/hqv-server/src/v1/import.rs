//! `POST /v1/secrets:import`: many values in one round trip, all of them or none.

use hqv_api::{ImportAnswer, ImportRequest, ImportSecret, ImportedSecret};
use hqv_engine::ops::import::{Became, Import, Imported, OnConflict, Stored};
use hqv_model::{EnvName, Error, SecretPath};
use http::StatusCode;

use crate::answer::json;
use crate::ask::{Ask, Carried};
use crate::errors::Answer;
use crate::guard::size;

/// Stores all of them, or none. One transaction, and one record that names each.
#[utoipa::path(
    post, path = "/v1/secrets:import", operation_id = "import", tag = "secrets",
    request_body = ImportRequest,
    responses(
        (status = 200, description = "What became of each.", body = ImportAnswer),
        (status = 409, description = "A secret stands there already, and `onConflict` is `fail`.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::RefusedBody,
    )
)]
pub async fn import(ask: Ask, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read(&ask, size::IMPORT).await?;
    let request: ImportRequest = size::parse(&body)?;
    let on_conflict = request.on_conflict.as_deref().map(OnConflict::parse).transpose()?.unwrap_or_default();
    let secrets = request.secrets.into_iter().map(imported).collect::<Result<Vec<_>, Error>>()?;
    drop(body);
    let stored = ask.shared.engine.run(ask.caller, Import { secrets, on_conflict }).await?;
    let answer = ImportAnswer { ok: true, secrets: stored.iter().map(view).collect() };
    Ok(json(StatusCode::OK, &answer))
}

fn imported(secret: ImportSecret) -> Result<Imported, Error> {
    let not_base64 = |_| Error::bad_request("a value is not base64, as its encoding says");
    Ok(Imported {
        path: SecretPath::parse(&secret.path)?,
        value: secret.value.into_bytes(secret.encoding).map_err(not_base64)?,
        env: secret.env.as_deref().map(EnvName::parse).transpose()?,
    })
}

fn view(stored: &Stored) -> ImportedSecret {
    ImportedSecret {
        path: stored.path.as_str().to_owned(),
        asked: (stored.became == Became::Renamed).then(|| stored.asked.as_str().to_owned()),
        bytes: stored.bytes,
        version: stored.version,
        became: stored.became.as_str().to_owned(),
    }
}
