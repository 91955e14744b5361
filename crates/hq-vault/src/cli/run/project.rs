//! `project init`: proposes the project file, and writes it where somebody agrees.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hqv_api::ListQuery;
use hqv_engine::transfer::Reader;
use hqv_engine::transfer::import;
use hqv_model::{Code, EnvName, Prefix};

use crate::cli::args::project::{Init, Verb};
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::passphrase;
use crate::cli::run::inject;
use crate::project::NAME;
use crate::settings::paths::shown;

/// Runs the verb.
pub fn run(ctx: &Context, verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::Init(args) => init(ctx, args),
    }
}

fn init(ctx: &Context, args: &Init) -> Result<(), Failure> {
    let target = Path::new(NAME);
    if !args.force && std::fs::symlink_metadata(target).is_ok() {
        return Err(Failure::of(Code::AlreadyExists, format!("{NAME} is there already"))
            .hint("--force writes over it"));
    }
    let names = names(ctx, args)?;
    let proposal = if names.is_empty() { Proposal::default() } else { propose(ctx, args, names)? };
    if args.prefix.is_none() && proposal.found.is_empty() {
        return Err(Failure::of(Code::NotFound, "there is nothing to propose").hint(
            "name a prefix (--prefix myapp/) or a .env whose variables the vault has (--env-file FILE)",
        ));
    }
    let text = proposal.text(args.prefix.as_ref())?;
    ctx.out.bytes(text.as_bytes())?;
    if !args.yes && !agrees() {
        return Err(
            Failure::refused(format!("{NAME} was not written")).hint("--yes writes it without asking")
        );
    }
    hqv_sys::files::write_atomic(target, text.as_bytes(), 0o644)
        .map_err(|e| Failure::io(format!("cannot write {NAME}"), &e))?;
    ctx.out.say(format!("written: {NAME}; programs get the secrets with: hq-vault run -- CMD"));
    Ok(())
}

fn agrees() -> bool {
    let asked = passphrase::person_is_there();
    let answer = || hqv_sys::tty::read_line_visible(&format!("Write {NAME}? [y/N] "), 16);
    asked && answer().is_ok_and(|text| matches!(text.trim(), "y" | "Y" | "yes" | "Yes"))
}

/// The variables of the `.env`, without their values.
fn names(ctx: &Context, args: &Init) -> Result<Vec<EnvName>, Failure> {
    let usual = PathBuf::from(".env");
    let file = match &args.env_file {
        Some(file) => file,
        None if usual.is_file() => &usual,
        None => return Ok(Vec::new()),
    };
    let bytes = inject::read(file)?;
    let reading = import::agreed(&bytes)?.or_else(|_| import::read(Reader::Dotenv, &bytes))?;
    for problem in &reading.problems {
        ctx.out.warn(format!("{} line {} {}", shown(file), problem.line, problem.what));
    }
    let (variables, _) = reading.last();
    Ok(variables.into_iter().map(|one| one.name).collect())
}

/// Variables and what was found for them.
#[derive(Default)]
struct Proposal {
    found: Vec<(EnvName, String)>,
    /// Nothing, or more than one thing.
    open: Vec<(EnvName, Vec<String>)>,
}

fn propose(ctx: &Context, args: &Init, names: Vec<EnvName>) -> Result<Proposal, Failure> {
    let everything = ctx.ask(async |client| client.list_all(&ListQuery::default()).await)?;
    let mut by_name: BTreeMap<EnvName, Vec<String>> = BTreeMap::new();
    for entry in everything.entries {
        let kept = entry.metadata.env.as_deref().and_then(|env| EnvName::parse(env).ok());
        let last = entry.path.rsplit('/').next().unwrap_or(&entry.path);
        let whole = EnvName::from_rest(&entry.path);
        let mut all = vec![kept.unwrap_or_else(|| EnvName::from_rest(last)), whole];
        all.dedup();
        for name in all {
            by_name.entry(name).or_default().push(entry.path.clone());
        }
    }
    let near = |path: &String| args.prefix.as_ref().is_some_and(|prefix| path.starts_with(prefix.as_str()));
    // The prefix names it so already.
    let is_given = |name: &EnvName, path: &str| {
        let rest = args.prefix.as_ref().and_then(|prefix| path.strip_prefix(prefix.as_str()));
        rest.is_some_and(|rest| EnvName::from_rest(rest) == *name)
    };
    let mut proposal = Proposal::default();
    for name in names {
        let all = by_name.remove(&name).unwrap_or_default();
        let below: Vec<String> = all.iter().filter(|path| near(path)).cloned().collect();
        match (below.as_slice(), all.as_slice()) {
            ([one], _) if is_given(&name, one) => {}
            ([one], _) | ([], [one]) => proposal.found.push((name, one.clone())),
            ([], _) => proposal.open.push((name, all)),
            (_, _) => proposal.open.push((name, below)),
        }
    }
    Ok(proposal)
}

impl Proposal {
    fn text(&self, prefix: Option<&Prefix>) -> Result<String, Failure> {
        let mut text = String::from("# Which secrets this project's programs get: hq-vault run -- CMD\n");
        if let Some(prefix) = prefix {
            text.push_str(&format!("prefix = {}\n", quoted(prefix.as_str())?));
        }
        if !self.found.is_empty() || !self.open.is_empty() {
            text.push_str("\n[env]\n");
        }
        for (name, path) in &self.found {
            text.push_str(&format!("{name} = {}\n", quoted(path)?));
        }
        for (name, paths) in &self.open {
            let why = match paths.len() {
                0 => "the vault has no secret of this name".to_owned(),
                _ => format!(
                    "one of {}",
                    paths.iter().map(|p| quoted(p)).collect::<Result<Vec<_>, _>>()?.join(", ")
                ),
            };
            text.push_str(&format!("# {name} = \"\"   {why}\n"));
        }
        Ok(text)
    }
}

/// A basic string of TOML, which escapes as JSON does.
fn quoted(text: &str) -> Result<String, Failure> {
    serde_json::to_string(text).map_err(|_| Failure::internal("a path could not be written"))
}
