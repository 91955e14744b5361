//! `delete`: asks first.

use crate::cli::args::delete::Args;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::passphrase;

/// Asks, unless told not to, and deletes.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    if !args.force {
        confirm(args)?;
    }
    let done = ctx.ask(async |client| client.delete(args.path.as_str(), args.purge).await)?;
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    ctx.out.confirm(hqv_model::escape_controls(&done.message))
}

fn confirm(args: &Args) -> Result<(), Failure> {
    if !passphrase::person_is_there() {
        return Err(Failure::refused("nobody is here to confirm; nothing was deleted")
            .hint(format!("hq-vault delete {} --force does not ask", args.path)));
    }
    let what = if args.purge {
        format!("Remove {} with all its versions, for good? [y/N] ", args.path)
    } else {
        format!("Delete {}? Its versions are kept for 30 days. [y/N] ", args.path)
    };
    match hqv_sys::tty::read_line_visible(&what, 16) {
        Ok(answer) if matches!(answer.trim(), "y" | "Y" | "yes" | "Yes") => Ok(()),
        _ => Err(Failure::refused("nothing was deleted")),
    }
}
