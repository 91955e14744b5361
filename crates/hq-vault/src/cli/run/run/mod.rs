//! `run`: a program with secrets in its environment, masked in what it writes.
//!
//! Without masking we become the program, and nothing stands between it and the terminal. With masking its output
//! goes through us (`hqv_sys::process::child`): masking in the program itself would end with the program's crash.

mod environment;
mod sink;
mod template;

use std::collections::{BTreeSet, HashMap, HashSet};

use hqv_engine::transfer::{self, Entry};
use hqv_mask::Masker;
use hqv_model::{EnvName, SecretBytes, SecretPath};
use hqv_sys::process::child::{self, Ending};

use crate::cli::args::run::Args;
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::cli::variables::{Chosen, Variables};
use environment::Environment;
use sink::Masked;
use template::Template;

/// What a value is replaced by.
const REPLACEMENT: &[u8] = b"[secret]";

/// Fetches, starts, carries the output, and ends as the program does.
pub fn run(ctx: &Context, args: Args) -> Result<(), Failure> {
    let mut environment = Environment::inherited(ctx, args.pass_token)?;
    let given = fetch(ctx, &args)?;
    let is_file = |name: &EnvName| args.file.iter().any(|(file, _)| file == name);
    let mut program = environment.program(&args.command)?;
    for entry in given.filled.iter().chain(&given.entries) {
        if is_file(&entry.name) {
            environment.file(&mut program, entry)?;
        } else {
            environment.variable(entry)?;
        }
    }
    let masker = if args.no_mask { None } else { masker(ctx, &given, &environment) };
    drop(given);
    environment.give(&mut program);
    drop(environment);
    let Some(masker) = masker else {
        return Err(unstarted(&args, program.replace().raw_os_error().unwrap_or_default()));
    };
    let ending = child::run(program, &mut Masked::new(&masker))
        .map_err(|error| Failure::io("cannot start a process", &error))?;
    match ending {
        Ending::Code(0) => Ok(()),
        Ending::Code(code) => Err(Failure::ended(u8::try_from(code).unwrap_or(1))),
        Ending::Signal(signal) => Err(Failure::ended(u8::try_from(128 + signal).unwrap_or(255))),
        Ending::Unstarted(code) => Err(unstarted(&args, code)),
    }
}

/// What the program is given.
struct Given {
    /// Secrets, each a variable or a file.
    entries: Vec<Entry>,
    /// Variables of a template; only the secrets in them are masked.
    filled: Vec<Entry>,
    /// Those secrets.
    values: HashMap<SecretPath, SecretBytes>,
}

/// One request, which is one use; with several prefixes one for each.
fn fetch(ctx: &Context, args: &Args) -> Result<Given, Failure> {
    let template = args.env_file.as_deref().map(Template::read).transpose()?;
    let named: Vec<(EnvName, SecretPath)> = args.env.iter().chain(&args.file).cloned().collect();
    let mut chosen = match &template {
        Some(_) => Chosen { prefixes: args.prefix.clone(), env: named },
        None => Chosen::of(ctx, &args.prefix, &named)?,
    };
    chosen.prefixes.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    chosen.prefixes.dedup();
    let referred = template.as_ref().map(Template::secrets).unwrap_or_default();
    let mut given = Given { entries: Vec::new(), filled: Vec::new(), values: HashMap::new() };
    if !(chosen.prefixes.is_empty() && chosen.env.is_empty() && referred.is_empty()) {
        let link = Link::open(ctx)?.claiming("run");
        let prefix = chosen.prefixes.first();
        let first = Variables { prefix, depth: args.depth, named: &chosen.env, referred: &referred };
        let fetched = first.fetch(ctx, &link)?;
        (given.entries, given.values) = (fetched.entries, fetched.values);
        for prefix in chosen.prefixes.iter().skip(1) {
            let prefix = Some(prefix);
            let more = Variables { prefix, depth: args.depth, named: &[], referred: &BTreeSet::new() };
            given.entries.extend(more.fetch(ctx, &link)?.entries);
        }
    }
    transfer::check_unique(&given.entries)?;
    if let Some(template) = &template {
        given.filled = template.fill(&given.values)?;
        // What is chosen on the command line goes before what the file says.
        let taken: HashSet<&EnvName> = given.entries.iter().map(|entry| &entry.name).collect();
        given.filled.retain(|entry| !taken.contains(&entry.name));
    }
    Ok(given)
}

/// None where there is nothing to mask.
fn masker(ctx: &Context, given: &Given, environment: &Environment) -> Option<Masker> {
    let entries = given.entries.iter().map(|entry| (&entry.path, &entry.value));
    let secrets: Vec<(&SecretPath, &SecretBytes)> = entries.chain(&given.values).collect();
    let values: Vec<&SecretBytes> =
        secrets.iter().map(|(_, value)| *value).chain(environment.token()).collect();
    let (masker, short) = Masker::new(values, REPLACEMENT);
    for (path, _) in short.iter().filter_map(|short| secrets.get(short.index)) {
        ctx.out.warn(format!("{path} is too short to be masked in the output"));
    }
    (!masker.is_empty()).then_some(masker)
}

/// The shells' codes: 127 not there, 126 not executable.
fn unstarted(args: &Args, code: i32) -> Failure {
    let name = args.command.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let error = std::io::Error::from_raw_os_error(code);
    let why = crate::cli::output::error::reason(&error);
    let code = if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 };
    Failure::not_run(
        code,
        format!("cannot run {}: {why}", crate::settings::paths::shown(std::path::Path::new(&name))),
    )
}
