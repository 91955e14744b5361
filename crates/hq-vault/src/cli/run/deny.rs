//! `deny`: the owner refuses a token.

use crate::cli::args::deny::Args;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;

/// Refuses it.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    let code = args.code.to_string();
    let done = ctx.ask(async |client| client.ask_deny(&code).await)?;
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    ctx.out.confirm(format!("Denied: {code}"))
}
