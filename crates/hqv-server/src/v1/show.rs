//! `GET /v1/metadata/{path}`: what is known of one secret, but its values.

use hqv_api::{ShowAnswer, VersionEntry};
use hqv_engine::ops::show::Show;
use hqv_model::SecretPath;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;
use crate::v1::render;

/// One secret's metadata and its versions.
#[utoipa::path(
    get, path = "/v1/metadata/{path}", operation_id = "show", tag = "secrets",
    params(("path" = String, Path, description = "The secret's path, with plain slashes or `%2F`.")),
    responses(
        (status = 200, description = "Its metadata.", body = ShowAnswer),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn show(ask: Ask, path: SecretPath) -> Answer {
    ask.no_query()?;
    let shown = ask.shared.engine.run(ask.caller, Show { path }).await?;
    let versions = shown.versions.iter().map(|v| VersionEntry {
        version: v.version,
        created_at: render::time(v.created_at),
        bytes: v.bytes,
        route: v.route.as_str().to_owned(),
        written_by: v.by.clone(),
    });
    let versions = versions.collect();
    let entry = render::entry(&shown.view);
    Ok(ok(&ShowAnswer {
        path: entry.path,
        metadata: entry.metadata,
        version: entry.version,
        created_at: entry.created_at,
        updated_at: entry.updated_at,
        versions,
    }))
}
