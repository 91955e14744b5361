//! `POST /v1/entries/{entry}:answer`: the value, typed by a person.

use hqv_api::{EntryAnswerRequest, EntryStored};
use hqv_engine::ops::entry_store::{Brought, EntryStore};
use hqv_model::{EntryRef, EntryRoute, Error};

use crate::answer::ok;
use crate::ask::{Ask, Carried};
use crate::errors::{Answer, Refusal};
use crate::guard::size;
use crate::v1::entry::proof_of;
use crate::v1::render;

/// Stores the value, once: by the submit secret, or as the owner. The answer comes when it is durable.
#[utoipa::path(
    post, path = "/v1/entries/{entry}:answer", operation_id = "entryAnswer", tag = "entries", security(("bearer" = []), ()),
    params(("entry" = String, Path, description = "Id or code.")),
    request_body = EntryAnswerRequest,
    responses(
        (status = 200, description = "Stored.", body = EntryStored),
        (status = 409, description = "It is over, or something stands at the path by now.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::RefusedBody,
    )
)]
pub async fn entry_answer(ask: Ask, entry: EntryRef, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read_from_peer(&ask, size::VALUE).await?;
    let store = operation(entry, size::parse(&body)?)?;
    drop(body);
    let stored = ask.shared.engine.entry_store(ask.caller, store).await?;
    Ok(ok(&render::entry_stored(&stored)))
}

fn operation(entry: EntryRef, request: EntryAnswerRequest) -> Result<EntryStore, Refusal> {
    let route = match (&request.submit, request.route.as_deref()) {
        (Some(_), None) => EntryRoute::IngestTty,
        (None, None) => EntryRoute::Answer,
        (_, Some(text)) => EntryRoute::parse(text)?,
    };
    let not_base64 = |_| Error::bad_request("the value is not base64, as its encoding says");
    let value = request.value.into_bytes(request.encoding).map_err(not_base64)?;
    Ok(EntryStore { entry, proof: proof_of(request.submit), value: Brought::Plain(value), route })
}
