//! `token freeze` and `thaw`: a family is suspended, and goes on.

use hqv_api::TokenSuspended;

use crate::cli::args::token::{Freeze, Thaw};
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::run::token::text;

/// Suspends a token and its family.
pub fn freeze(ctx: &Context, args: &Freeze) -> Result<(), Failure> {
    let who = text(&args.who);
    let done = ctx.ask(async |client| client.token_freeze(&who).await)?;
    say(ctx, "Frozen", &done)
}

/// Lets them go on.
pub fn thaw(ctx: &Context, args: &Thaw) -> Result<(), Failure> {
    let who = text(&args.who);
    let done = ctx.ask(async |client| client.token_thaw(&who).await)?;
    say(ctx, "Thawed", &done)
}

fn say(ctx: &Context, what: &str, done: &TokenSuspended) -> Result<(), Failure> {
    if ctx.out.json {
        return ctx.out.document(done);
    }
    let family = match done.descendants {
        0 => String::new(),
        1 => " and 1 descendant".to_owned(),
        n => format!(" and {n} descendants"),
    };
    ctx.out.confirm(format!("{what}: {}{family}", done.ancestry))
}
