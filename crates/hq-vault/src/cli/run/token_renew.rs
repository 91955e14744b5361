//! `token renew`: a later end.

use hqv_api::TokenRenewRequest;

use crate::cli::args::token::Renew;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::run::list::ago;
use crate::cli::run::token::text;
use crate::compose;

/// Asks, and says when it ends now and what was cut.
pub fn run(ctx: &Context, args: &Renew) -> Result<(), Failure> {
    let who = text(&args.who);
    let request = TokenRenewRequest { ttl: args.ttl.map(|t| hqv_model::format_duration(t.as_millis())) };
    let done = ctx.ask(async |client| client.token_renew(&who, &request).await)?;
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    let token = &done.metadata;
    ctx.out.confirm(format!(
        "Renewed: {}, ends {}",
        token.ancestry,
        ago(&token.expires_at, compose::now())
    ))?;
    for note in &done.notes {
        ctx.out.say(hqv_model::escape_controls(note));
    }
    Ok(())
}
