//! `GET /v1/status`: how vault and daemon stand.

use hqv_api::{RecordStatus, StatusAnswer, TokenStatus, WaitingStatus};
use hqv_engine::ops::status::{OwnerStatus, StatusView, Waits};
use std::time::Duration;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;
use crate::v1::render;

/// How vault and daemon stand. What only the owner may know is absent for anybody else. Works locked.
#[utoipa::path(
    get, path = "/v1/status", operation_id = "status", tag = "daemon", security(("bearer" = []), ()),
    responses(
        (status = 200, description = "The state.", body = StatusAnswer),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn status(ask: Ask) -> Answer {
    ask.no_query()?;
    let view = ask.engine().status(&ask.caller)?;
    Ok(ok(&rendered(&ask, view)))
}

fn rendered(ask: &Ask, view: StatusView) -> StatusAnswer {
    let (house, about) = (&ask.shared.house, ask.shared.house.about());
    let addresses = house.addresses();
    let weak = ask.engine().locked_settings().weakenings();
    let mut warnings = house.warnings();
    warnings.extend(view.warnings.into_iter().filter(|w| !weak.contains(w)));
    let mut answer = StatusAnswer {
        initialized: view.initialized,
        locked: view.locked,
        vault_path: about.vault_dir.to_string_lossy().into_owned(),
        server_running: true,
        port: addresses.first().map(|a| a.port()),
        idle_timeout_ms: view.idle_minutes.saturating_mul(60_000),
        last_activity: view.last_activity.map(render::time),
        version: about.version.to_owned(),
        pid: Some(about.pid),
        uptime_ms: millis(ask.shared.clock.boot().saturating_sub(about.started)),
        locks_in_ms: view.locks_at.map(|at| millis(at.since(view.now))),
        addresses: addresses.iter().map(ToString::to_string).collect(),
        socket: about.socket.as_ref().map(|path| path.to_string_lossy().into_owned()),
        fingerprint: house.fingerprint(),
        vault: ask.engine().vault().map(|id| id.to_string()),
        weakened: about.weakened.iter().cloned().chain(weak).collect(),
        warnings,
        ..StatusAnswer::default()
    };
    if let Some(owner) = view.owner {
        for_the_owner(&mut answer, &owner, view.record);
    }
    answer
}

fn for_the_owner(answer: &mut StatusAnswer, owner: &OwnerStatus, record: Option<(u64, u64)>) {
    answer.secret_count = Some(owner.secrets);
    answer.prefix_count = Some(owner.prefixes);
    answer.exposed_count = Some(owner.exposed);
    answer.tokens = Some(TokenStatus { live: owner.tokens, next_end: owner.next_end.map(render::time) });
    let waits = |waits: &Waits| WaitingStatus {
        code: waits.code.to_string(),
        kind: if waits.is_ask { "ask" } else { "entry" }.to_owned(),
        what: waits.what.clone(),
    };
    answer.waiting = owner.waiting.iter().map(waits).collect();
    answer.record = record.map(|(entries, checkpointed)| RecordStatus {
        entries,
        checkpointed,
        ..RecordStatus::default()
    });
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
