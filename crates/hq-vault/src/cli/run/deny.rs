//! `deny`: the owner refuses a token, or to give a value.

use hqv_model::Code;

use crate::cli::args::deny::Args;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;

/// Refuses it.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    let code = args.code.to_string();
    let done = ctx.ask(async |client| match client.ask_deny(&code).await {
        // A code is of one thing: of an ask, or of an entry.
        Err(error) if error.code == Code::NotFound.as_str() => {
            let refused = client.entry_refuse(&code, None).await;
            refused.map_err(|other| if other.code == error.code { error } else { other })
        }
        done => done,
    })?;
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    ctx.out.confirm(format!("Denied: {code}"))
}
