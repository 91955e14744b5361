//! Row IN7: environments and vault directories that nobody thought of. As an ordinary user without an entry
//! in the table of users, so that not even the kernel knows a home.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Output;

use hqv_test::Home;

use crate::support::{PASSPHRASE, Stopped, ordinary_home, program, root_for, told};

/// A command with this vault directory.
fn run(home: &Home, dir: &Path, words: &[&str], env: &[(&str, &OsStr)]) -> Output {
    let mut command = program(home, home.program());
    command.args(words).env("HQ_VAULT_DIR", dir).env("HQ_VAULT_PASSPHRASE_FILE", home.passphrase_file());
    command.envs(env.iter().copied()).output().unwrap()
}

/// Stops the daemon of a directory also where a step failed.
struct Stop<'a>(&'a Home, &'a Path, &'a [(&'a str, &'a OsStr)]);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        run(self.0, self.1, &["serve", "--stop"], self.2);
    }
}

/// A vault can live there: made, written, read, locked, stopped.
#[track_caller]
fn lives(home: &Home, dir: &Path, env: &[(&str, &OsStr)]) {
    home.write("passphrase", PASSPHRASE, 0o600);
    let step = |words: &[&str]| {
        let output = run(home, dir, words, env);
        assert!(output.status.success(), "{words:?} in {dir:?}: {}", told(&output));
        output.stdout
    };
    let _stop = Stop(home, dir, env);
    step(&["serve", "--daemon", "--port", "0"]);
    step(&["init"]);
    let made = step(&["store", "a/b", "--generate"]);
    assert!(String::from_utf8_lossy(&made).contains("Stored"));
    assert_eq!(step(&["get", "a/b"]).len(), 32);
    step(&["lock"]);
    step(&["status", "--json"]);
    step(&["serve", "--stop"]);
    assert!(dir.join("vault.db").exists());
}

#[track_caller]
fn refused(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.status.code(), Some(code), "{}", told(output));
    let err = String::from_utf8_lossy(&output.stderr);
    for word in words {
        assert!(err.contains(word), "{word:?}\n{}", told(output));
    }
    assert!(!err.contains("panicked") && err.lines().count() <= 2, "{}", told(output));
}

#[test]
fn in7_a_vault_lives_in_directories_with_odd_names() {
    let home = ordinary_home();
    lives(&home, &home.path().join("with some  spaces and 'quotes\""), &[]);
    lives(&home, &home.path().join(OsStr::from_bytes(b"not \xff\xfe utf-8")), &[]);
    lives(&home, &home.path().join("with\nnewline and \u{1b}[31m"), &[]);
    lives(&home, &home.path().join("deeper/than/anything/there"), &[]);
}

#[test]
fn in7_a_vault_lives_on_tmpfs() {
    let Ok(dir) = tempfile::tempdir_in("/dev/shm") else {
        println!("SKIP a vault on tmpfs: no /dev/shm");
        return;
    };
    let home = ordinary_home();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let vault = dir.path().join("vault");
    fs::create_dir(&vault).unwrap();
    fs::set_permissions(&vault, fs::Permissions::from_mode(0o700)).unwrap();
    if hqv_sys::process::uid() == 0 {
        chown(&vault, Some(home.uid()), Some(home.uid())).unwrap();
    }
    lives(&home, &vault, &[]);
}

#[test]
fn in7_a_long_directory_needs_a_runtime_directory_for_its_socket() {
    let home = ordinary_home();
    let long = home.path().join("d".repeat(200 - home.path().as_os_str().len()));
    let output = run(&home, &long, &["serve", "--daemon", "--port", "0"], &[]);
    refused(&output, 2, &["too long", "XDG_RUNTIME_DIR"]);
    let runtime = home.make_dir("run");
    lives(&home, &long, &[("XDG_RUNTIME_DIR", runtime.as_os_str())]);
    assert_eq!(fs::read_dir(&runtime).unwrap().count(), 0, "the socket was left");
}

