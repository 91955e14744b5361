//! Stopping the daemon: through its socket, never by a pid from a file.
//!
//! A locked daemon stops for any process of its owner. An unlocked one wants
//! the owner's session; without one at hand we ask it as the terminal would,
//! by SIGTERM to the process that the kernel says listens on the socket. A
//! process of the same user can do that anyway.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

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
    let lock = dir.lock();
    let Ok(Some(holder)) = hqv_sys::lock::holder(&lock) else { return Ok(None) };
    let socket = dir.socket()?;
    let pid = match UnixStream::connect(&socket) {
        Ok(stream) => peer_of(&stream)?,
        Err(e) => {
            let who = holder.pid.map(|p| format!(" (pid {p})")).unwrap_or_default();
            return Err(Failure::io(format!("a process{who} holds the vault, but its socket does not answer"), &e)
                .hint("look at that process; if it hangs, end it yourself"));
        }
    };
    if !asked(ctx) {
        hqv_sys::process::terminate(pid).map_err(|e| Failure::io(format!("cannot stop the daemon (pid {pid})"), &e))?;
    }
    wait_until_free(&lock, pid)?;
    Ok(Some(pid))
}

/// The listener's pid, by the kernel's word, and only where it is ours.
fn peer_of(stream: &UnixStream) -> Result<u32, Failure> {
    let peer = hqv_sys::peer::of(stream.as_fd()).map_err(|e| Failure::io("cannot see who listens on the socket", &e))?;
    match peer.pid {
        Some(pid) if peer.uid == hqv_sys::process::uid() => Ok(pid),
        _ => Err(Failure::unauthorized("the socket is not served by a process of this user")),
    }
}

fn asked(ctx: &Context) -> bool {
    let Ok(link) = Link::open_local(ctx) else { return false };
    let acting = identity::at_hand(ctx);
    let credential = acting.as_ref().map(|a| a.credential());
    link.run_if_there(credential, async |client| client.shutdown().await).is_ok()
        || (credential.is_some() && link.run_if_there(None, async |client| client.shutdown().await).is_ok())
}

/// The lock is let go at the very end, so that whoever starts next finds the
/// vault free.
fn wait_until_free(lock: &std::path::Path, pid: u32) -> Result<(), Failure> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if !matches!(hqv_sys::lock::holder(lock), Ok(Some(_))) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(Failure::internal(format!("the daemon (pid {pid}) was asked to stop and still runs")))
}
