//! Keeping other programs of the same user out of this process.
//!
//! Not dumpable means, on Linux: no core file, no ptrace, and `/proc/PID/mem`, `environ`, `maps` closed to
//! the same uid without privileges. An exec undoes it, so children are unaffected; what children would
//! inherit (umask, core limit) is kept in [`Hardening`] to be put back for them.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

static HARDENED: std::sync::OnceLock<(Mode, Option<u64>)> = std::sync::OnceLock::new();

/// Gives this process the umask and the core limit back that stood before [`harden`]. For a program that takes its
/// place: two system calls, safe between fork and exec.
pub(super) fn undo() {
    if let Some((mask, core)) = HARDENED.get() {
        umask(*mask);
        let _ =
            setrlimit(Resource::Core, Rlimit { current: *core, maximum: getrlimit(Resource::Core).maximum });
    }
}

/// What [`harden`] achieved, and what stood before it.
#[derive(Clone, Debug)]
pub struct Hardening {
    /// No other process of this user may trace this one or read its memory.
    pub undumpable: bool,
    /// The limit on core files is zero.
    pub no_core: bool,
    umask_before: Mode,
    core_before: Option<u64>,
}

impl Hardening {
    /// True when everything that was asked for holds.
    pub fn complete(&self) -> bool {
        self.undumpable && self.no_core
    }

    /// Gives `command`'s child the umask and the core limit that our own caller had set. For `run`.
    pub fn undo_in_child(&self, command: &mut Command) {
        let (mask, core) = (self.umask_before, self.core_before);
        let undo = move || -> io::Result<()> {
            umask(mask);
            let limit = Rlimit { current: core, maximum: getrlimit(Resource::Core).maximum };
            let _ = setrlimit(Resource::Core, limit);
            Ok(())
        };
        // SAFETY: the closure makes three system calls and nothing else: it is safe between fork and exec.
        unsafe {
            command.pre_exec(undo);
        }
    }
}

/// Hardens this process: no core file, not dumpable or traceable, files made closed to others (umask 077).
/// Call it first in `main`. Never fails; the answer says what holds.
pub fn harden() -> Hardening {
    let before = getrlimit(Resource::Core);
    // The hard limit stays, so that a child can get back what its user had set.
    let no_core = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: before.maximum }).is_ok();
    let umask_before = umask(Mode::RWXG | Mode::RWXO);
    let _ = HARDENED.set((umask_before, before.current));
    Hardening { undumpable: refuse_tracers(), no_core, umask_before, core_before: before.current }
}

#[cfg(target_os = "linux")]
fn refuse_tracers() -> bool {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
}

/// Untested.
#[cfg(target_vendor = "apple")]
fn refuse_tracers() -> bool {
    // SAFETY: PT_DENY_ATTACH ignores its other arguments.
    unsafe { libc::ptrace(libc::PT_DENY_ATTACH, 0, std::ptr::null_mut(), 0) == 0 }
}

/// True where a debugger is attached to this process already, as one that started it would be. Known on
/// Linux only.
pub fn is_traced() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return false;
    };
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|pid| pid.trim() != "0")
}

/// Raises the limit on open files to what the system allows this user, for a server of many connections.
/// Returns the limit that holds now (`u64::MAX`: none).
pub fn max_open_files_raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    now.unwrap_or(u64::MAX)
}
