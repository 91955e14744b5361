//! `run`: a program with secrets in its environment, masked in what it writes.
//!
//! Without masking we become the program, and nothing stands between it and the terminal. With masking its output
//! goes through us (`hqv_sys::process::child`): masking in the program itself would end with the program's crash.

mod environment;
mod sink;

use hqv_engine::transfer::{self, Entry};
use hqv_mask::Masker;
use hqv_model::{EnvName, SecretBytes, SecretPath};
use hqv_sys::process::child::{self, Ending};

use crate::cli::args::run::Args;
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::cli::variables::Variables;
use environment::Environment;
use sink::Masked;

/// What a value is replaced by.
const REPLACEMENT: &[u8] = b"[secret]";

/// Fetches, starts, carries the output, and ends as the program does.
pub fn run(ctx: &Context, args: Args) -> Result<(), Failure> {
    let mut environment = Environment::inherited(ctx, args.pass_token)?;
    let entries = fetch(ctx, &args)?;
    let is_file = |name: &EnvName| args.file.iter().any(|(file, _)| file == name);
    let mut program = environment.program(&args.command)?;
    for entry in &entries {
        if is_file(&entry.name) {
            environment.file(&mut program, entry)?;
        } else {
            environment.variable(entry)?;
        }
    }
    let masker = if args.no_mask { None } else { masker(ctx, &entries, &environment) };
    drop(entries);
    environment.give(&mut program);
    drop(environment);
    let Some(masker) = masker else {
        return Err(unstarted(&args, program.replace().raw_os_error().unwrap_or_default()));
    };
    let ending = child::run(&program, &mut Masked::new(&masker))
        .map_err(|error| Failure::io("cannot start a process", &error))?;
    match ending {
        Ending::Code(0) => Ok(()),
        Ending::Code(code) => Err(Failure::ended(u8::try_from(code).unwrap_or(1))),
        Ending::Signal(signal) => Err(Failure::ended(u8::try_from(128 + signal).unwrap_or(255))),
        Ending::Unstarted(code) => Err(unstarted(&args, code)),
    }
}

/// One request, which is one use; with several prefixes one for each.
fn fetch(ctx: &Context, args: &Args) -> Result<Vec<Entry>, Failure> {
    let named: Vec<(EnvName, SecretPath)> = args.env.iter().chain(&args.file).cloned().collect();
    let mut prefixes = args.prefix.clone();
    prefixes.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    prefixes.dedup();
    if prefixes.is_empty() && named.is_empty() {
        return Err(Failure::usage("which secrets the program shall have is not said")
            .hint("name a prefix (--prefix myapp/) or a secret (--env NAME=PATH)"));
    }
    let link = Link::open(ctx)?.claiming("run");
    let first = Variables { prefix: prefixes.first(), depth: args.depth, named: &named };
    let mut entries = first.fetch(ctx, &link)?;
    for prefix in prefixes.iter().skip(1) {
        let more = Variables { prefix: Some(prefix), depth: args.depth, named: &[] };
        entries.extend(more.fetch(ctx, &link)?);
    }
    transfer::check_unique(&entries)?;
    Ok(entries)
}

/// None where there is nothing to mask.
fn masker(ctx: &Context, entries: &[Entry], environment: &Environment) -> Option<Masker> {
    let token = environment.token();
    let values: Vec<&SecretBytes> = entries.iter().map(|entry| &entry.value).chain(token).collect();
    let (masker, short) = Masker::new(values, REPLACEMENT);
    for entry in short.iter().filter_map(|short| entries.get(short.index)) {
        ctx.out.warn(format!("{} is too short to be masked in the output", entry.path));
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
