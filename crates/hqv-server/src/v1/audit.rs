//! `GET /v1/audit`: the newest records that a filter wants.

use hqv_api::{AuditIdentity, AuditItem, AuditPage, AuditQuery, AuditRecord};
use hqv_engine::RecordView;
use hqv_engine::ops::audit_read::{AuditFilter, AuditRead};
use hqv_model::{Error, OpKind, Outcome, Prefix, Timestamp, TokenRef, Toward, parse_moment};

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::{Answer, Refusal};
use crate::v1::follow::{self, Begin};
use crate::v1::{list, render};

/// Records a page where the query does not say.
const PAGE: u64 = 50;

/// The record, the newest first; with `follow=true` a stream of server-sent events, the newest `limit` records first where
/// that is given. A token sees its own family's records.
#[utoipa::path(
    get, path = "/v1/audit", operation_id = "auditRead", tag = "audit",
    params(AuditQuery),
    responses(
        (status = 200, description = "One page, or the stream.", content(
            (AuditPage = "application/json"),
            (Object = "text/event-stream"),
        )),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn audit_read(ask: Ask) -> Answer {
    let query = AuditQuery::parse(ask.query.as_deref())?;
    let filter = filter(&query, ask.engine().now())?;
    let limit = list::limit(query.limit, PAGE)?;
    if query.follow {
        if query.before.is_some() {
            return Err(Error::bad_request("before and follow exclude each other").into());
        }
        let begin = match (query.after, query.limit) {
            (Some(_), Some(_)) => return Err(Error::bad_request("after and limit exclude each other").into()),
            (Some(line), None) => Begin::After(line),
            (None, newest) => Begin::Now { newest: newest.map(|_| limit) },
        };
        return follow::follow(ask, filter, begin).await;
    }
    if query.after.is_some() {
        return Err(Error::bad_request("after is for follow").into());
    }
    let records = ask.shared.engine.run(ask.caller, AuditRead { filter }).await?;
    // One more than asked for tells whether there is a next page.
    let page = tokio::task::spawn_blocking(move || records.last(limit + 1, query.before)).await;
    let mut page = page.map_err(|e| Error::internal("the record could not be read").cause(e))??;
    let more = page.records.len() > limit;
    page.records.truncate(limit);
    let next = page.records.last().filter(|_| more).map(|record| record.sequence);
    Ok(ok(&AuditPage { records: page.records.into_iter().map(record).collect(), next }))
}

fn filter(query: &AuditQuery, now: Timestamp) -> Result<AuditFilter, Refusal> {
    let moment =
        |text: &Option<String>| text.as_deref().map(|t| parse_moment(t, now, Toward::Past)).transpose();
    Ok(AuditFilter {
        path: query.path.as_deref().map(Prefix::parse).transpose()?,
        token: query.token.as_deref().map(TokenRef::parse).transpose()?.map(|who| who.to_string()),
        operation: query.operation.as_deref().map(operation).transpose()?,
        outcome: query.outcome.as_deref().map(outcome).transpose()?,
        since: moment(&query.since)?,
        until: moment(&query.until)?,
    })
}

fn operation(text: &str) -> Result<OpKind, Error> {
    OpKind::parse(text).ok_or_else(|| Error::bad_request("no operation has that name"))
}

fn outcome(text: &str) -> Result<Outcome, Error> {
    Outcome::parse(text).ok_or_else(|| Error::bad_request("outcome takes ok, denied or failed"))
}

/// A record as the wire shows it.
pub(super) fn record(view: RecordView) -> AuditRecord {
    AuditRecord {
        sequence: view.sequence,
        time: render::time(view.time),
        operation: view.operation,
        outcome: view.outcome,
        code: view.code,
        identity: AuditIdentity {
            kind: view.identity.kind,
            id: view.identity.id,
            ancestry: view.identity.name,
            ancestors: view.identity.ancestors,
            uid: view.identity.uid,
            pid: view.identity.pid,
            program: view.identity.program,
        },
        source: view.source,
        request_id: view.request,
        user_agent: view.agent,
        claim: view.claim,
        reason: view.reason,
        detail: view.detail,
        items: view.items.into_iter().map(item).collect(),
        state: view.state,
        unproven: view.unproven,
    }
}

fn item(view: hqv_engine::ItemView) -> AuditItem {
    AuditItem {
        path: view.path,
        id: view.secret,
        version: view.version,
        kind: view.kind,
        channel: Some(view.channel).filter(|channel| !channel.is_empty()),
    }
}
