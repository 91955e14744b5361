//! Row MM4: memory that cannot be locked. No KDF may fail for it, and the owner hears of it once.

use std::process::{Command, Output};

use hqv_test::Home;

use crate::support::{PASSPHRASE, Stopped, ordinary_home, owner, program, told, written_pid};

/// Our program where nothing may be locked, in memory.
fn unlocked_memory(home: &Home, words: &[&str]) -> Output {
    let mut command: Command = program(home, "/bin/sh");
    command.args(["-c", "ulimit -l 0 && exec \"$HQ\" \"$@\"", "sh"]).args(words);
    command.env("HQ_VAULT_PASSPHRASE_FILE", home.passphrase_file());
    command.output().unwrap()
}

#[track_caller]
fn works(home: &Home, words: &[&str]) -> String {
    let output = unlocked_memory(home, words);
    assert!(output.status.success(), "{words:?} {}", told(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn mm4_without_locked_memory_it_works_and_warns_once() {
    let home = ordinary_home();
    home.write("passphrase", PASSPHRASE, 0o600);
    let _stopped = Stopped(&home);
    works(&home, &["serve", "--daemon", "--port", "0"]);
    works(&home, &["init"]);
    works(&home, &["store", "a/b", "--generate"]);
    assert_eq!(works(&home, &["get", "a/b"]).len(), 32);
    works(&home, &["lock"]);
    works(&home, &["unlock"]);
    assert_eq!(works(&home, &["get", "a/b"]).len(), 32);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", written_pid(&home))).unwrap();
    assert!(limits.lines().any(|line| line.starts_with("Max locked memory         0 ")), "{limits}");
    let status = owner(&home, &["status", "--json"]).ok().json();
    let about = |text: &str| text.contains("RLIMIT_MEMLOCK");
    let warnings = status["warnings"].as_array().unwrap();
    let said = warnings.iter().filter(|warning| about(warning.as_str().unwrap())).count();
    assert_eq!(said, 1, "status says it once: {status}");
    let log = std::fs::read_to_string(home.vault_file("vault.log")).unwrap();
    assert_eq!(log.lines().filter(|line| about(line)).count(), 1, "vault.log says it once: {log}");
    works(&home, &["serve", "--stop"]);
}
