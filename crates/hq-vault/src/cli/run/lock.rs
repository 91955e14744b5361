//! `lock`: wipe the keys.

use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::cli::passphrase;

/// Locks; a vault that is locked already is what was wanted.
pub fn run(ctx: &Context) -> Result<(), Failure> {
    let link = Link::open(ctx)?;
    let status = link.run_if_there(None, async |client| client.status().await);
    if status.as_ref().is_ok_and(|s| s.initialized && s.locked) {
        return ctx.out.confirm(format!("Locked already: {}", ctx.vault_name()));
    }
    if let Err(failure) = status
        && link.is_local()
    {
        return Err(failure);
    }
    let done = ctx.ask_over(&link, async |client| client.lock().await)?;
    passphrase::forget_session(ctx);
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    ctx.out.confirm(format!("Locked: {}", ctx.vault_name()))
}
