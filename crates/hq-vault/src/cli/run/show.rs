//! `show`: metadata and versions, never a value.

use hqv_api::ShowAnswer;

use crate::cli::args::show::Args;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::output::table::{Table, Tone};
use crate::cli::run::list::ago;
use crate::cli::run::suggest;
use crate::compose;

/// Shows one secret.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    let found = ctx.ask(async |client| client.show(args.path.as_str()).await);
    let found = found.map_err(|failure| suggest::near(ctx, &args.path, failure))?;
    if ctx.out.json {
        return ctx.out.document(&found);
    }
    facts(ctx, &found)?;
    versions(&found).print(&ctx.out)
}

fn facts(ctx: &Context, found: &ShowAnswer) -> Result<(), Failure> {
    let now = compose::now();
    let meta = &found.metadata;
    let tags = meta.tags.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(", ");
    let expires = meta.expires.as_ref().map(|at| format!("{at} ({})", ago(at, now))).unwrap_or_default();
    let exposed =
        meta.exposed_since.as_ref().map(|at| format!("{}: rotate it", ago(at, now))).unwrap_or_default();
    let lines = [
        ("path", found.path.clone()),
        ("id", meta.id.clone()),
        ("type", meta.kind.clone()),
        ("description", meta.description.clone()),
        ("tags", tags),
        ("variable", meta.env.clone().unwrap_or_default()),
        ("expires", expires),
        ("exposed", exposed),
        ("created", ago(&found.created_at, now)),
        ("changed", ago(&found.updated_at, now)),
    ];
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        ctx.out.line(format!("{name:<12} {}", hqv_model::escape_controls(value)))?;
    }
    ctx.out.line("")
}

fn versions(found: &ShowAnswer) -> Table {
    let mut table = Table::new().right("VERSION").left("STORED").right("BYTES").left("ROUTE").yielding("BY");
    let now = compose::now();
    for version in &found.versions {
        let (number, bytes) = (version.version.to_string(), version.bytes.to_string());
        let stored = ago(&version.created_at, now);
        table.row([
            (number.as_str(), Tone::Plain),
            (stored.as_str(), Tone::Dim),
            (bytes.as_str(), Tone::Plain),
            (version.route.as_str(), Tone::Plain),
            (version.written_by.as_str(), Tone::Plain),
        ]);
    }
    table
}
