use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStdout, Stdio};

use hqv_sys::lock::{Holder, LockError, VaultLock, holder};
use hqv_sys::ordinary::test_command;
use tempfile::TempDir;

/// Holds the lock that `HQV_LOCK` names until its stdin ends. Run by other tests.
#[test]
fn holds_the_lock() {
    let Some(path) = std::env::var_os("HQV_LOCK") else {
        return;
    };
    let _lock = VaultLock::acquire(path.as_ref()).unwrap();
    println!("\nheld");
    std::io::stdin().lines().for_each(drop);
}

/// The holder, and its stdout, which must stay open.
fn start_holder(path: &std::path::Path) -> (Child, BufReader<ChildStdout>) {
    let mut command = test_command("lock::holds_the_lock");
    let mut child =
        command.env("HQV_LOCK", path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut shown = BufReader::new(child.stdout.take().unwrap());
    assert!(shown.by_ref().lines().any(|line| line.unwrap() == "held"));
    (child, shown)
}

#[test]
fn lc1_st3_the_second_is_told_the_firsts_pid() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("vault.lock");
    assert_eq!(holder(&path).unwrap(), None);
    let (mut first, _shown) = start_holder(&path);
    match VaultLock::acquire(&path) {
        Err(error @ LockError::Held { pid: Some(pid) }) => {
            assert_eq!(pid, first.id());
            assert_eq!(error.to_string(), format!("another process (pid {pid}) has this vault open"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(holder(&path).unwrap(), Some(Holder { pid: Some(first.id()) }));
    drop(first.stdin.take());
    assert!(first.wait().unwrap().success());
    assert_eq!(holder(&path).unwrap(), None);
    assert!(VaultLock::acquire(&path).is_ok());
}

#[test]
fn lc1_a_killed_holder_keeps_nobody_out() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("vault.lock");
    let (mut first, _shown) = start_holder(&path);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", first.id()), "the stale pid is there");
    assert_eq!(holder(&path).unwrap(), None);
    let lock = VaultLock::acquire(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
    drop(lock);
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
}

#[test]
fn lc1_a_reused_pid_decides_nothing() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("vault.lock");
    // Process 1 is alive and innocent.
    for text in ["1\n", "0", "-1", "99999999999999999999", "not a number", "\u{0}\u{0}\u{0}"] {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(holder(&path).unwrap(), None, "{text:?}");
        assert!(VaultLock::acquire(&path).is_ok(), "{text:?}");
    }
}

#[test]
fn the_same_process_is_no_exception() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("vault.lock");
    let first = VaultLock::acquire(&path).unwrap();
    assert!(matches!(VaultLock::acquire(&path), Err(LockError::Held { pid: Some(_) })));
    assert!(holder(&path).unwrap().is_some());
    // Looking, and failing, has not taken the lock from the first.
    assert!(matches!(VaultLock::acquire(&path), Err(LockError::Held { .. })));
    drop(first);
    assert!(VaultLock::acquire(&path).is_ok());
}

#[test]
fn st4_the_lock_file_must_be_private() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("vault.lock");
    fs::create_dir(&path).unwrap();
    let error = VaultLock::acquire(&path).unwrap_err();
    assert_eq!(error.to_string(), "the vault's lock file cannot be used: it is a directory");
    assert!(holder(&path).is_err());
}
