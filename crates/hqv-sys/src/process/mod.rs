//! This process and others: hardening, identity, what the kernel says of a pid.

mod answer;
pub mod child;
mod env;
mod harden;
mod others;
mod program;
mod relay;

pub use answer::answer_of;
pub use env::take_env;
pub use harden::{Hardening, harden, is_traced, max_open_files_raise};
pub use others::{pid_alive, program_of, start_time_of, terminate, wait_end};
pub use program::{Kept, Program};

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The effective user id: the one that files are checked against.
pub fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The process that started this one, if it still runs.
pub fn parent() -> Option<u32> {
    let parent = rustix::process::getppid()?.as_raw_nonzero().get();
    u32::try_from(parent).ok().filter(|pid| *pid > 1)
}

/// The name of this machine, as it calls itself.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The home directory of our user id by the user database, whatever `HOME` says. `None` where it has no
/// entry.
pub fn home_of_uid() -> Option<PathBuf> {
    // SAFETY: passwd is pointers and numbers, for which zeros are valid.
    let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
    let mut room = vec![0u8; 4096];
    loop {
        let mut found = std::ptr::null_mut();
        // SAFETY: the entry, the room and its length are ours and outlive the call.
        let code = unsafe {
            libc::getpwuid_r(uid(), &raw mut entry, room.as_mut_ptr().cast(), room.len(), &raw mut found)
        };
        // Entries of directory services can be long; past this they are not believable.
        if code == libc::ERANGE && room.len() < 1 << 20 {
            room.resize(room.len() * 2, 0);
            continue;
        }
        if code != 0 || found.is_null() || entry.pw_dir.is_null() {
            return None;
        }
        // SAFETY: a found entry points to NUL-ended text inside `room`.
        let dir = unsafe { CStr::from_ptr(entry.pw_dir) };
        return Some(PathBuf::from(OsStr::from_bytes(dir.to_bytes()))).filter(|dir| dir.is_absolute());
    }
}
