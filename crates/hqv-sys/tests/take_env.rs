//! `take_env` needs a process with one thread, which the test harness is not: this file is a program of its
//! own.

#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use hqv_sys::process::take_env;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("inside") {
        return inside();
    }
    // Cargo's own questions (`--list`) have no answer here.
    if std::env::args().any(|word| word == "--list") {
        return;
    }
    let bytes = OsStr::from_bytes(b"canary-\xff-of a session");
    let done = Command::new("/proc/self/exe")
        .arg("inside")
        .env("HQ_VAULT_SESSION", bytes)
        .env("HQ_VAULT_SESSION_2", "another")
        .env("HQ_VAULT_EMPTY", "")
        .status();
    assert!(done.unwrap().success());
    println!("mm2_a_taken_variable_is_nowhere ... ok");
}

fn environ() -> Vec<u8> {
    std::fs::read("/proc/self/environ").unwrap()
}

fn contains(place: &[u8], what: &[u8]) -> bool {
    place.windows(what.len()).any(|part| part == what)
}

/// MM2: a taken variable is nowhere; others are as they were.
fn inside() {
    assert!(contains(&environ(), b"canary"), "the search does not see it");
    assert_eq!(take_env("HQ_VAULT_SESSION").unwrap().as_bytes(), b"canary-\xff-of a session");
    assert!(!contains(&environ(), b"canary"), "the kernel still shows it");
    assert!(std::env::var_os("HQ_VAULT_SESSION").is_none());
    assert!(take_env("HQ_VAULT_SESSION").is_none());
    let child = Command::new("env").output().unwrap().stdout;
    assert!(!contains(&child, b"HQ_VAULT_SESSION=") && contains(&child, b"HQ_VAULT_SESSION_2=another"));
    assert_eq!(take_env("HQ_VAULT_EMPTY").unwrap(), "");
    assert!(take_env("HQ_VAULT_EMPTY").is_none());
    for odd in ["", "=", "A=B", "HQ_VAULT\0", "NO_SUCH_VARIABLE"] {
        assert!(take_env(odd).is_none(), "{odd:?}");
    }
    // With another thread about, it reads and leaves everything as it is.
    let (hold, wait) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || wait.recv());
    assert_eq!(take_env("HQ_VAULT_SESSION_2").unwrap(), "another");
    assert_eq!(std::env::var("HQ_VAULT_SESSION_2").unwrap(), "another");
    drop(hold);
    assert!(other.join().unwrap().is_err());
}
