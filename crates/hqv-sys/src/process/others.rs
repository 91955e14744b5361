//! What the kernel says of other processes. All of it is for people to read: a pid names whoever has it now.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal};

fn pid_of(pid: u32) -> Option<Pid> {
    // 0 and negative numbers mean process groups to kill(2).
    i32::try_from(pid).ok().filter(|pid| *pid > 0).and_then(Pid::from_raw)
}

/// True where a process of that id exists, whoever owns it.
pub fn pid_alive(pid: u32) -> bool {
    let Some(pid) = pid_of(pid) else { return false };
    matches!(rustix::process::test_kill_process(pid), Ok(()) | Err(rustix::io::Errno::PERM))
}

/// Asks a process to end (SIGTERM). The caller must know by something better than a stored pid that it is
/// the right one.
///
/// # Errors
/// No such process, or not ours.
pub fn terminate(pid: u32) -> io::Result<()> {
    let pid = pid_of(pid).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::kill_process(pid, Signal::TERM)?)
}

/// Waits until the process `pid` has ended, whoever's child it is. False where it still runs at the end of
/// `timeout`.
///
/// # Errors
/// Where the process cannot be watched. That it is gone already is no error.
#[cfg(target_os = "linux")]
pub fn wait_end(pid: u32, timeout: Duration) -> io::Result<bool> {
    use crate::wait::{Deadline, wait};
    use rustix::event::{PollFd, PollFlags};
    use rustix::process::{PidfdFlags, pidfd_open};
    let pid = pid_of(pid).ok_or(io::ErrorKind::InvalidInput)?;
    let process = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) => process,
        Err(rustix::io::Errno::SRCH) => return Ok(true),
        Err(error) => return Err(error.into()),
    };
    wait(&mut [PollFd::new(&process, PollFlags::IN)], &Deadline::after(timeout))
}

/// Waits until the process `pid` has ended; looks again every ten milliseconds. Untested.
///
/// # Errors
/// None.
#[cfg(target_vendor = "apple")]
pub fn wait_end(pid: u32, timeout: Duration) -> io::Result<bool> {
    let end = crate::clock::boot() + timeout;
    while pid_alive(pid) {
        if crate::clock::boot() >= end {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(true)
}

/// When a process started, in clock ticks since boot: with the pid it tells a process from a later one of
/// the same number.
#[cfg(target_os = "linux")]
pub fn start_time_of(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    start_time_in(&stat)
}

/// Field 22 of proc_pid_stat(5). The second field is the program's own name in brackets and may hold
/// anything, brackets and blanks too: counting begins after the last bracket.
#[cfg(target_os = "linux")]
fn start_time_in(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// The program a process runs: its path, or, for a process we may not look into, its own short name. Either
/// can be chosen by the process itself.
#[cfg(target_os = "linux")]
pub fn program_of(pid: u32) -> Option<String> {
    let path: Option<PathBuf> = std::fs::read_link(format!("/proc/{pid}/exe")).ok();
    if let Some(path) = path {
        return Some(path.to_string_lossy().into_owned());
    }
    let comm = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    let name = String::from_utf8_lossy(comm.strip_suffix(b"\n").unwrap_or(&comm)).into_owned();
    Some(name).filter(|name| !name.is_empty())
}

/// Not known here. Untested.
#[cfg(target_vendor = "apple")]
pub fn start_time_of(_pid: u32) -> Option<u64> {
    None
}

/// The path of the program a process runs. Untested.
#[cfg(target_vendor = "apple")]
pub fn program_of(pid: u32) -> Option<String> {
    let mut room = [0u8; 4096];
    let pid = i32::try_from(pid).ok()?;
    // SAFETY: the room is ours and its length is given.
    let len = unsafe { libc::proc_pidpath(pid, room.as_mut_ptr().cast(), room.len() as u32) };
    let path = room.get(..usize::try_from(len).ok()?)?;
    Some(String::from_utf8_lossy(path).into_owned()).filter(|path| !path.is_empty())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_brackets_does_not_shift_the_fields() {
        let fields = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(start_time_in(&format!("77 (a) b (c) {fields}")), Some(4711));
        assert_eq!(start_time_in("77 (cut"), None);
        assert_eq!(start_time_in("77 (x) S 1 2"), None);
    }

    #[test]
    fn pids_that_mean_groups_are_nobody() {
        assert!(!pid_alive(0));
        assert!(!pid_alive(u32::MAX));
        assert!(terminate(0).is_err());
        assert!(pid_alive(std::process::id()));
        assert!(pid_alive(1));
    }
}