#[test]
fn in7_without_a_home_the_directory_must_be_named() {
    if !root_for("a user without a home") {
        return;
    }
    let home = ordinary_home();
    for value in [None, Some(""), Some("relative/home")] {
        let mut command = program(&home, home.program());
        command.arg("status").env_remove("HOME");
        if let Some(value) = value {
            command.env("HOME", value);
        }
        refused(&command.output().unwrap(), 2, &["home", "HQ_VAULT_DIR"]);
        assert!(!home.path().join("relative").exists());
    }
    let dir = home.path().join("named");
    let mut command = program(&home, home.program());
    command.args(["status", "--json"]).env_remove("HOME").env("HQ_VAULT_DIR", &dir);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn in7_a_relative_or_unusable_directory_is_refused() {
    let home = ordinary_home();
    for relative in ["vault", "./vault", "../vault", ""] {
        let output = run(&home, Path::new(relative), &["status"], &[]);
        refused(&output, 2, &["HQ_VAULT_DIR"]);
    }
    home.write("file", "a file", 0o600);
    let serve = |dir: &Path| run(&home, dir, &["serve", "--daemon", "--port", "0"], &[]);
    for (dir, word) in [("file", "file"), ("file/below", "file")] {
        let output = serve(&home.path().join(dir));
        assert!(!output.status.success(), "{}", told(&output));
        assert!(String::from_utf8_lossy(&output.stderr).contains(word), "{}", told(&output));
    }
    if root_for("directories of another user") {
        let closed = home.make_dir("closed");
        chown(&closed, Some(0), Some(0)).unwrap();
        let output = serve(&closed);
        assert!(!output.status.success() && !closed.join("vault.log").exists(), "{}", told(&output));
        let output = serve(&closed.join("below"));
        assert!(!output.status.success(), "{}", told(&output));
        assert!(String::from_utf8_lossy(&output.stderr).contains("closed"), "{}", told(&output));
    }
    let unwritable = home.make_dir("unwritable");
    fs::set_permissions(&unwritable, fs::Permissions::from_mode(0o500)).unwrap();
    let output = serve(&unwritable);
    assert!(!output.status.success() && output.status.code().is_some(), "{}", told(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("unwritable"), "{}", told(&output));
}

#[test]
fn in7_closed_standard_streams_do_no_harm_and_a_full_disk_is_no_success() {
    let home = ordinary_home();
    home.write("passphrase", PASSPHRASE, 0o600);
    let _stopped = Stopped(&home);
    let script = |text: &str| {
        let mut command = program(&home, "/bin/sh");
        command.args(["-c", text]).env("HQ_VAULT_PASSPHRASE_FILE", home.passphrase_file()).output().unwrap()
    };
    let output = script("\"$HQ\" serve --daemon --port 0 <&- >&- 2>&- && \"$HQ\" init <&- 2>&-");
    assert!(output.status.success(), "{}", told(&output));
    let output = script("printf v | \"$HQ\" store a/b <&0 2>&- && \"$HQ\" get a/b <&- 2>&-");
    assert!(output.status.success() && output.stdout.ends_with(b"v"), "{}", told(&output));
    for lost in ["get a/b > /dev/full", "list > /dev/full", "env-file a/ > /dev/full", "status > /dev/full"] {
        let output = script(&format!("\"$HQ\" {lost}"));
        assert!(output.status.code().is_some_and(|code| code != 0), "{lost}: {}", told(&output));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{}", told(&output));
    }
    // A temporary directory that is not there is missed by nobody.
    let output =
        script("TMPDIR=/nowhere \"$HQ\" get a/b && TMPDIR=/nowhere \"$HQ\" get a/b -o got && cat got");
    assert_eq!(output.stdout, b"vv", "{}", told(&output));
    // Nothing of ours went into a file that took a closed stream's number.
    let log = fs::read_to_string(home.vault_file("vault.log")).unwrap();
    assert!(!log.contains("Stored") && !log.contains("Made"), "{log}");
}
