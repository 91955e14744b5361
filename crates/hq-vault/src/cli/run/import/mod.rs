//! `import`: the values of an environment file, all of them or none.

mod plan;
mod scan;
mod source;

use std::path::Path;

use hqv_api::{ImportAnswer, ImportRequest, ImportSecret, ListQuery};
use hqv_engine::ops::import::OnConflict;
use hqv_model::Prefix;

use crate::cli::args::import::Args;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::output::table::{Table, Tone};
use crate::settings::paths::shown;

use plan::Item;

/// Reads the file, says what it would do or does it.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    if let Some(folder) = &args.scan {
        return scan::run(ctx, folder);
    }
    let (Some(file), Some(prefix)) = (&args.file, &args.prefix) else {
        return Err(Failure::usage("import takes a FILE and a --prefix"));
    };
    if args.replace {
        source::can_be_replaced(args, file)?;
    }
    let found = source::read(ctx, args, file)?;
    let items = plan::plan(prefix, found.assignments)?;
    if args.dry_run {
        return show(ctx, prefix, &items, args.on_conflict);
    }
    for (line, name) in &found.undone {
        ctx.out.warn(format!("line {line}: {name} is set again below; the last one is taken"));
    }
    let request = ImportRequest {
        secrets: items.iter().map(secret).collect(),
        on_conflict: Some(args.on_conflict.as_str().to_owned()),
    };
    let done = ctx.ask(async |client| client.import(&request).await)?;
    drop(request);
    if args.replace {
        replace(ctx, file, &found.bytes, &items, &done)?;
        let place = place(prefix);
        ctx.out.say(format!("programs get the values with: hq-vault run --prefix {place} -- CMD"));
    }
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    ctx.out.confirm(summary(prefix, &done))
}

fn secret(item: &Item) -> ImportSecret {
    let env = item.env().map(ToString::to_string);
    ImportSecret::of(item.path.as_str().to_owned(), item.value.reveal(), env)
}

/// `✅ Imported: 12 secrets under myapp/ (2 overwritten, 1 skipped)`
fn summary(prefix: &Prefix, done: &ImportAnswer) -> String {
    let count = |word: &str| done.secrets.iter().filter(|one| one.became == word).count();
    let stored = done.secrets.len() - count("skipped");
    let noun = if stored == 1 { "secret" } else { "secrets" };
    let words = ["overwritten", "renamed", "skipped"].map(|word| (count(word), word));
    let more: Vec<_> = words.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    format!("✅ Imported: {stored} {noun} under {}{more}", place(prefix))
}

fn place(prefix: &Prefix) -> String {
    let text = hqv_model::escape_controls(prefix.as_str());
    if text.is_empty() { "/".to_owned() } else { text.into_owned() }
}

/// What would be stored where. The vault is only looked at, where it can be.
fn show(ctx: &Context, prefix: &Prefix, items: &[Item], way: OnConflict) -> Result<(), Failure> {
    let query = ListQuery { prefix: Some(prefix.as_str().to_owned()), ..ListQuery::default() };
    let there = ctx.ask(async |client| client.list_all(&query).await);
    if let Err(failure) = &there {
        ctx.out.say(format!("what stands in the vault is not shown: {}", failure.message()));
    }
    let paths: std::collections::HashSet<String> =
        there.map(|list| list.entries.into_iter().map(|entry| entry.path).collect()).unwrap_or_default();
    let becomes = |item: &Item| match (paths.contains(item.path.as_str()), way) {
        (false, _) => "new",
        (true, OnConflict::Fail) => "there already",
        (true, OnConflict::Skip) => "kept as it is",
        (true, OnConflict::Overwrite) => "new version",
        (true, OnConflict::Rename) => "renamed",
    };
    if ctx.out.json {
        let rows = items.iter().map(|item| {
            serde_json::json!({"path": item.path.as_str(), "variable": item.name.as_str(),
                "bytes": item.value.len(), "line": item.line, "becomes": becomes(item)})
        });
        return ctx.out.document(&serde_json::json!({ "secrets": rows.collect::<Vec<_>>() }));
    }
    let mut table = Table::new().left("PATH").right("BYTES").left("VARIABLE").left("BECOMES");
    for item in items {
        let bytes = item.value.len().to_string();
        table.row([
            (item.path.as_str(), Tone::Plain),
            (bytes.as_str(), Tone::Plain),
            (item.name.as_str(), Tone::Plain),
            (becomes(item), Tone::Dim),
        ]);
    }
    table.print(&ctx.out)?;
    ctx.out.say("nothing was stored (--dry-run)");
    Ok(())
}

/// A file of references, where the old one still holds what was read.
fn replace(
    ctx: &Context,
    file: &Path,
    read: &[u8],
    items: &[Item],
    done: &ImportAnswer,
) -> Result<(), Failure> {
    let failed = |e: &std::io::Error| {
        Failure::io(format!("the values are stored, but {} could not be replaced", shown(file)), e)
    };
    // Behind a link it is the file that is replaced.
    let real = std::fs::canonicalize(file).map_err(|e| failed(&e))?;
    if source::bytes(&real)?.as_slice() != read {
        return Err(Failure::conflict(format!("{} was changed meanwhile; it was not replaced", shown(file)))
            .hint("the values that were read are stored; look at the file, then import it again"));
    }
    let mut text = String::new();
    for (item, stored) in items.iter().zip(&done.secrets) {
        text.push_str(&plan::reference(&item.name, &stored.path)?);
    }
    hqv_sys::files::write_atomic(&real, text.as_bytes(), 0o600).map_err(|e| failed(&e))?;
    ctx.out.say(format!("replaced: {} (references; comments are gone)", shown(file)));
    ctx.out.say(
        "the old values may remain on the disk, in backups, editors' copies and git; rotate what was shared",
    );
    Ok(())
}
