//! `GET /v1/secrets?prefix=...`: metadata, a page at a time.

use hqv_api::{ListAnswer, ListQuery};
use hqv_engine::ops::list::List;
use hqv_model::{Error, SecretPath, SecretType};

use crate::answer::ok;
use crate::ask::{Ask, prefix};
use crate::errors::{Answer, Refusal};
use crate::v1::render;

/// Entries a page where the query does not say.
const PAGE: u64 = 1_000;

/// What the caller may list below a prefix, in the order of the paths. Never values.
#[utoipa::path(
    get, path = "/v1/secrets", operation_id = "list", tag = "secrets",
    params(ListQuery),
    responses(
        (status = 200, description = "One page.", body = ListAnswer),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn list(ask: Ask) -> Answer {
    let op = operation(ListQuery::parse(ask.query.as_deref())?)?;
    let listed = ask.shared.engine.run(ask.caller, op).await?.open()?;
    let entries = listed.entries.iter().map(render::entry).collect();
    Ok(ok(&ListAnswer { entries, next: listed.next }))
}

fn operation(query: ListQuery) -> Result<List, Refusal> {
    Ok(List {
        prefix: prefix(query.prefix.as_deref())?,
        kind: query.kind.as_deref().map(SecretType::parse).transpose()?,
        tag: query.tag.as_deref().map(tag),
        limit: limit(query.limit, PAGE)?,
        after: query.cursor.as_deref().map(SecretPath::parse).transpose()?,
    })
}

/// `KEY=VALUE`, or `KEY` with any value.
fn tag(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (text.to_owned(), None),
    }
}

/// A page's size: 1 to 1,000.
pub(super) fn limit(asked: Option<u64>, default: u64) -> Result<usize, Refusal> {
    let limit = asked.unwrap_or(default);
    match usize::try_from(limit) {
        Ok(limit) if (1..=1_000).contains(&limit) => Ok(limit),
        _ => Err(Error::bad_request("limit takes a number from 1 to 1,000").into()),
    }
}
