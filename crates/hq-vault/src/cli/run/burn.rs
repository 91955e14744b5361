//! `burn`: a family ends; what it had is a list to work off.

use hqv_api::{BurnQuery, BurntVersion, TokenBurnt};
use hqv_model::Timestamp;

use crate::cli::args::burn::Args;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::output::table::{Table, Tone};
use crate::cli::run::list::ago;
use crate::cli::run::token::text;
use crate::compose;

/// Burns, or says what a burn would do.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    let who = text(&args.who);
    let query = BurnQuery { dry_run: args.dry_run };
    let done = ctx.ask(async |client| client.token_burn(&who, &query).await)?;
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    if done.dry_run {
        ctx.out.say(format!("nothing was changed; hq-vault burn {who} would end {}", family(&done)));
    } else {
        ctx.out.confirm(format!("Burnt: {}", family(&done)))?;
    }
    if done.rotate.is_empty() && done.replaced.is_empty() {
        ctx.out.say("it had nothing in plain: nothing is to be rotated");
        return Ok(());
    }
    list(&done, compose::now()).print(&ctx.out)?;
    if !done.rotate.is_empty() {
        ctx.out.say("make a new value where each is used, then hq-vault store PATH: that clears its mark");
    }
    Ok(())
}

fn family(done: &TokenBurnt) -> String {
    match done.ended {
        0 => format!("{}, which had ended already", done.ancestry),
        1 => done.ancestry.clone(),
        2 => format!("{} and 1 other of its family", done.ancestry),
        n => format!("{} and {} others of its family", done.ancestry, n - 1),
    }
}

fn list(done: &TokenBurnt, now: Timestamp) -> Table {
    let mut table = Table::new().left("TO DO").left("PATH").right("VERSION").left("LAST").yielding("HAD BY");
    for version in &done.rotate {
        let deleted = version.state == "deleted";
        row(&mut table, version, if deleted { "rotate (deleted here)" } else { "rotate" }, Tone::Bad, now);
    }
    for version in &done.replaced {
        row(&mut table, version, "replaced already", Tone::Dim, now);
    }
    table
}

fn row(table: &mut Table, version: &BurntVersion, what: &str, tone: Tone, now: Timestamp) {
    let (number, last) = (version.version.to_string(), ago(&version.last_at, now));
    let by = version.by.join(", ");
    table.row([
        (what, tone),
        (version.path.as_str(), Tone::Plain),
        (number.as_str(), Tone::Plain),
        (last.as_str(), Tone::Dim),
        (by.as_str(), Tone::Plain),
    ]);
}
