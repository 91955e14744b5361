//! `whoami`: who acts, what it may and what it has left.

use hqv_api::WhoAmI;

use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::run::list::ago;
use crate::cli::run::token::token_lines;
use crate::compose;

/// Asks the vault who we are.
pub fn run(ctx: &Context) -> Result<(), Failure> {
    let me = ctx.ask(async |client| client.token_self().await)?;
    if ctx.out.json {
        return ctx.out.document(&me);
    }
    for line in lines(&me) {
        ctx.out.line(hqv_model::escape_controls(&line))?;
    }
    Ok(())
}

fn lines(me: &WhoAmI) -> Vec<String> {
    match (&me.token, &me.session) {
        (Some(token), _) => token_lines(token),
        (None, Some(session)) => vec![
            "owner".to_owned(),
            format!("session      {}", session.id),
            format!("idle end     {}", ago(&session.expires_at, compose::now())),
            "may          everything".to_owned(),
        ],
        (None, None) => vec!["a process of this user, with neither token nor session".to_owned()],
    }
}
