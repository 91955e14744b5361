//! `GET /v1/secrets/{path}`: the hot path.
//!
//! Not a future: the engine answers a read inline, and then the answer is ready before hyper asks for it. Only a token
//! with a use limit waits, for the commit of its use; its place in the writer's queue is taken by then, so it needs no task
//! of its own to outlive its client.

use hqv_api::get::{GetView, framed};
use hqv_api::{GetAnswer, GetQuery};
use hqv_engine::ops::get::{Get, Got};
use hqv_engine::{Caller, Engine, Frame, MetaView};
use hqv_model::Error;
use http::{Response, StatusCode};

use crate::answer;
use crate::ask::secret_path;
use crate::body::Body;
use crate::errors::Refusal;
use crate::service::Begun;

/// One secret with its value. A use.
#[utoipa::path(
    get, path = "/v1/secrets/{path}", operation_id = "get", tag = "secrets",
    params(("path" = String, Path, description = "The secret's path, with plain slashes or `%2F`."), GetQuery),
    responses(
        (status = 200, description = "The secret.", body = GetAnswer),
        crate::openapi::Refused, crate::openapi::Missing, crate::openapi::Guarded,
    )
)]
pub fn get(engine: &Engine, caller: Caller, tail: &str, query: Option<&str>) -> Result<Begun, Refusal> {
    let path = secret_path(tail)?;
    let version = GetQuery::parse(query)?.version;
    Ok(match engine.begin(caller, Get { path, version })? {
        hqv_engine::Begun::Done(got) => Begun::Answered(Ok(render(&got))),
        hqv_engine::Begun::Queued(receive) => Begun::Queued(Box::pin(async move {
            let got = receive.await.unwrap_or_else(|_| Err(Error::unavailable("the daemon is stopping")))?;
            Ok(render(&got))
        })),
    })
}

fn render(got: &Got) -> Response<Body> {
    let frame = got.meta.frame(|meta| {
        let (before, after) = view(meta, &[], &meta.id.to_string()).frame();
        Frame { before, after }
    });
    answer::body(StatusCode::OK, framed(&frame.before, got.value.reveal(), &frame.after))
}

/// The wire's view of what the engine gave.
pub(super) fn view<'a>(view: &'a MetaView, value: &'a [u8], id: &'a str) -> GetView<'a> {
    GetView {
        path: view.path.as_str(),
        value,
        id,
        kind: view.meta.kind.as_str(),
        description: &view.meta.description,
        tags: &view.meta.tags,
        expires: view.meta.expires.map(|at| at.millis()),
        env: view.meta.env.as_ref().map(|env| env.as_str()),
        route: None,
        written_by: None,
        version: view.version,
        created_at: view.created_at.millis(),
        updated_at: view.updated_at.millis(),
    }
}
