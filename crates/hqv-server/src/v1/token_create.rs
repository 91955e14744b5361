//! `POST /v1/tokens`: a new token, the owner's or a narrower child of the token that asks.

use hqv_api::{TokenAnswer, TokenRequest, WireSecret};
use hqv_engine::ops::token_create::TokenCreate;
use hqv_model::{Capability, CapabilitySet, Error, OpKind, Pattern, Rule, Scope, TokenName, Ttl, UseLimit};
use http::StatusCode;

use crate::answer::json;
use crate::ask::{Ask, Carried};
use crate::errors::{Answer, Refusal};
use crate::guard::size;
use crate::v1::render;

/// Makes a token. Its text is in this answer and nowhere else.
#[utoipa::path(
    post, path = "/v1/tokens", operation_id = "tokenCreate", tag = "tokens",
    request_body = TokenRequest,
    responses(
        (status = 201, description = "Made.", body = TokenAnswer),
        (status = 409, description = "A live sibling has that name.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::RefusedBody,
    )
)]
pub async fn token_create(ask: Ask, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read(&ask, size::SMALL).await?;
    let op = size::parse(&body).and_then(|request| operation(&request));
    let op = op.map_err(|refusal| ask.meaningless(OpKind::TokenCreate, refusal))?;
    let made = ask.shared.engine.run(ask.caller, op).await?;
    let answer = TokenAnswer {
        ok: true,
        token: WireSecret::from_text(&made.token),
        metadata: render::token(&made.view),
        notes: made.notes,
    };
    Ok(json(StatusCode::CREATED, &answer))
}

pub(super) fn operation(request: &TokenRequest) -> Result<TokenCreate, Refusal> {
    Ok(TokenCreate {
        name: TokenName::parse(&request.name)?,
        ttl: request.ttl.as_deref().map(Ttl::parse).transpose()?,
        max_uses: request.max_uses.map(UseLimit::new).transpose()?,
        reserve: request.reserve.map(UseLimit::new).transpose()?,
        max_ttl: request.max_ttl.as_deref().map(Ttl::parse).transpose()?,
        scope: scope(request.paths.as_deref(), request.can.as_deref(), request.allow.as_deref())?,
    })
}

/// `paths` with `can`, and whole rules, together make one scope; none of them leaves it to the engine. `can` alone is on
/// everything; beside `allow` that would widen what the rules say, so there it needs `paths`.
pub(super) fn scope(
    paths: Option<&[String]>,
    can: Option<&[String]>,
    allow: Option<&[String]>,
) -> Result<Option<Scope>, Refusal> {
    let mut rules: Vec<Rule> = Vec::new();
    let capabilities = match can {
        None => CapabilitySet::parse("read,list")?,
        Some([]) => {
            return Err(Error::bad_request("can is empty: a token that may nothing is no use").into());
        }
        Some(names) => capabilities(names)?,
    };
    for path in paths.unwrap_or_default() {
        rules.push(Rule { can: capabilities, on: Pattern::parse(path)? });
    }
    if paths.is_none() && can.is_some() && allow.is_some() {
        return Err(Error::bad_request(
            "can without paths says nothing beside allow, whose rules carry their own",
        )
        .hint("name the paths that it is for, or write it into the rules")
        .into());
    }
    if paths.is_none() && can.is_some() {
        rules.push(Rule { can: capabilities, on: Pattern::everything() });
    }
    for rule in allow.unwrap_or_default() {
        rules.push(Rule::parse(rule)?);
    }
    if rules.is_empty() && (paths.is_some() || allow.is_some()) {
        return Err(Error::bad_request(
            "a list of paths or rules is empty: a token that may nothing is no use",
        )
        .into());
    }
    Ok(if rules.is_empty() { None } else { Some(Scope::new(rules)?) })
}

fn capabilities(names: &[String]) -> Result<CapabilitySet, Error> {
    let mut set = CapabilitySet::default();
    for name in names {
        set.insert(Capability::parse(name)?);
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(json: &str) -> Result<Option<String>, String> {
        let request: TokenRequest = serde_json::from_str(json).unwrap();
        scope(request.paths.as_deref(), request.can.as_deref(), request.allow.as_deref())
            .map(|s| s.map(|s| s.to_string()))
            .map_err(|r| r.error().message().to_owned())
    }

    #[test]
    fn tk4_what_is_asked_becomes_one_scope() {
        assert_eq!(said(r#"{"name":"n"}"#), Ok(None));
        assert_eq!(
            said(r#"{"name":"n","paths":["a/","b"]}"#).unwrap().unwrap().matches("read,list on").count(),
            2
        );
        assert!(said(r#"{"name":"n","can":["write"]}"#).unwrap().unwrap().contains("write on"));
        let both =
            said(r#"{"name":"n","paths":["a/"],"can":["read"],"allow":["list on b/"]}"#).unwrap().unwrap();
        assert!(both.contains("read on a/") && both.contains("list on b/"), "{both}");
        for refused in [
            r#"{"name":"n","can":[]}"#,
            r#"{"name":"n","paths":[]}"#,
            r#"{"name":"n","allow":[]}"#,
            r#"{"name":"n","can":["fly"]}"#,
            r#"{"name":"n","paths":["a//b"]}"#,
            r#"{"name":"n","allow":["read"]}"#,
            r#"{"name":"n","can":["write"],"allow":["read on a"]}"#,
            r#"{"name":"n","allow":[" on a"]}"#,
            r#"{"name":"n","allow":["* on a"]}"#,
            r#"{"name":"n","allow":["read,* on a"]}"#,
            r#"{"name":"n","can":["*"],"paths":["a"]}"#,
            r#"{"name":"n","can":[""],"paths":["a"]}"#,
        ] {
            assert!(said(refused).is_err(), "{refused}");
        }
    }
}
