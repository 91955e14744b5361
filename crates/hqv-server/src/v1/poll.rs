//! `GET /v1/entries/{entry}` and `GET /v1/asks/{ask}`: how a ticket stands, at once or when a person has decided.
//!
//! A poll that waits holds nothing but its place, of which there are a quarter as many as connections to the socket, and
//! four for each ticket: it wakes when any ticket changes, and looks at its own.

use hqv_api::{AskState, EntryState, MAX_WAIT, WaitQuery};
use hqv_engine::tickets;
use hqv_model::{AskId, Code, EntryId, Error};
use std::time::Duration;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::{Answer, Refusal};
use crate::v1::render;

/// How an entry of the caller's stands; to the owner, any. With `wait` the answer comes when it is over.
#[utoipa::path(
    get, path = "/v1/entries/{entry}", operation_id = "entryState", tag = "entries", security(("bearer" = []), ()),
    params(("entry" = String, Path, description = "The entry's id."), WaitQuery),
    responses(
        (status = 200, description = "How it stands.", body = EntryState),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn entry_state(ask: Ask, id: EntryId) -> Answer {
    let state = wait(
        &ask,
        id.bytes(),
        |ask| ask.engine().entry_state(&ask.caller, id),
        |state| *state != tickets::EntryState::Waiting,
    )
    .await?;
    Ok(ok(&EntryState {
        id: id.to_string(),
        state: render::entry_state(&state).to_owned(),
        stored: render::stored_of(&state),
    }))
}

/// How an ask of the caller's stands; to the owner, any. With `wait` the answer comes when it is decided.
#[utoipa::path(
    get, path = "/v1/asks/{ask}", operation_id = "askState", tag = "asks", security(("bearer" = []), ()),
    params(("ask" = String, Path, description = "The ask's id."), WaitQuery),
    responses(
        (status = 200, description = "How it stands.", body = AskState),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn ask_state(ask: Ask, id: AskId) -> Answer {
    let state = wait(
        &ask,
        id.bytes(),
        |ask| ask.engine().ask_state(&ask.caller, id),
        |state| *state != tickets::AskState::Waiting,
    )
    .await?;
    Ok(ok(&AskState { id: id.to_string(), state: render::ask_state(state).to_owned() }))
}

async fn wait<T>(
    ask: &Ask,
    ticket: [u8; 16],
    look: impl Fn(&Ask) -> Result<T, Error>,
    decided: impl Fn(&T) -> bool,
) -> Result<T, Refusal> {
    let seconds = WaitQuery::parse(ask.query.as_deref())?.wait.unwrap_or(0).min(MAX_WAIT);
    let (mut changed, mut stopping) = (ask.engine().ticket_events(), ask.shared.house.stopping());
    let mut place = None;
    let mut time = std::pin::pin!(tokio::time::sleep(Duration::from_secs(seconds)));
    loop {
        // Seen before looking: what changes while we look wakes us again.
        changed.borrow_and_update();
        let state = look(ask)?;
        if decided(&state) || seconds == 0 {
            return Ok(state);
        }
        if place.is_none() {
            place = Some(ask.shared.polls.place(ticket).ok_or_else(crowded)?);
        }
        tokio::select! {
            change = changed.changed() => if change.is_err() { return Err(stopped()) },
            () = &mut time => return Ok(look(ask)?),
            _ = stopping.wait_for(|stopping| *stopping) => return Err(stopped()),
        }
    }
}

fn crowded() -> Error {
    Error::new(Code::RateLimited, "too many requests wait for a person already").retry_after(2)
}

fn stopped() -> Refusal {
    Error::unavailable("the daemon is stopping").into()
}
