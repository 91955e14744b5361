//! `import --scan DIR`: the environment files below a folder, with names and counts, never values.

use std::path::{Path, PathBuf};

use hqv_engine::transfer::Reader;
use hqv_engine::transfer::import;

use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::output::table::{Table, Tone};
use crate::settings::paths::shown;

use super::source;

/// Folders that hold other people's files, or copies.
const SKIPPED: &[&str] = &[".git", "node_modules", "target", ".venv"];
/// Folders that are looked into at most.
const MOST: usize = 100_000;

struct Seen {
    file: PathBuf,
    count: usize,
    names: String,
}

/// Lists them. Links are not followed.
pub fn run(ctx: &Context, folder: &Path) -> Result<(), Failure> {
    if !folder.is_dir() {
        return Err(Failure::usage(format!("{} is no folder that can be read", shown(folder))));
    }
    let seen: Vec<Seen> = files(ctx, folder).into_iter().map(look).collect();
    if ctx.out.json {
        let rows = seen.iter().map(|one| {
            serde_json::json!({"file": shown(&one.file).to_string(), "variables": one.count, "names": one.names})
        });
        return ctx.out.document(&serde_json::json!({ "files": rows.collect::<Vec<_>>() }));
    }
    if seen.is_empty() {
        ctx.out.say(format!("no .env file below {}", shown(folder)));
        return Ok(());
    }
    let mut table = Table::new().left("FILE").right("VARIABLES").yielding("NAMES");
    for one in &seen {
        let (file, count) = (shown(&one.file).to_string(), one.count.to_string());
        table.row([
            (file.as_str(), Tone::Plain),
            (count.as_str(), Tone::Plain),
            (one.names.as_str(), Tone::Dim),
        ]);
    }
    table.print(&ctx.out)
}

fn files(ctx: &Context, folder: &Path) -> Vec<PathBuf> {
    let (mut waiting, mut found, mut looked) = (vec![folder.to_owned()], Vec::new(), 0);
    while let Some(folder) = waiting.pop() {
        looked += 1;
        if looked > MOST {
            ctx.out.warn(format!("more than {MOST} folders; the rest was not looked into"));
            break;
        }
        let Ok(entries) = std::fs::read_dir(&folder) else {
            ctx.out.warn(format!("cannot look into {}", shown(&folder)));
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !SKIPPED.contains(&&*name) => waiting.push(entry.path()),
                Ok(kind) if kind.is_file() && name.starts_with(".env") => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// The names are shown only where every line is an assignment: elsewhere one may be a piece of a value.
fn look(file: PathBuf) -> Seen {
    let reading = source::bytes(&file).and_then(|bytes| Ok(import::read(Reader::Dotenv, &bytes)?));
    match reading {
        Err(failure) => Seen { file, count: 0, names: failure.message().to_owned() },
        Ok(reading) if !reading.problems.is_empty() => {
            let lines = reading.problems.len();
            Seen {
                file,
                count: reading.assignments.len(),
                names: format!("({lines} lines are no assignment)"),
            }
        }
        Ok(reading) => {
            let (last, _) = reading.last();
            let names: Vec<&str> = last.iter().map(|one| one.name.as_str()).collect();
            Seen { file, count: names.len(), names: names.join(" ") }
        }
    }
}
