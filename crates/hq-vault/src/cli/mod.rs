//! From the arguments to the exit code.
//!
//! A plain `get PATH` goes a short way (`fast`): the tree of all verbs is not
//! built for it. Everything else is parsed by clap, in `args`, and done by the
//! file of its verb in `run`.

pub mod args;
pub mod context;
mod fast;
pub mod identity;
pub mod input;
pub mod link;
pub mod output;
pub mod passphrase;
mod run;
mod usage;
pub mod variables;

use clap::Parser;

use crate::settings::Settings;
use crate::settings::env::Env;
use args::{Cli, Command, Global};
use context::Context;
use output::Out;
use output::error::Failure;

/// Runs the command that was typed and gives the process's exit code.
pub fn main(env: Env) -> u8 {
    let words = crate::compose::arguments();
    if let Some(path) = fast::plain_get(&words) {
        return with_context(env, Global::default(), Settings::resolve, |ctx| run::get::plain(ctx, &path));
    }
    let code = match Cli::try_parse_from(&words) {
        Ok(Cli { global, command: Command::Doctor(args) }) => {
            with_context(env, global, Settings::resolve_leniently, |ctx| run::doctor::run(ctx, &args))
        }
        Ok(Cli { global, command }) => {
            let resolve =
                if command.reads_project() { Settings::resolve_in_project } else { Settings::resolve };
            with_context(env, global, resolve, |ctx| dispatch(ctx, command))
        }
        Err(error) => usage::report(&error, &words),
    };
    run::env_file::fail_the_eval(&words, code);
    code
}

fn with_context(
    env: Env,
    flags: Global,
    resolve: fn(Env, Global) -> Result<Settings, Failure>,
    act: impl FnOnce(&Context) -> Result<(), Failure>,
) -> u8 {
    let json = flags.json;
    let settings = match resolve(env, flags) {
        Ok(settings) => settings,
        Err(failure) => {
            failure.report(None, json);
            return failure.exit();
        }
    };
    let out = Out::new(&settings);
    let ctx = Context::new(settings, out);
    match act(&ctx) {
        Ok(()) => 0,
        Err(failure) => {
            failure.report(Some(&ctx.out), json);
            failure.exit()
        }
    }
}

fn dispatch(ctx: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Tour(_) => run::tour::run(ctx),
        Command::Init(args) => run::init::run(ctx, &args),
        Command::Serve(args) => run::serve::run(ctx, args),
        Command::Unlock(args) => run::unlock::run(ctx, &args),
        Command::Lock(_) => run::lock::run(ctx),
        Command::Status(_) => run::status::run(ctx),
        Command::Whoami(_) => run::whoami::run(ctx),
        Command::Store(args) => run::store::run(ctx, args),
        Command::Get(args) => run::get::run(ctx, args),
        Command::List(args) => run::list::run(ctx, args),
        Command::Show(args) => run::show::run(ctx, &args),
        Command::Delete(args) => run::delete::run(ctx, &args),
        Command::Move(args) => run::relocate::rename(ctx, &args),
        Command::Copy(args) => run::relocate::copy(ctx, &args),
        Command::EnvFile(args) => run::env_file::run(ctx, args),
        Command::Run(args) => run::run::run(ctx, args),
        Command::Inject(args) => run::inject::run(ctx, &args),
        Command::Project(args) => run::project::run(ctx, &args.verb),
        Command::Import(args) => run::import::run(ctx, &args),
        Command::Ingest(args) => run::ingest::run(ctx, &args),
        Command::Ask(args) => run::ask::run(ctx, &args),
        Command::Pending(_) => run::pending::run(ctx),
        Command::Answer(args) => run::answer::run(ctx, &args),
        Command::Approve(args) => run::approve::run(ctx, &args),
        Command::Deny(args) => run::deny::run(ctx, &args),
        Command::EntryPrompt(args) => crate::entry::prompter::run(ctx, args.socket.as_deref()),
        Command::Token(args) => run::token::run(ctx, args.verb),
        Command::Thaw(args) => run::token_freeze::thaw(ctx, &args),
        Command::Exposed(args) => run::exposed::run(ctx, &args),
        Command::Burn(args) => run::burn::run(ctx, &args),
        Command::Audit(args) => run::audit::run(ctx, args),
        Command::Config(args) => run::config::run(ctx, args.verb),
        Command::Agents(args) => run::agents::run(ctx, &args.verb),
        Command::Session(args) => run::session::run(ctx, args.verb),
        Command::Service(args) => run::service::run(ctx, &args.verb),
        Command::ShellInit(args) => run::shell_init::run(ctx, args.shell),
        Command::Doctor(args) => run::doctor::run(ctx, &args),
        Command::Completions(args) => run::completions::run(ctx, args.shell),
        Command::Man(args) => run::man::run(ctx, &args),
        Command::Version(_) => run::version::run(ctx),
        Command::CompletePaths(args) => run::complete_paths::run(ctx, &args.text),
    }
}
