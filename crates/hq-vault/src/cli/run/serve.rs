//! `serve`: foreground, `--daemon`, `--stop`, `--restart`.

use crate::cli::args::serve::Args;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::passphrase;
use crate::cli::run::init;
use crate::daemon::options::Options;
use crate::daemon::{foreground, listen, start, state_files, stop};

/// Does what the flags say.
pub fn run(ctx: &Context, args: Args) -> Result<(), Failure> {
    let options = Options::of(&args)?;
    if args.stop {
        no_options(&options, "--stop")?;
        return stopped(ctx);
    }
    if args.restart {
        return restart(ctx, options);
    }
    let new =
        !ctx.settings.dir.holds_vault() && !start::is_child() && passphrase::person_is_there() && offer(ctx)?;
    if !args.daemon {
        return foreground::run(ctx, &options, new);
    }
    let started = {
        let _turn = start::turn(&ctx.settings)?;
        start::background(&ctx.settings, &options)?
    };
    if new {
        init::run(ctx, &Default::default())?;
    }
    ctx.out.confirm(started.sentence(&ctx.settings))
}

fn offer(ctx: &Context) -> Result<bool, Failure> {
    let question = format!("There is no vault in {} yet. Make one now? [Y/n] ", ctx.vault_name());
    match hqv_sys::tty::read_line_visible(&question, 16) {
        Ok(answer) if matches!(answer.trim(), "" | "y" | "Y" | "yes") => Ok(true),
        Ok(_) => {
            Err(Failure::refused("nothing was made and nothing runs").hint("hq-vault init makes a vault"))
        }
        Err(e) => Err(Failure::io("cannot ask on this terminal", &e)),
    }
}

fn stopped(ctx: &Context) -> Result<(), Failure> {
    match stop::stop(ctx)? {
        Some(pid) => ctx.out.confirm(format!("Stopped: the daemon (pid {pid}) of {}", ctx.vault_name())),
        None => Err(Failure::unreachable(format!("no daemon runs for {}", ctx.vault_name()))
            .hint("there is nothing to stop; hq-vault status says how things are")),
    }
}

/// The options that the daemon had, unless others are given now.
fn restart(ctx: &Context, given: Options) -> Result<(), Failure> {
    let had = state_files::options(&ctx.settings.dir).unwrap_or_default();
    let options = if given.is_empty() { had.clone() } else { given.clone().over(had.clone()) };
    other_port_is_free(ctx, given.port)?;
    let ran = stop::stop(ctx)?.is_some();
    let started = start::background(&ctx.settings, &options).map_err(|failure| {
        // Whoever asked for options that cannot be had does not lose the daemon that ran.
        let again = ran && !given.is_empty() && start::background(&ctx.settings, &had).is_ok();
        if again { failure.hint("the daemon runs again as it did before") } else { failure }
    })?;
    ctx.out.confirm(started.sentence(&ctx.settings))
}

/// Before anything is stopped. The daemon's own port is not free, and will be.
fn other_port_is_free(ctx: &Context, port: Option<u16>) -> Result<(), Failure> {
    match port.filter(|port| *port != 0 && Some(*port) != state_files::port(&ctx.settings.dir)) {
        Some(port) => listen::tcp(port, &[]).map(drop),
        None => Ok(()),
    }
}

fn no_options(options: &Options, with: &str) -> Result<(), Failure> {
    if options.is_empty() {
        Ok(())
    } else {
        Err(Failure::usage(format!("{with} takes no options of a start")))
    }
}
