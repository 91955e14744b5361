//! `PUT /v1/secrets/{path}`: store a value.

use hqv_api::{PutAnswer, PutRequest};
use hqv_engine::ops::put::{Put, PutCondition};
use hqv_model::{EntryRoute, EnvName, Error, SecretPath, SecretType, Timestamp, Toward, parse_moment};
use http::{HeaderValue, StatusCode};

use crate::answer::json;
use crate::ask::{Ask, Carried};
use crate::errors::{Answer, Refusal};
use crate::guard::size;
use crate::v1::render;

/// Stores a value as a new version of its path. What the body leaves out stays as it was.
#[utoipa::path(
    put, path = "/v1/secrets/{path}", operation_id = "put", tag = "secrets",
    params(
        ("path" = String, Path, description = "The secret's path, with plain slashes or `%2F`."),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only where nothing live stands."),
        ("If-Match" = Option<String>, Header, description = "`\"N\"`: only where the newest version is N."),
    ),
    request_body = PutRequest,
    responses(
        (status = 200, description = "A new version of a path that was there.", body = PutAnswer),
        (status = 201, description = "The first version of a new path.", body = PutAnswer),
        (status = 409, description = "The condition does not hold.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::RefusedBody,
    )
)]
pub async fn put(ask: Ask, path: SecretPath, carried: Carried) -> Answer {
    ask.no_query()?;
    let condition = condition(carried.if_match.as_ref(), carried.if_none_match.as_ref())?;
    let body = carried.read(&ask, size::VALUE).await?;
    let op = operation(path, size::parse(&body)?, condition, ask.engine().now())?;
    drop(body);
    let done = ask.shared.engine.run(ask.caller, op).await?;
    let status = if done.created { StatusCode::CREATED } else { StatusCode::OK };
    let answer = PutAnswer {
        ok: true,
        path: done.meta.path.as_str().to_owned(),
        bytes: done.bytes,
        version: done.meta.version,
        created: done.created,
        metadata: render::metadata(&done.meta),
    };
    Ok(json(status, &answer))
}

fn operation(
    path: SecretPath,
    request: PutRequest,
    condition: PutCondition,
    now: Timestamp,
) -> Result<Put, Refusal> {
    let not_base64 = |_| Error::bad_request("the value is not base64, as its encoding says");
    Ok(Put {
        path,
        value: request.value.into_bytes(request.encoding).map_err(not_base64)?,
        kind: request.kind.as_deref().map(SecretType::parse).transpose()?,
        description: request.description,
        tags: request.tags,
        expires: match request.expires {
            Some(Some(text)) => Some(Some(parse_moment(&text, now, Toward::Future)?)),
            Some(None) => Some(None),
            None => None,
        },
        env: match request.env {
            Some(Some(text)) => Some(Some(EnvName::parse(&text)?)),
            Some(None) => Some(None),
            None => None,
        },
        route: route(request.route.as_deref())?,
        condition,
    })
}

/// How the client says that the value came. Routes that only the daemon itself can vouch for are not taken.
fn route(text: Option<&str>) -> Result<EntryRoute, Refusal> {
    let Some(text) = text else {
        return Ok(EntryRoute::Api);
    };
    let route = EntryRoute::parse(text)?;
    let own_word = matches!(
        route,
        EntryRoute::Tty
            | EntryRoute::Pipe
            | EntryRoute::File
            | EntryRoute::Generated
            | EntryRoute::Import
            | EntryRoute::Api
    );
    if own_word {
        Ok(route)
    } else {
        Err(Error::bad_request("this route cannot be claimed by a client").into())
    }
}

/// RFC 9110 sections 13.1.1 and 13.1.2, in the two forms that mean something here.
fn condition(if_match: Option<&HeaderValue>, if_none: Option<&HeaderValue>) -> Result<PutCondition, Refusal> {
    match (if_match, if_none) {
        (None, None) => Ok(PutCondition::Any),
        (None, Some(value)) if value == "*" => Ok(PutCondition::Absent),
        (Some(value), None) => {
            let text =
                value.to_str().ok().and_then(|v| v.strip_prefix('"')).and_then(|v| v.strip_suffix('"'));
            let digits = text.filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()));
            match digits.and_then(|t| t.parse().ok()).filter(|version| *version > 0) {
                Some(version) => Ok(PutCondition::Version(version)),
                None => Err(Error::bad_request("If-Match takes one version: \"N\"").into()),
            }
        }
        (None, Some(_)) => Err(Error::bad_request("If-None-Match takes * alone").into()),
        (Some(_), Some(_)) => Err(Error::bad_request("If-Match and If-None-Match exclude each other").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in2_conditions_are_read_strictly() {
        let v = HeaderValue::from_static;
        assert!(matches!(condition(None, None), Ok(PutCondition::Any)));
        assert!(matches!(condition(None, Some(&v("*"))), Ok(PutCondition::Absent)));
        assert!(matches!(condition(Some(&v("\"7\"")), None), Ok(PutCondition::Version(7))));
        for bad in [
            "7",
            "\"\"",
            "\"0\"",
            "\"-1\"",
            "\"+1\"",
            "\"1x\"",
            "*",
            "W/\"1\"",
            "\"1\", \"2\"",
            "\"99999999999999999999\"",
        ] {
            assert!(condition(Some(&v(bad)), None).is_err(), "{bad}");
        }
        assert!(condition(None, Some(&v("\"1\""))).is_err());
        assert!(condition(Some(&v("\"1\"")), Some(&v("*"))).is_err());
    }

    #[test]
    fn en7_a_client_cannot_claim_a_person_s_entry() {
        assert!(matches!(route(None), Ok(EntryRoute::Api)));
        assert!(route(Some("tty")).is_ok() && route(Some("generated")).is_ok());
        for not in ["ingest-tty", "ingest-tmux", "ingest-page", "answer", "copy", "magic"] {
            assert!(route(Some(not)).is_err(), "{not}");
        }
    }
}
