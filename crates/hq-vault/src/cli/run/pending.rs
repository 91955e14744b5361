//! `pending`: what waits for a person.

use hqv_api::{AskView, EntryAbout};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::output::table::{Table, Tone};
use crate::cli::run::list::ago;
use crate::compose;
use crate::entry::asker;

#[derive(Serialize)]
struct Pending {
    entries: Vec<EntryAbout>,
    asks: Vec<AskView>,
}

/// Lists entries and asks.
pub fn run(ctx: &Context) -> Result<(), Failure> {
    let found = ctx.ask(async |client| {
        let entries = client.entry_list().await?.entries;
        let asks = client.ask_list().await?.asks;
        Ok(Pending { entries, asks })
    })?;
    if ctx.out.json {
        return ctx.out.document(&found);
    }
    if found.entries.is_empty() && found.asks.is_empty() {
        ctx.out.say("nothing waits");
        return Ok(());
    }
    table(ctx, &found).print(&ctx.out)?;
    ctx.out.say("hq-vault answer CODE takes a value; hq-vault approve CODE shows a grant and asks");
    Ok(())
}

fn table(ctx: &Context, found: &Pending) -> Table {
    let mut table = Table::new().left("CODE").left("WANTED").left("WHAT").left("ENDS").yielding("ASKED BY");
    let (now, home) = (compose::now(), ctx.settings.home().map(|home| home.as_path()));
    for entry in &found.entries {
        let (ends, who) = (ago(&entry.expires_at, now), asker::shown(&entry.asker, home));
        let wanted = if entry.overwrite { "a new value" } else { "a value" };
        row(&mut table, [&entry.code, wanted, &entry.path, &ends, &who]);
    }
    for ask in &found.asks {
        let (ends, who) = (ago(&ask.expires_at, now), asker::shown(&ask.asker, home));
        let wanted = if ask.state == "approved" { "approved" } else { "a token" };
        // A row for each: what stands between two of them could stand in a path too.
        let mut rules = ask.rules.iter().map(|rule| rule.rule.as_str());
        row(&mut table, [&ask.code, wanted, rules.next().unwrap_or_default(), &ends, &who]);
        for rule in rules {
            row(&mut table, ["", "", rule, "", ""]);
        }
    }
    table
}

fn row(table: &mut Table, cells: [&str; 5]) {
    let [code, wanted, what, ends, who] = cells;
    table.row([
        (code, Tone::Plain),
        (wanted, Tone::Plain),
        (what, Tone::Plain),
        (ends, Tone::Dim),
        (who, Tone::Plain),
    ]);
}
