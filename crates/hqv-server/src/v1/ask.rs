//! `/v1/asks`: a token asked for, and handed over once the owner has granted it.

use hqv_api::{AskAnswer, AskCollectRequest, AskList, AskRequest, TokenAnswer, WireSecret};
use hqv_engine::ops::ask_create::AskCreate;
use hqv_engine::tickets::Asker;
use hqv_model::{AskId, Error, TokenName, Ttl, UseLimit};
use http::StatusCode;

use crate::answer::{json, ok};
use crate::ask::{Ask, Carried};
use crate::errors::{Answer, Refusal};
use crate::guard::size;
use crate::v1::{render, token_create};

/// Asks for a token, or joins the caller's own ask of the same content. Works on the socket while the vault is locked.
#[utoipa::path(
    post, path = "/v1/asks", operation_id = "askCreate", tag = "asks", security(("bearer" = []), ()),
    request_body = AskRequest,
    responses(
        (status = 201, description = "Asked.", body = AskAnswer),
        (status = 200, description = "Joined: it waits, or this is how it was decided within the last ten minutes.", body = AskAnswer),
        crate::openapi::Refused, crate::openapi::RefusedBody,
    )
)]
pub async fn ask_create(ask: Ask, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read_from_peer(&ask, size::SMALL).await?;
    let opened = ask.engine().ask_create(&ask.caller, operation(size::parse(&body)?)?)?;
    let answer = AskAnswer {
        id: opened.id.to_string(),
        code: opened.code.to_string(),
        claim: WireSecret::from_text(&opened.claim),
        expires_at: render::time(opened.expires),
        state: render::ask_state(opened.state).to_owned(),
        joined: opened.joined,
    };
    Ok(json(if opened.joined { StatusCode::OK } else { StatusCode::CREATED }, &answer))
}

fn operation(request: AskRequest) -> Result<AskCreate, Refusal> {
    let (paths, can, allow) = (request.paths.as_deref(), request.can.as_deref(), request.allow.as_deref());
    let rules = match (paths, allow) {
        (None, None) => None,
        _ => token_create::scope(paths, can, allow)?,
    };
    // `can` alone would be everything: whoever asks says where.
    let nothing = || Error::bad_request("an ask names the paths that the token shall be for");
    Ok(AskCreate {
        rules: rules.ok_or_else(nothing)?,
        ttl: request.ttl.as_deref().map(Ttl::parse).transpose()?,
        max_uses: request.max_uses.map(UseLimit::new).transpose()?,
        reason: request.reason,
        name: request.name.as_deref().map(TokenName::parse).transpose()?,
        asker: Asker { program: request.program, directory: request.directory },
    })
}

/// The asks that wait, each with its exact grant, the oldest first; the owner's alone.
#[utoipa::path(
    get, path = "/v1/asks", operation_id = "askList", tag = "asks",
    responses(
        (status = 200, description = "The asks.", body = AskList),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn ask_list(ask: Ask) -> Answer {
    ask.no_query()?;
    let views = ask.engine().ask_list(&ask.caller)?;
    Ok(ok(&AskList { asks: views.iter().map(render::ask).collect() }))
}

/// Hands the granted token over, once, to who brings the newest claim.
#[utoipa::path(
    post, path = "/v1/asks/{ask}:collect", operation_id = "askCollect", tag = "asks", security(("bearer" = []), ()),
    params(("ask" = String, Path, description = "The ask's id.")),
    request_body = AskCollectRequest,
    responses(
        (status = 200, description = "The token, shown here once.", body = TokenAnswer),
        (status = 409, description = "Nothing is decided yet.", body = hqv_api::ErrorBody),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::RefusedBody,
    )
)]
pub async fn ask_collect(ask: Ask, id: AskId, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read_from_peer(&ask, size::SMALL).await?;
    let claim = size::parse::<AskCollectRequest>(&body)?.claim.into_text();
    drop(body);
    let made = ask.shared.engine.ask_collect(ask.caller, id, claim).await?;
    Ok(ok(&TokenAnswer {
        ok: true,
        token: WireSecret::from_text(&made.token),
        metadata: render::token(&made.view),
        notes: made.notes,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rules(json: &str) -> Result<String, String> {
        let request: AskRequest = serde_json::from_str(json).unwrap();
        operation(request).map(|op| op.rules.to_string()).map_err(|r| r.error().message().to_owned())
    }

    #[test]
    fn br8_an_ask_names_its_paths_or_its_rules() {
        assert!(rules(r#"{"paths":["deploy/prod/"]}"#).unwrap().contains("read,list on deploy/prod/"));
        assert!(rules(r#"{"allow":["write on a"]}"#).unwrap().contains("write on a"));
        for nothing in [r#"{}"#, r#"{"can":["read"]}"#, r#"{"paths":[]}"#, r#"{"allow":[]}"#] {
            assert!(rules(nothing).is_err(), "{nothing}");
        }
        for bad in [
            r#"{"paths":["a"],"can":[]}"#,
            r#"{"paths":["a"],"can":["root"]}"#,
            r#"{"can":["write"],"allow":["read on a"]}"#,
            r#"{"paths":["a"],"max_uses":0}"#,
        ] {
            assert!(rules(bad).is_err(), "{bad}");
        }
    }
}
