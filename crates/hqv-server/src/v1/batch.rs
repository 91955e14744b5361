//! `POST /v1/secrets:batch`: many values in one round trip, as one use.

use hqv_api::{BatchAnswer, BatchRequest, JsonBody};
use hqv_engine::ops::batch::{Batch, BatchWhich};
use hqv_engine::ops::get::Got;
use hqv_model::{Error, SecretPath};
use http::StatusCode;
use zeroize::Zeroizing;

use crate::answer;
use crate::ask::{Ask, Carried, prefix};
use crate::errors::{Answer, Refusal};
use crate::guard::size;
use crate::v1::get::view;

/// Most paths in one batch.
const MOST: usize = 1_000;
/// Most bytes of values in one batch, by the contract.
const LARGEST: usize = 16 * 1024 * 1024;

/// The values of the paths named, or of what is readable below a prefix. One use, whatever their number.
#[utoipa::path(
    post, path = "/v1/secrets:batch", operation_id = "batch", tag = "secrets",
    request_body = BatchRequest,
    responses(
        (status = 200, description = "The values.", body = BatchAnswer),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::RefusedBody,
    )
)]
pub async fn batch(ask: Ask, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read(&ask, size::BATCH).await?;
    let which = which(size::parse(&body)?)?;
    drop(body);
    let mut weight = ask.shared.scale.reserve(LARGEST)?;
    let all = ask.shared.engine.run(ask.caller, Batch { which }).await?;
    let written = written(&all);
    drop(all);
    weight.settle(written.as_ref().len());
    Ok(answer::body(StatusCode::OK, written).map(|body| body.weighing(weight)))
}

fn which(request: BatchRequest) -> Result<BatchWhich, Refusal> {
    let depth = match request.depth {
        Some(0) | Some(257..) => return Err(Error::bad_request("depth is 1 to 256").into()),
        Some(_) if request.prefix.is_none() => {
            return Err(Error::bad_request("depth goes with a prefix").into());
        }
        depth => depth.map(usize::from),
    };
    if request.paths.as_ref().is_some_and(|paths| paths.len() > MOST) {
        return Err(Error::too_large(format!("a batch holds at most {MOST} secrets")).into());
    }
    let parsed = |paths: Vec<String>| -> Result<Vec<SecretPath>, Error> {
        paths.iter().map(|p| SecretPath::parse(p)).collect()
    };
    match (request.paths, request.prefix) {
        (Some(paths), None) => Ok(BatchWhich::Paths(parsed(paths)?)),
        (paths, Some(text)) => {
            let (prefix, paths) = (prefix(Some(&text))?, parsed(paths.unwrap_or_default())?);
            Ok(BatchWhich::Both { prefix, depth, paths })
        }
        _ => Err(Error::bad_request("give paths, a prefix or both").into()),
    }
}

/// Written by hand into one buffer of the exact size, so that no value is left behind in one that had to grow.
fn written(all: &[Got]) -> JsonBody {
    let ids: Vec<String> = all.iter().map(|got| got.meta.id.to_string()).collect();
    let views: Vec<_> =
        all.iter().zip(&ids).map(|(got, id)| view(&got.meta, got.value.reveal(), id)).collect();
    let room: usize = views.iter().map(|v| v.capacity() + 1).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(room + 16));
    out.extend_from_slice(b"{\"secrets\":[");
    for (index, one) in views.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        one.write(&mut out);
    }
    out.extend_from_slice(b"]}");
    JsonBody::from_bytes(out)
}
