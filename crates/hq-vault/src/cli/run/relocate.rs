//! `move` and `copy`.

use crate::cli::args::relocate::{CopyArgs, MoveArgs};
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::run::suggest;

/// Gives a secret another path.
pub fn rename(ctx: &Context, args: &MoveArgs) -> Result<(), Failure> {
    let done = ctx.ask(async |client| client.move_secret(args.from.as_str(), args.to.as_str()).await);
    let done = done.map_err(|failure| suggest::near(ctx, &args.from, failure))?;
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    ctx.out.confirm(format!("{} is now {}", args.from, args.to))
}

/// Copies the newest version.
pub fn copy(ctx: &Context, args: &CopyArgs) -> Result<(), Failure> {
    let done = ctx.ask(async |client| client.copy_secret(args.from.as_str(), args.to.as_str()).await);
    let done = done.map_err(|failure| suggest::near(ctx, &args.from, failure))?;
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    ctx.out.confirm(format!("{} copied to {}", args.from, args.to))
}
