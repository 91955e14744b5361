//! `delete`: asks first.

use hqv_api::DeleteAnswer;

use crate::cli::args::delete::Args;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::passphrase;
use crate::cli::run::list::ago;
use crate::cli::run::suggest;
use crate::compose;

/// Asks, unless told not to, and deletes.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    if !args.force {
        confirm(args)?;
    }
    let done = ctx.ask(async |client| client.delete(args.path.as_str(), args.purge).await);
    let done = done.map_err(|failure| suggest::near(ctx, &args.path, failure))?;
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    ctx.out.confirm(sentence(&done))
}

fn sentence(done: &DeleteAnswer) -> String {
    let path = hqv_model::escape_controls(&done.path);
    let versions = match done.versions_kept {
        1 => "1 version".to_owned(),
        n => format!("{n} versions"),
    };
    match &done.until {
        Some(until) => format!("Deleted: {path} ({versions} kept, gone {})", ago(until, compose::now())),
        None => format!("Removed: {path} with all its versions"),
    }
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
