//! `GET /v1/exposed`: for every version, who had it in plain.

use hqv_api::{ExposedPage, ExposedQuery, ExposedTo, Exposure};
use hqv_engine::ops::exposed::{self, ExposedFilter};
use hqv_model::{Error, Prefix, Timestamp, TokenRef, Toward, parse_moment};

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::{Answer, Refusal};
use crate::v1::render;

/// Lines a page where the query does not say.
const PAGE: u64 = 1_000;

/// The exposure ledger: which token or session ever had which version, by which ways and when. The owner's alone.
#[utoipa::path(
    get, path = "/v1/exposed", operation_id = "exposed", tag = "audit",
    params(ExposedQuery),
    responses(
        (status = 200, description = "One page.", body = ExposedPage),
        (status = 409, description = "More than one token has that name; the ids stand in the sentence.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn exposed(ask: Ask) -> Answer {
    let query = ExposedQuery::parse(ask.query.as_deref())?;
    let filter = filter(&query, ask.engine().now())?;
    let page = ask.shared.engine.exposed(ask.caller, filter).await?;
    Ok(ok(&ExposedPage { exposures: page.lines.into_iter().map(line).collect(), next: page.next }))
}

fn filter(query: &ExposedQuery, now: Timestamp) -> Result<ExposedFilter, Refusal> {
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=exposed::MOST as u64).contains(&limit) {
        return Err(Error::bad_request("limit takes 1 to 10000").into());
    }
    Ok(ExposedFilter {
        token: query.token.as_deref().map(TokenRef::parse).transpose()?,
        path: query.path.as_deref().map(Prefix::parse).transpose()?,
        since: query.since.as_deref().map(|text| parse_moment(text, now, Toward::Past)).transpose()?,
        limit: usize::try_from(limit).unwrap_or(exposed::MOST),
        after: query.cursor.clone(),
    })
}

fn line(line: exposed::Exposure) -> Exposure {
    Exposure {
        path: line.path.into(),
        secret: line.secret.to_string(),
        version: line.version,
        state: line.fate.as_str().to_owned(),
        exposed_since: line.exposed_since.map(render::time),
        identity: ExposedTo {
            kind: line.by.to_owned(),
            id: line.id,
            name: Some(line.name.into()).filter(|name: &String| !name.is_empty()),
        },
        access: line.access.as_str().to_owned(),
        seen: line.seen,
        channels: line.channels.into_iter().map(str::to_owned).collect(),
        claims: line.claims.into_iter().map(Into::into).collect(),
        first_at: render::time(line.first),
        last_at: render::time(line.last),
    }
}
