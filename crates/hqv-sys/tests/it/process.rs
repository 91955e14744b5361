use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::time::Duration;

use hqv_sys::ordinary::{in_child, test_command};
use hqv_sys::process::{
    harden, home_of_uid, is_traced, max_open_files_raise, pid_alive, program_of, start_time_of, terminate,
    wait_end,
};

/// Waits for the end of its stdin, hardened where `HQV_HARDEN` says so. Run by other tests.
#[test]
fn stands_still() {
    let Ok(how) = std::env::var("HQV_HARDEN") else {
        return;
    };
    if how == "yes" {
        assert!(harden().complete());
    }
    println!("\nready");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    println!("\ntraced: {}", is_traced());
}

fn start(how: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = test_command("process::stands_still");
    let mut child =
        command.env("HQV_HARDEN", how).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut shown = BufReader::new(child.stdout.take().unwrap());
    assert!(shown.by_ref().lines().any(|line| line.unwrap() == "ready"));
    (child, shown)
}

fn end(mut child: Child) {
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

fn attach(pid: u32) -> std::io::Result<()> {
    let none = std::ptr::null_mut::<libc::c_void>();
    match unsafe { libc::ptrace(libc::PTRACE_ATTACH, pid, none, none) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

fn read_across(pid: u32) -> std::io::Result<()> {
    // The address need not be mapped: permission is looked at first (EPERM), then the address (EFAULT).
    let mut room = [0u8; 8];
    let local = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: 8 };
    let remote = libc::iovec { iov_base: 8 as *mut libc::c_void, iov_len: 8 };
    match unsafe { libc::process_vm_readv(pid as i32, &raw const local, 1, &raw const remote, 1, 0) } {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[test]
fn mm3_a_hardened_process_is_closed_to_its_own_user() {
    in_child("process::mm3_a_hardened_process_is_closed_to_its_own_user", || {
        assert_ne!(hqv_sys::process::uid(), 0);
        // First without hardening: what is refused below is possible here.
        let (child, _shown) = start("no");
        let pid = child.id();
        for name in ["mem", "environ", "maps"] {
            fs::File::open(format!("/proc/{pid}/{name}")).unwrap();
        }
        assert_eq!(read_across(pid).unwrap_err().raw_os_error(), Some(libc::EFAULT));
        attach(pid).unwrap();
        let mut status = 0;
        unsafe {
            libc::waitpid(pid as i32, &raw mut status, 0);
            libc::ptrace(libc::PTRACE_DETACH, pid, 0, 0);
        }
        end(child);

        let (child, _shown) = start("yes");
        let pid = child.id();
        for name in ["mem", "environ", "maps", "syscall", "stack"] {
            let error = fs::File::open(format!("/proc/{pid}/{name}")).and_then(|mut file| {
                // Some kernels open and then refuse the reading.
                file.read(&mut [0; 8])
            });
            assert!(error.is_err(), "/proc/PID/{name} can be read");
        }
        assert!(fs::read_dir(format!("/proc/{pid}/fd")).is_err());
        assert_eq!(read_across(pid).unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert_eq!(attach(pid).unwrap_err().raw_os_error(), Some(libc::EPERM));
        // Still known by name and age, for records.
        assert!(program_of(pid).is_some());
        assert!(start_time_of(pid).is_some());
        end(child);
    });
}

#[test]
fn mm1_a_hardened_process_leaves_no_core() {
    in_child("process::mm1_a_hardened_process_leaves_no_core", || {
        let (child, _shown) = start("yes");
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_ascii_whitespace().nth(4), Some("0"));
        unsafe { libc::kill(child.id() as i32, libc::SIGABRT) };
        let status = child.wait_with_output().unwrap().status;
        assert_eq!(status.signal(), Some(libc::SIGABRT));
        assert!(!status.core_dumped());
    });
}

#[test]
fn a_tracer_is_noticed() {
    in_child("process::a_tracer_is_noticed", || {
        assert!(!is_traced());
        let (mut child, shown) = start("no");
        let pid = child.id();
        let none = std::ptr::null_mut::<libc::c_void>();
        // SEIZE does not stop the target.
        assert_eq!(unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, none, none) }, 0);
        drop(child.stdin.take());
        assert!(shown.lines().any(|line| line.unwrap() == "traced: true"));
        child.wait().unwrap();
    });
}

#[test]
fn children_get_back_what_their_user_had_set() {
    in_child("process::children_get_back_what_their_user_had_set", || {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Core).maximum;
        setrlimit(Resource::Core, Rlimit { current: maximum, maximum }).unwrap();
        let core = maximum.map_or("unlimited".into(), |blocks| (blocks / 512).to_string());
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o027));
        let hardening = harden();
        assert!(hardening.complete());
        let run = |undo: bool| {
            let mut command = std::process::Command::new("sh");
            command.args(["-c", "umask; ulimit -S -c"]);
            if undo {
                hardening.undo_in_child(&mut command);
            }
            String::from_utf8(command.output().unwrap().stdout).unwrap()
        };
        assert_eq!(run(false), "0077\n0\n");
        assert_eq!(run(true), format!("0027\n{core}\n"));
    });
}

#[test]
fn the_home_is_the_user_databases() {
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let uid = hqv_sys::process::uid().to_string();
    let home = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|entry| entry[2] == uid);
    assert_eq!(home_of_uid(), home.map(|entry| entry[5].into()));
    in_child("process::the_home_is_the_user_databases", || {
        if hqv_sys::process::uid() == hqv_sys::ordinary::UID {
            assert_eq!(home_of_uid(), None, "a uid without an entry has no home");
        }
    });
}

#[test]
fn other_processes_are_named() {
    let me = std::process::id();
    let exe = std::env::current_exe().unwrap();
    assert_eq!(program_of(me).unwrap(), exe.to_string_lossy());
    assert!(start_time_of(me).unwrap() > 0);
    let (child, _shown) = start("no");
    let pid = child.id();
    assert!(pid_alive(pid));
    assert!(start_time_of(pid) >= start_time_of(me));
    assert!(!wait_end(pid, Duration::from_millis(1)).unwrap());
    terminate(pid).unwrap();
    assert!(wait_end(pid, Duration::from_secs(20)).unwrap());
    let status = child.wait_with_output().unwrap().status;
    assert_eq!(status.signal(), Some(libc::SIGTERM));
    assert!(!pid_alive(pid));
    assert!(wait_end(pid, Duration::ZERO).unwrap());
    assert!(terminate(pid).is_err());
    assert_eq!((program_of(pid), start_time_of(pid)), (None, None));
}

#[test]
fn open_files_are_raised_to_the_limit() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    assert_eq!(max_open_files_raise(), limit.maximum.unwrap_or(u64::MAX));
    assert_eq!(rustix::process::getrlimit(rustix::process::Resource::Nofile).current, limit.maximum);
}

#[test]
fn clocks_and_randomness() {
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    assert!((i128::from(hqv_sys::clock::wall_millis()) - wall as i128).abs() < 5_000);
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let boot = hqv_sys::clock::boot();
    assert!((boot.as_secs_f64() - uptime).abs() < 5.0, "{boot:?} against {uptime}");
    assert!(hqv_sys::clock::boot() >= boot);

    let mut bytes = vec![0u8; 100_000];
    hqv_sys::random::fill(&mut bytes).unwrap();
    let mut counts = [0u32; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    // 390 of each are expected; the odds against these bounds are astronomic.
    assert!(counts.iter().all(|count| (200..600).contains(count)));
    hqv_sys::random::fill(&mut []).unwrap();
}
