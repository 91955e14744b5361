//! `list`: what lies under a prefix.

use hqv_api::{ListAnswer, ListQuery};
use hqv_model::{SecretPath, Timestamp};

use crate::cli::args::list::Args;
use crate::cli::context::Context;
use crate::cli::identity::Acting;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::cli::output::table::{Table, Tone};
use crate::cli::output::time;
use crate::compose;

/// Lists all pages.
pub fn run(ctx: &Context, args: Args) -> Result<(), Failure> {
    let query = ListQuery {
        prefix: args.prefix.as_ref().map(|p| p.as_str().to_owned()).filter(|p| !p.is_empty()),
        kind: args.kind.map(|k| k.as_str().to_owned()),
        tag: args.tag.as_ref().map(|(key, value)| format!("{key}={value}")),
        ..ListQuery::default()
    };
    let link = Link::open(ctx)?;
    let (acting, found) = ctx.ask_acting(&link, async |client| client.list_all(&query).await)?;
    if ctx.out.json {
        return ctx.out.document(&found);
    }
    if found.entries.is_empty() {
        let place = args.prefix.as_ref().map(|p| p.as_str()).unwrap_or_default();
        ctx.out.say(match itself(&link, &acting, place) {
            Some(path) => format!("nothing under {place}, but {path} is a secret: hq-vault show {path}"),
            None if place.is_empty() => "nothing to list".to_owned(),
            None => format!("nothing under {place}"),
        });
        return Ok(());
    }
    table(&found).print(&ctx.out)
}

/// The secret whose path was taken for a prefix, where there is one that the caller may see.
fn itself(link: &Link<'_>, acting: &Acting, place: &str) -> Option<SecretPath> {
    let path = SecretPath::parse(place.strip_suffix('/').unwrap_or(place)).ok()?;
    let shown = link.run(Some(acting.credential()), async |client| client.show(path.as_str()).await);
    shown.is_ok().then_some(path)
}

fn table(found: &ListAnswer) -> Table {
    let mut table = Table::new().left("PATH").left("TYPE").right("VERSION").left("CHANGED");
    // A column of its own only where there is something to say.
    let exposed = found.entries.iter().any(|entry| entry.metadata.exposed_since.is_some());
    if exposed {
        table = table.left("EXPOSED");
    }
    table = table.yielding("DESCRIPTION");
    let now = compose::now();
    for entry in &found.entries {
        let version = entry.version.to_string();
        let changed = ago(&entry.updated_at, now);
        let since = entry.metadata.exposed_since.as_deref().map(|at| ago(at, now)).unwrap_or_default();
        let mut row = vec![
            (entry.path.as_str(), Tone::Plain),
            (entry.metadata.kind.as_str(), Tone::Plain),
            (version.as_str(), Tone::Plain),
            (changed.as_str(), Tone::Dim),
        ];
        if exposed {
            row.push((since.as_str(), Tone::Bad));
        }
        row.push((entry.metadata.description.as_str(), Tone::Plain));
        table.row(row);
    }
    table
}

/// A moment of the wire as people say it; as it came where it cannot be read.
pub fn ago(text: &str, now: Timestamp) -> String {
    match Timestamp::parse_rfc3339(text) {
        Ok(moment) => time::relative(moment, now),
        Err(_) => text.to_owned(),
    }
}
