//! `exposed`: the ledger as a table, a line for each identity and version.

use hqv_api::{ExposedQuery, Exposure};
use hqv_model::Timestamp;

use crate::cli::args::exposed::Args;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::output::table::{Table, Tone};
use crate::cli::run::list::ago;
use crate::cli::run::token::text;
use crate::compose;

/// Shows all pages.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    let query = ExposedQuery {
        token: args.token.as_ref().map(text),
        path: args.path.as_ref().map(|path| path.as_str().to_owned()),
        since: args.since.clone(),
        ..ExposedQuery::default()
    };
    let found = ctx.ask(async |client| client.exposed_all(&query).await)?;
    if ctx.out.json {
        return ctx.out.document(&found);
    }
    if found.exposures.is_empty() {
        ctx.out.say("nobody had any of it");
        return Ok(());
    }
    let now = compose::now();
    let mut table = Table::new()
        .left("PATH")
        .right("VERSION")
        .left("WHO")
        .left("HAD IT")
        .left("BY")
        .left("LAST")
        .left("STATE");
    for line in &found.exposures {
        row(&mut table, line, now);
    }
    table.print(&ctx.out)
}

fn row(table: &mut Table, line: &Exposure, now: Timestamp) {
    let (version, who) = (line.version.to_string(), who(line));
    let (by, last) = (by(line), ago(&line.last_at, now));
    let had = if line.seen { ("in plain", Tone::Plain) } else { ("not seen", Tone::Dim) };
    let state = match &line.exposed_since {
        Some(_) => ("exposed", Tone::Bad),
        None => (line.state.as_str(), Tone::Plain),
    };
    table.row([
        (line.path.as_str(), Tone::Plain),
        (version.as_str(), Tone::Plain),
        (who.as_str(), Tone::Plain),
        had,
        (by.as_str(), Tone::Plain),
        (last.as_str(), Tone::Dim),
        state,
    ]);
}

fn who(line: &Exposure) -> String {
    let said = &line.identity;
    match (said.kind.as_str(), &said.name, &said.id) {
        ("token", Some(name), _) => name.clone(),
        ("session", ..) => "owner".to_owned(),
        ("peer" | "nobody", ..) => "a person".to_owned(),
        (_, _, Some(id)) => id.clone(),
        (kind, ..) => kind.to_owned(),
    }
}

/// The ways, and in brackets what the clients said they were doing.
fn by(line: &Exposure) -> String {
    let ways = line.channels.join(", ");
    if line.claims.is_empty() { ways } else { format!("{ways} ({})", line.claims.join(", ")) }
}
