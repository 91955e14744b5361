//! `POST /v1/shutdown`: the daemon ends.

use hqv_api::Done;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;

/// Stops the daemon once what is in flight has been answered; the owner's, and while locked anybody's of the same user on
/// the socket.
#[utoipa::path(
    post, path = "/v1/shutdown", operation_id = "shutdown", tag = "daemon", security(("bearer" = []), ()),
    responses(
        (status = 200, description = "The daemon is stopping.", body = Done),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn shutdown(ask: Ask) -> Answer {
    ask.no_query()?;
    ask.engine().shutdown(&ask.caller)?;
    ask.shared.house.request_stop();
    Ok(ok(&Done::saying("The daemon is stopping.")))
}
