use std::ffi::OsString;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use hqv_sys::daemon::{Ready, ReadyPipe, ReadySignal, spawn_detached};
use hqv_sys::ordinary::{OURSELVES, in_child_with};
use hqv_sys::process::{pid_alive, terminate, wait_end};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// The daemon's side. Run by other tests.
#[test]
fn daemon_side() {
    let Ok(mode) = std::env::var("HQV_DAEMON") else {
        return;
    };
    let signal = ReadySignal::from_env().unwrap();
    assert!(ReadySignal::from_env().is_none(), "the pipe can be taken twice");
    println!("the daemon speaks");
    match mode.as_str() {
        "ok" => signal.ok(),
        "failed" => return signal.failed("the port 13100 is taken"),
        "long" => return signal.failed(&"x".repeat(100_000)),
        "dies" => std::process::abort(),
        "silent" => std::mem::forget(signal),
        other => panic!("{other}"),
    }
    loop {
        unsafe { libc::pause() };
    }
}

fn start(mode: &str, log: &Path) -> (u32, ReadyPipe) {
    let args = ["daemon::daemon_side", "--exact", "--include-ignored", "--nocapture", "--test-threads=1"];
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    spawn_detached(Path::new(OURSELVES), &args, log, &[("HQV_DAEMON".into(), mode.into())]).unwrap()
}

fn gone(pid: u32) {
    assert!(wait_end(pid, PATIENCE).unwrap(), "{pid} does not end");
}

#[test]
fn the_starter_learns_what_became_of_the_daemon() {
    let dir = TempDir::new().unwrap();
    let log = dir.path().join("vault.log");
    let (pid, pipe) = start("ok", &log);
    assert_eq!(pipe.wait(PATIENCE), Ready::Ok);
    assert!(pid_alive(pid));
    assert!(fs::read_to_string(&log).unwrap().contains("the daemon speaks"));
    assert_eq!(fs::metadata(&log).unwrap().mode() & 0o777, 0o600);
    terminate(pid).unwrap();
    gone(pid);

    let (pid, pipe) = start("failed", &log);
    assert_eq!(pipe.wait(PATIENCE), Ready::Failed("the port 13100 is taken".into()));
    gone(pid);
    let (_, pipe) = start("long", &log);
    assert!(matches!(pipe.wait(PATIENCE), Ready::Failed(reason) if reason.len() == 4096));
    let (_, pipe) = start("dies", &log);
    assert_eq!(pipe.wait(PATIENCE), Ready::Died);
    let (pid, pipe) = start("silent", &log);
    assert_eq!(pipe.wait(Duration::from_millis(300)), Ready::TimedOut);
    terminate(pid).unwrap();
}

#[test]
fn a_program_that_is_not_there_is_said_at_once() {
    let dir = TempDir::new().unwrap();
    let error = spawn_detached(Path::new("/no/such/program"), &[], &dir.path().join("log"), &[]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn mm2_the_daemon_takes_nothing_of_the_shell_with_it() {
    let env = [("HQ_VAULT_TOKEN", "canary-of-a-token"), ("AWS_SECRET", "canary-of-a-cloud"), ("LC_ALL", "C")];
    in_child_with("daemon::mm2_the_daemon_takes_nothing_of_the_shell_with_it", &env, || {
        assert!(std::env::var("HQ_VAULT_TOKEN").is_ok());
        let dir = TempDir::new().unwrap();
        // A descriptor that was not marked close-on-exec, as a shell's `3>` or another library leaves it.
        let (read, write) = std::io::pipe().unwrap();
        for end in [read.as_raw_fd(), write.as_raw_fd()] {
            unsafe { libc::fcntl(end, libc::F_SETFD, 0) };
        }
        let (pid, pipe) = start("ok", &dir.path().join("log"));
        assert_eq!(pipe.wait(PATIENCE), Ready::Ok);
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap();
        let environ = String::from_utf8(environ).unwrap();
        assert!(!environ.contains("canary"), "{environ}");
        assert!(environ.contains("LC_ALL=C") && environ.contains("PATH="), "{environ}");
        let ours = fs::read_link(format!("/proc/self/fd/{}", write.as_raw_fd())).unwrap();
        // What the daemon closes at this moment may vanish from the list: the readiness pipe, once it has spoken.
        let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
        let theirs: Vec<_> = entries.filter_map(|entry| fs::read_link(entry.path()).ok()).collect();
        assert!(!theirs.contains(&ours), "{theirs:?}");
        let pipes = theirs.iter().filter(|end| end.to_string_lossy().starts_with("pipe:")).count();
        assert!(pipes <= 1, "{theirs:?}");
        assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), Path::new("/"));
        let session = unsafe { libc::getsid(pid as i32) };
        assert_eq!(session as u32, pid, "it has no session of its own");
        terminate(pid).unwrap();
        gone(pid);
    });
}

#[test]
fn a_number_in_the_environment_is_not_trusted() {
    let (read, _write) = std::io::pipe().unwrap();
    // Close-on-exec, as everything this process opens itself: not the starter's.
    let number = read.as_raw_fd().to_string();
    let name = "daemon::a_number_in_the_environment_is_not_trusted";
    for value in [number.as_str(), "1", "-1", "4711", "x", ""] {
        in_child_with(name, &[("HQ_VAULT_READY_FD", value)], || assert!(ReadySignal::from_env().is_none()));
    }
    let (file, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    assert!(ReadySignal::from_fd(file.into()).is_none());
}
