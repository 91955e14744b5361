//! `agents setup`: looks, shows, asks, writes.
//!
//! `harness` says what goes where, `block` and `json_edit` how it is joined to a file so that it can be taken
//! away again to the byte, `plan` what that means on this disk, `apply` does it.

mod apply;
mod block;
mod diff;
mod harness;
mod json_edit;
mod json_scan;
mod plan;

use std::path::{Path, PathBuf};

use crate::cli::args::agents::{AgentName, Setup, Verb};
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::passphrase;
use crate::settings::paths::shown;
use plan::Change;

/// Runs the verb.
pub fn run(ctx: &Context, verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::Setup(args) => setup(ctx, args),
    }
}

fn setup(ctx: &Context, args: &Setup) -> Result<(), Failure> {
    let root = root(&args.dir)?;
    let changes = changes(&root, &agents(&root, args)?, args.remove)?;
    let needed: Vec<Change> = changes.into_iter().filter(Change::is_needed).collect();
    let text: String =
        needed.iter().map(|c| diff::unified(c.name, c.before.as_deref(), c.after.as_deref())).collect();
    if args.print {
        return tell(ctx, &needed, &text);
    }
    if needed.is_empty() {
        ctx.out.say(if args.remove { "nothing of hq-vault is there" } else { "it is all there already" });
        return if ctx.out.json { document(ctx, &needed) } else { Ok(()) };
    }
    ctx.out.say(text.trim_end());
    if !args.yes && passphrase::person_is_there() {
        confirm(args)?;
    }
    apply::apply(&needed)?;
    if ctx.out.json {
        return document(ctx, &needed);
    }
    needed.iter().try_for_each(|change| ctx.out.line(format!("{} {}", done(change), change.name)))
}

/// What would be done is the data here.
fn tell(ctx: &Context, needed: &[Change], text: &str) -> Result<(), Failure> {
    if ctx.out.json {
        return document(ctx, needed);
    }
    if needed.is_empty() {
        ctx.out.say("nothing would change");
    }
    ctx.out.bytes(text.as_bytes())
}

fn document(ctx: &Context, needed: &[Change]) -> Result<(), Failure> {
    let files: Vec<_> = needed
        .iter()
        .map(
            |c| serde_json::json!({ "path": c.name, "change": done(c).trim_end_matches(':').to_lowercase() }),
        )
        .collect();
    ctx.out.document(&serde_json::json!({ "files": files }))
}

fn done(change: &Change) -> &'static str {
    match (&change.before, &change.after) {
        (None, _) => "Made:",
        (_, None) => "Removed:",
        _ => "Changed:",
    }
}

fn confirm(args: &Setup) -> Result<(), Failure> {
    let what = if args.remove { "Take this away?" } else { "Write this?" };
    match hqv_sys::tty::read_line_visible(&format!("{what} [y/N] "), 16) {
        Ok(answer) if matches!(answer.trim(), "y" | "Y" | "yes" | "Yes") => Ok(()),
        _ => Err(Failure::refused("nothing was written")),
    }
}

/// The project's directory without links, so that a file's place can be compared with it.
fn root(dir: &Path) -> Result<PathBuf, Failure> {
    let root = dir.canonicalize().map_err(|e| Failure::io(format!("cannot use {}", shown(dir)), &e))?;
    if root.is_dir() { Ok(root) } else { Err(Failure::usage(format!("{} is no directory", shown(dir)))) }
}

/// Those named; else those that are there; to remove, all.
fn agents(root: &Path, args: &Setup) -> Result<Vec<AgentName>, Failure> {
    if !args.agents.is_empty() {
        return Ok(args.agents.clone());
    }
    if args.remove {
        return Ok(harness::ALL.to_vec());
    }
    let there = |agent: &AgentName| {
        harness::signs(*agent).iter().any(|sign| root.join(sign).symlink_metadata().is_ok())
    };
    let found: Vec<AgentName> = harness::ALL.into_iter().filter(there).collect();
    if found.is_empty() {
        let names = harness::ALL.map(harness::name).join(", ");
        return Err(Failure::usage(format!("no agent's files are in {}", shown(root)))
            .hint(format!("name the agent: hq-vault agents setup NAME (one or more of {names})")));
    }
    Ok(found)
}

/// One change a file, also where two names lead to it.
fn changes(root: &Path, agents: &[AgentName], remove: bool) -> Result<Vec<Change>, Failure> {
    let mut all: Vec<Change> = Vec::new();
    for target in agents.iter().flat_map(|agent| harness::targets(*agent)) {
        let change = plan::plan(root, &target, remove)?;
        if all.iter().all(|other| other.path != change.path) {
            all.push(change);
        }
    }
    Ok(all)
}
