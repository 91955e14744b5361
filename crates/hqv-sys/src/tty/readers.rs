//! Whether somebody waits for input of the controlling terminal already.
//!
//! The kernel asks whether a reader is in the foreground when its read begins, not when a key arrives. So a
//! program that sleeps in read(2), or that is told by epoll that there is something to read, would get a
//! share of what is typed at a prompt, or be stopped by it with all its group. Where such a one is found no
//! prompt is put there. What the kernel shows of other processes of this user is all there is to go by: one
//! that hides itself is not found, and SECURITY.md says so.

#[cfg(target_os = "linux")]
pub use linux::is_read;

/// Not known here. Untested.
#[cfg(not(target_os = "linux"))]
pub fn is_read() -> bool {
    false
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::path::Path;

    /// Whether a process of our session, other than this one, waits for input of a terminal.
    pub fn is_read() -> bool {
        let (ours, session) = (std::process::id(), session_of(0));
        let Ok(all) = fs::read_dir("/proc") else { return false };
        all.flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| *pid != ours && session_of(*pid) == session)
            .any(waits_for_terminal)
    }

    /// The session of a process; 0 means ourselves to the kernel. None where it has none that we can see.
    fn session_of(pid: u32) -> Option<libc::pid_t> {
        // By hand: the answer is 0 for a session of another pid namespace.
        // SAFETY: asks for a number.
        let session = unsafe { libc::getsid(pid.try_into().ok()?) };
        Some(session).filter(|session| *session >= 0)
    }

    fn waits_for_terminal(pid: u32) -> bool {
        let tasks = fs::read_dir(format!("/proc/{pid}/task"));
        tasks.is_ok_and(|tasks| tasks.flatten().any(|task| task_waits(&task.path())))
    }

    fn task_waits(task: &Path) -> bool {
        match fs::read_to_string(task.join("syscall")) {
            Ok(call) => call_waits(task, &call),
            // Closed to us where Yama guards: then the kernel's function and stdin must do.
            Err(_) => {
                let place = fs::read_to_string(task.join("wchan")).unwrap_or_default();
                place == "n_tty_read" || place == "wait_woken" && is_terminal(task, 0)
            }
        }
    }

    /// `NUMBER ARGUMENT...` in decimal and hexadecimal, or `running`.
    fn call_waits(task: &Path, call: &str) -> bool {
        let mut words = call.split_ascii_whitespace();
        let number = words.next().and_then(|word| word.parse::<libc::c_long>().ok());
        let first = words.next().and_then(|word| u32::from_str_radix(word.trim_start_matches("0x"), 16).ok());
        let (Some(number), Some(fd)) = (number, first) else { return false };
        match number {
            libc::SYS_read | libc::SYS_readv => is_terminal(task, fd),
            libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => watches_terminal(task, fd),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_epoll_wait => watches_terminal(task, fd),
            _ => false,
        }
    }

    /// Whether an epoll descriptor has a terminal among those it watches.
    fn watches_terminal(task: &Path, epoll: u32) -> bool {
        let watched = fs::read_to_string(task.join(format!("fdinfo/{epoll}"))).unwrap_or_default();
        let watched = watched.lines().filter_map(|line| line.strip_prefix("tfd:"));
        watched
            .filter_map(|line| line.split_ascii_whitespace().next()?.parse().ok())
            .any(|fd| is_terminal(task, fd))
    }

    fn is_terminal(task: &Path, fd: u32) -> bool {
        let target = fs::read_link(task.join(format!("fd/{fd}")));
        target.is_ok_and(|path| path.starts_with("/dev/pts") || path.starts_with("/dev/tty"))
    }
}
