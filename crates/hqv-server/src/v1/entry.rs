//! `/v1/entries`: a one-time place for a value that a person enters.

use hqv_api::{Done, EntryAbout, EntryAnswer, EntryList, EntryProof, EntryRequest, WireSecret};
use hqv_engine::ops::entry_create::EntryCreate;
use hqv_engine::tickets::{Asker, Proof};
use hqv_model::{EntryRef, SecretPath, SecretType};
use http::StatusCode;

use crate::answer::{json, ok};
use crate::ask::{Ask, Carried};
use crate::entry::Pages;
use crate::errors::{Answer, Refusal};
use crate::guard::size;
use crate::v1::render;

/// Asks for an entry, or joins the caller's own of the same content. Works on the socket while the vault is locked.
#[utoipa::path(
    post, path = "/v1/entries", operation_id = "entryCreate", tag = "entries", security(("bearer" = []), ()),
    request_body = EntryRequest,
    responses(
        (status = 201, description = "Opened.", body = EntryAnswer),
        (status = 200, description = "Joined: it waits, or this is how it ended within the last ten minutes.", body = EntryAnswer),
        (status = 409, description = "Something stands at the path.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::RefusedBody,
    )
)]
pub async fn entry_create(ask: Ask, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read_from_peer(&ask, size::SMALL).await?;
    let opened = ask.engine().entry_create(&ask.caller, operation(size::parse(&body)?)?)?;
    let url = Pages::open(&ask.shared, &opened);
    let answer = EntryAnswer {
        id: opened.id.to_string(),
        code: opened.code.to_string(),
        expires_at: render::time(opened.expires),
        state: render::entry_state(&opened.state).to_owned(),
        joined: opened.joined,
        stored: render::stored_of(&opened.state),
        url: url.as_ref().map(WireSecret::from_text),
        submit: opened.submit.as_ref().map(WireSecret::from_text),
    };
    Ok(json(if opened.joined { StatusCode::OK } else { StatusCode::CREATED }, &answer))
}

fn operation(request: EntryRequest) -> Result<EntryCreate, Refusal> {
    Ok(EntryCreate {
        path: SecretPath::parse(&request.path)?,
        kind: request.kind.as_deref().map(SecretType::parse).transpose()?,
        description: request.description,
        overwrite: request.overwrite,
        asker: Asker { program: request.program, directory: request.directory },
    })
}

/// The entries that wait, the oldest first; the owner's alone.
#[utoipa::path(
    get, path = "/v1/entries", operation_id = "entryList", tag = "entries",
    responses(
        (status = 200, description = "The entries.", body = EntryList),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn entry_list(ask: Ask) -> Answer {
    ask.no_query()?;
    let views = ask.engine().entry_list(&ask.caller)?;
    Ok(ok(&EntryList { entries: views.iter().map(|view| render::entry_about(view, &ask.shared)).collect() }))
}

/// What its prompt shows: to who brings the submit secret, or to the owner.
#[utoipa::path(
    post, path = "/v1/entries/{entry}:about", operation_id = "entryAbout", tag = "entries", security(("bearer" = []), ()),
    params(("entry" = String, Path, description = "Id or code.")),
    request_body = EntryProof,
    responses(
        (status = 200, description = "The entry.", body = EntryAbout),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::RefusedBody,
    )
)]
pub async fn entry_about(ask: Ask, entry: EntryRef, carried: Carried) -> Answer {
    ask.no_query()?;
    let proof = proof(&ask, carried).await?;
    let view = ask.engine().entry_about(&ask.caller, &entry, &proof)?;
    Ok(ok(&render::entry_about(&view, &ask.shared)))
}

/// The person does not want to: by the submit secret, or as the owner.
#[utoipa::path(
    post, path = "/v1/entries/{entry}:refuse", operation_id = "entryRefuse", tag = "entries", security(("bearer" = []), ()),
    params(("entry" = String, Path, description = "Id or code.")),
    request_body = EntryProof,
    responses(
        (status = 200, description = "Refused.", body = Done),
        (status = 409, description = "It is over.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::RefusedBody,
    )
)]
pub async fn entry_refuse(ask: Ask, entry: EntryRef, carried: Carried) -> Answer {
    ask.no_query()?;
    let proof = proof(&ask, carried).await?;
    ask.engine().entry_refuse(&ask.caller, &entry, &proof)?;
    Ok(ok(&Done::saying("The entry is refused; nothing was stored.")))
}

async fn proof(ask: &Ask, carried: Carried) -> Result<Proof, Refusal> {
    let body = carried.read_from_peer(ask, size::SMALL).await?;
    Ok(proof_of(size::parse::<EntryProof>(&body)?.submit))
}

/// The submit secret where one is brought; else the caller has to be the owner.
pub(super) fn proof_of(submit: Option<WireSecret>) -> Proof {
    submit.map_or(Proof::Owner, |submit| Proof::Submit(submit.into_text()))
}
