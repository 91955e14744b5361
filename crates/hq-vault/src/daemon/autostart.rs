//! Starting the daemon for a command that needs it, as ssh-agent helpers do.
//!
//! Commands that start one at the same moment take turns (`start::turn`): the
//! second finds the first one's daemon answering.

use std::path::Path;

use crate::cli::context::Context;
use crate::cli::link;
use crate::cli::output::error::Failure;
use crate::daemon::options::Options;
use crate::daemon::start;

/// Starts the daemon, locked.
pub fn start(ctx: &Context, socket: &Path) -> Result<(), Failure> {
    if !ctx.settings.dir.holds_vault() {
        return Err(link::no_vault(ctx));
    }
    begin(ctx, socket, &Options::default())
}

/// The same where no vault is yet: `init` needs somebody to make it.
pub fn start_for_init(ctx: &Context, options: &Options) -> Result<(), Failure> {
    begin(ctx, &ctx.settings.dir.socket()?, options)
}

fn begin(ctx: &Context, socket: &Path, options: &Options) -> Result<(), Failure> {
    let _turn = start::turn(&ctx.settings)?;
    if answers(socket) {
        return Ok(());
    }
    start::background(&ctx.settings, options).map(drop)
}

fn answers(socket: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(socket).is_ok()
}
