//! `DELETE /v1/secrets/{path}`.

use hqv_api::{DeleteAnswer, DeleteQuery};
use hqv_engine::ops::delete::Delete;
use hqv_model::SecretPath;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;
use crate::v1::render;

/// Deletes a secret. Its versions are kept for 30 days, unless the owner purges them.
#[utoipa::path(
    delete, path = "/v1/secrets/{path}", operation_id = "delete", tag = "secrets",
    params(("path" = String, Path, description = "The secret's path, with plain slashes or `%2F`."), DeleteQuery),
    responses(
        (status = 200, description = "Deleted.", body = DeleteAnswer),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub async fn delete(ask: Ask, path: SecretPath) -> Answer {
    let purge = DeleteQuery::parse(ask.query.as_deref())?.purge;
    let canonical = path.as_str().to_owned();
    let done = ask.shared.engine.run(ask.caller, Delete { path, purge }).await?;
    let until = done.until.map(render::time);
    let message = match &until {
        Some(until) => {
            format!("Deleted; {} kept until {until}.", render::count(done.versions_kept, "version"))
        }
        None => "Deleted, with all its versions.".into(),
    };
    Ok(ok(&DeleteAnswer { ok: true, path: canonical, message, versions_kept: done.versions_kept, until }))
}
