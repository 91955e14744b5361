//! The handlers: each builds one request of the engine from what came, and renders its answer. No rule lives here.
//!
//! Paths and parameters are parsed before a handler's future is made, so that what cannot be meant costs nothing.

pub mod ask;
pub mod ask_decide;
pub mod audit;
pub mod audit_key;
pub mod audit_verify;
pub mod batch;
pub mod ca;
pub mod clock;
pub mod delete;
pub mod entry;
pub mod entry_answer;
pub mod exposed;
pub mod follow;
pub mod get;
pub mod health;
pub mod import;
pub mod init;
pub mod list;
pub mod lock;
pub mod metrics;
pub mod openapi;
pub mod poll;
pub mod put;
pub mod render;
pub mod session;
pub mod settings;
pub mod show;
pub mod shutdown;
pub mod status;
pub mod token_burn;
pub mod token_create;
pub mod token_explain;
pub mod token_freeze;
pub mod token_list;
pub mod token_plan;
pub mod token_renew;
pub mod token_revoke;
pub mod token_show;
pub mod token_sweep;
pub mod token_tree;
pub mod transfer;
pub mod unlock;
pub mod vault_check;

use hqv_model::Error;

use crate::ask::{Ask, Carried, ask_id, ask_ref, entry_id, entry_ref, secret_path, session, token_ref};
use crate::errors::{Answer, Refusal};
use crate::router::Call;
use crate::service::Begun;

/// Starts a call without body. `tail` is the target's parameter, still encoded.
///
/// # Errors
/// `BAD_REQUEST` for a parameter that does not parse.
pub fn without_body(call: Call, tail: &str, ask: Ask) -> Result<Begun, Refusal> {
    Ok(match call {
        Call::Health => working(health::health(ask)),
        Call::Ca => working(ca::ca(ask)),
        Call::OpenApi => working(openapi::openapi(ask)),
        Call::Status => working(status::status(ask)),
        Call::Lock => working(lock::lock(ask)),
        Call::ClockReset => working(clock::clock_reset(ask)),
        Call::VaultCheck => working(vault_check::vault_check(ask)),
        Call::Shutdown => working(shutdown::shutdown(ask)),
        Call::List => working(list::list(ask)),
        Call::Delete => working(delete::delete(ask, secret_path(tail)?)),
        Call::Show => working(show::show(ask, secret_path(tail)?)),
        Call::TokenSweep => working(token_sweep::token_sweep(ask)),
        Call::TokenList => working(token_list::token_list(ask)),
        Call::TokenSelf => working(token_show::token_self(ask)),
        Call::TokenShow => working(token_show::token_show(ask, token_ref(tail)?)),
        Call::TokenRevokeSelf => working(token_revoke::token_revoke_self(ask)),
        Call::TokenRevoke => working(token_revoke::token_revoke(ask, token_ref(tail)?)),
        Call::TokenBurn => working(token_burn::token_burn(ask, token_ref(tail)?)),
        Call::TokenFreeze => working(token_freeze::token_freeze(ask, token_ref(tail)?)),
        Call::TokenThaw => working(token_freeze::token_thaw(ask, token_ref(tail)?)),
        Call::TokenExplain => working(token_explain::token_explain(ask, token_ref(tail)?)),
        Call::TokenTree => working(token_tree::token_tree(ask, token_ref(tail)?)),
        Call::SessionList => working(session::session_list(ask)),
        Call::SessionEndAll => working(session::session_end_all(ask)),
        Call::SessionEnd => working(self::session::session_end(ask, session(tail)?)),
        Call::EntryList => working(entry::entry_list(ask)),
        Call::EntryState => queued(poll::entry_state(ask, entry_id(tail)?)),
        Call::AskList => working(ask::ask_list(ask)),
        Call::AskState => queued(poll::ask_state(ask, ask_id(tail)?)),
        Call::AskDeny => working(ask_decide::ask_deny(ask, ask_ref(tail)?)),
        Call::SettingsRead => working(settings::settings_read(ask)),
        Call::Exposed => working(exposed::exposed(ask)),
        Call::AuditRead => working(audit::audit_read(ask)),
        Call::AuditVerify => working(audit_verify::audit_verify(ask)),
        Call::AuditCheckpoint => working(audit_key::audit_checkpoint(ask)),
        Call::AuditKey => working(audit_key::audit_key(ask)),
        Call::Metrics => working(metrics::metrics(ask)),
        _ => return Err(Error::internal("no handler for this call").into()),
    })
}

/// Starts a call with a JSON body.
///
/// # Errors
/// `BAD_REQUEST` for a parameter that does not parse.
pub fn with_body(call: Call, tail: &str, ask: Ask, carried: Carried) -> Result<Begun, Refusal> {
    Ok(match call {
        Call::Init => working(init::init(ask, carried)),
        Call::Unlock => working(unlock::unlock(ask, carried)),
        Call::Put => working(put::put(ask, secret_path(tail)?, carried)),
        Call::Batch => working(batch::batch(ask, carried)),
        Call::Import => working(import::import(ask, carried)),
        Call::Move => working(transfer::move_secret(ask, carried)),
        Call::Copy => working(transfer::copy_secret(ask, carried)),
        Call::TokenCreate => working(token_create::token_create(ask, carried)),
        Call::TokenPlan => working(token_plan::token_plan(ask, carried)),
        Call::TokenRenew => working(token_renew::token_renew(ask, token_ref(tail)?, carried)),
        Call::SessionCreate => working(session::session_create(ask, carried)),
        Call::EntryCreate => working(entry::entry_create(ask, carried)),
        Call::EntryAbout => working(entry::entry_about(ask, entry_ref(tail)?, carried)),
        Call::EntryAnswer => working(entry_answer::entry_answer(ask, entry_ref(tail)?, carried)),
        Call::EntryRefuse => working(entry::entry_refuse(ask, entry_ref(tail)?, carried)),
        Call::AskCreate => working(ask::ask_create(ask, carried)),
        Call::AskCollect => working(ask::ask_collect(ask, ask_id(tail)?, carried)),
        Call::AskApprove => working(ask_decide::ask_approve(ask, ask_ref(tail)?, carried)),
        Call::SettingsChange => working(settings::settings_change(ask, carried)),
        _ => return Err(Error::internal("no handler for this call").into()),
    })
}

fn working(handler: impl Future<Output = Answer> + Send + 'static) -> Begun {
    Begun::Working(Box::pin(handler))
}

/// For what only waits: it is never detached, so it goes with its connection. Over HTTP/1 a client that hung up is not
/// seen before the wait's own time is over, since it may have closed its sending side alone; `guard::polls` bounds how
/// many may wait, so that those who are gone keep nobody out for long.
fn queued(handler: impl Future<Output = Answer> + Send + 'static) -> Begun {
    Begun::Queued(Box::pin(handler))
}
