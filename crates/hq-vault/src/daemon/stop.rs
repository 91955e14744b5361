//! Stopping the daemon: through its socket, never by a pid from a file.
//!
//! A locked daemon stops for any process of its owner. An unlocked one wants
//! the owner's session; without one at hand we ask it as the terminal would,
//! by SIGTERM to the process that the kernel says listens on the socket. A
//! process of the same user can do that anyway.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::cli::context::Context;
use crate::cli::identity;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;

/// How long a daemon may take to answer what is in flight.
const PATIENCE: Duration = Duration::from_secs(20);

/// Stops it and waits until the vault is free. Gives the pid, or None where
/// none ran.
pub fn stop(ctx: &Context) -> Result<Option<u32>, Failure> {
    let dir = &ctx.settings.dir;
    let Ok(Some(holder)) = hqv_sys::lock::holder(&dir.lock()) else {
        return Ok(None);
    };
    let socket = dir.socket()?;
    let pid = match UnixStream::connect(&socket) {
        Ok(stream) => peer_of(&stream, holder.pid)?,
        Err(e) => {
            let who = holder.pid.map(|p| format!(" (pid {p})")).unwrap_or_default();
            return Err(Failure::io(
                format!("a process{who} holds the vault, but its socket does not answer"),
                &e,
            )
            .hint("look at that process; if it hangs, end it yourself"));
        }
    };
    if !asked(ctx) {
        hqv_sys::process::terminate(pid)
            .map_err(|e| Failure::io(format!("cannot stop the daemon (pid {pid})"), &e))?;
    }
    wait_until_ended(pid)?;
    Ok(Some(pid))
}

/// The listener's pid, by the kernel's word: a process of this user that also
/// holds the vault's lock.
fn peer_of(stream: &UnixStream, holder: Option<u32>) -> Result<u32, Failure> {
    let peer = hqv_sys::peer::of(stream.as_fd())
        .map_err(|e| Failure::io("cannot see who listens on the socket", &e))?;
    match peer.pid {
        Some(pid) if peer.uid == hqv_sys::process::uid() && holder.is_none_or(|h| h == pid) => Ok(pid),
        _ => Err(Failure::unauthorized("the socket is served by another process than this vault's daemon")
            .hint("hq-vault doctor says what it sees; nothing was stopped")),
    }
}

fn asked(ctx: &Context) -> bool {
    let Ok(link) = Link::open_local(ctx) else {
        return false;
    };
    let acting = identity::at_hand(ctx);
    let credential = acting.as_ref().map(|a| a.credential());
    link.run_if_there(credential, async |client| client.shutdown().await).is_ok()
        || (credential.is_some() && link.run_if_there(None, async |client| client.shutdown().await).is_ok())
}

/// The daemon lets its lock go with its last breath, so its end is what counts.
fn wait_until_ended(pid: u32) -> Result<(), Failure> {
    match hqv_sys::process::wait_end(pid, PATIENCE) {
        Ok(true) => Ok(()),
        _ => Err(Failure::internal(format!("the daemon (pid {pid}) was asked to stop and still runs"))),
    }
}
