//! `session list` and `end`.

use crate::cli::args::session::{End, Verb};
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::cli::output::table::{Table, Tone};
use crate::cli::passphrase;
use crate::cli::run::list::ago;
use crate::compose;

/// Runs the verb.
pub fn run(ctx: &Context, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::List(_) => list(ctx),
        Verb::End(args) => end(ctx, &args),
    }
}

fn list(ctx: &Context) -> Result<(), Failure> {
    let found = ctx.ask(async |client| client.session_list().await)?;
    if ctx.out.json {
        return ctx.out.document(&found);
    }
    let mut table = Table::new().left("ID").left("OPENED").left("IDLE END").left("FROM").left("");
    let now = compose::now();
    for session in &found.sessions {
        let (opened, ends) = (ago(&session.created_at, now), ago(&session.expires_at, now));
        let here = if session.current { "this one" } else { "" };
        table.row([
            (session.id.as_str(), Tone::Plain),
            (opened.as_str(), Tone::Dim),
            (ends.as_str(), Tone::Dim),
            (session.source.as_str(), Tone::Plain),
            (here, Tone::Good),
        ]);
    }
    table.print(&ctx.out)
}

/// The session that asks goes last: with it ended, the others could not be.
fn end(ctx: &Context, args: &End) -> Result<(), Failure> {
    let link = Link::open(ctx)?;
    if args.all {
        let ended = ctx.ask_over(&link, async |client| {
            let mut sessions = client.session_list().await?.sessions;
            sessions.sort_by_key(|s| s.current);
            for session in &sessions {
                client.session_end(&session.id).await?;
            }
            Ok(sessions.len())
        })?;
        forget(ctx);
        return ctx.out.confirm(format!("Ended: {ended} sessions"));
    }
    let id = args.id.clone().unwrap_or_else(|| "self".to_owned());
    let done = ctx.ask_over(&link, async |client| client.session_end(&id).await)?;
    if args.id.is_none() {
        forget(ctx);
    }
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    ctx.out.confirm(hqv_model::escape_controls(&done.message))
}

fn forget(ctx: &Context) {
    passphrase::forget_session(ctx);
}
