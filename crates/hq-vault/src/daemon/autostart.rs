//! Starting the daemon for a command that needs it, as ssh-agent helpers do.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::cli::context::Context;
use crate::cli::link;
use crate::cli::output::error::Failure;
use crate::daemon::options::Options;
use crate::daemon::start;

/// How long another starter may need.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts the daemon, locked. Where another command does so at this moment,
/// that one's daemon is waited for.
pub fn start(ctx: &Context, socket: &Path) -> Result<(), Failure> {
    if !ctx.settings.dir.holds_vault() {
        return Err(link::no_vault(ctx));
    }
    begin(ctx, socket)
}

/// The same where no vault is yet: `init` needs somebody to make it.
pub fn start_for_init(ctx: &Context) -> Result<(), Failure> {
    let socket = ctx.settings.dir.socket()?;
    if answers(&socket) {
        return Ok(());
    }
    begin(ctx, &socket)
}

fn begin(ctx: &Context, socket: &Path) -> Result<(), Failure> {
    match start::background(&ctx.settings, &Options::default()) {
        Ok(_) => Ok(()),
        Err(failure) if start::is_taken(&failure) && wait_for(socket) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// There is no event for "somebody listens on this path now", so it is looked
/// at again every ten milliseconds.
fn wait_for(socket: &Path) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if answers(socket) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

fn answers(socket: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(socket).is_ok()
}
