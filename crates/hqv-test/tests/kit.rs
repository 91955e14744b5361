//! The kit itself, with the shell in place of the vault.

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::MetadataExt;

use hqv_test::{Canary, Home};

fn shell(home: &Home, script: &str) -> hqv_test::Ran {
    home.cli(["-c", script]).run()
}

#[test]
fn a_run_is_told_whole() {
    let home = Home::of("/bin/sh", false);
    let ran = home.cli(["-c", "cat; echo talk >&2; exit 7"]).stdin("in\0put").run().exits(7);
    assert_eq!((ran.stdout.as_slice(), ran.err().as_str()), (b"in\0put".as_slice(), "talk\n"));
    assert_eq!(shell(&home, "kill -9 $$").signal, Some(9));
    assert_eq!(shell(&home, "echo '{\"a\":1}'").ok().json()["a"], 1);
    assert_eq!(shell(&home, "echo one >&2; echo '{\"code\":\"X\"}' >&2").json_error()["code"], "X");
    // More than a pipe holds, both ways, and a program that reads nothing.
    let much = vec![b'x'; 1 << 20];
    assert_eq!(home.cli(["-c", "cat"]).stdin(much.clone()).run().stdout, much);
    home.cli(["-c", "exit 0"]).stdin(much).run().ok();
}

#[test]
fn the_environment_is_clean() {
    let home = Home::of("/usr/bin/env", false);
    let ran = home.cli([] as [&str; 0]).env("HQ_VAULT_TOKEN", "t").run().ok();
    let out = ran.out();
    let mut names: Vec<_> = out.lines().map(|line| line.split('=').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "HQ_VAULT_TOKEN", "LANG", "PATH", "TMPDIR"]);
    assert!(out.contains(&format!("HOME={}\n", home.path().display())));
}

#[test]
fn an_ordinary_user_is_one() {
    let home = Home::of("/bin/sh", true);
    let ran = shell(&home, "id -u; id -G; touch made; cat /etc/shadow");
    let groups = format!("{0}\n{0}\n", home.uid());
    if hqv_sys_is_root() {
        assert_eq!(ran.out(), groups);
        assert_ne!(ran.code, Some(0));
    }
    assert_ne!(home.uid(), 0);
    assert_eq!(std::fs::metadata(home.path().join("made")).unwrap().uid(), home.uid());
    assert_eq!(std::fs::metadata(home.write("w", "x", 0o640)).unwrap().mode() & 0o777, 0o640);
}

fn hqv_sys_is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn a_program_in_a_closed_directory_is_copied() {
    let closed = tempfile::tempdir().unwrap();
    let program = closed.path().join("sh");
    std::fs::copy("/bin/sh", &program).unwrap();
    shell(&Home::of(program, true), "exit 0").ok();
}

#[test]
fn a_person_can_be_at_the_keyboard() {
    let home = Home::of("/bin/sh", true);
    let script = "stty -echo; printf 'Name: '; read n; stty echo; echo \"hello $n\"; test -t 1";
    let mut terminal = home.cli(["-c", script]).on_terminal();
    terminal.wait_for("Name: ");
    assert!(!terminal.echoes());
    terminal.line("Ada").wait_for("hello Ada");
    let ran = terminal.finish().ok();
    assert!(ran.err().contains("hello Ada") && ran.stdout.is_empty());

    let mut terminal = home.cli(["-c", "printf '> ' >&2; read n; echo \"data $n\""]).on_terminal_piped();
    terminal.wait_for("> ").line("x");
    assert_eq!(terminal.finish().ok().out(), "data x\n");

    let mut terminal = home.cli(["-c", "echo go; exec sleep 100"]).on_terminal();
    terminal.wait_for("go").keys(b"\x03");
    assert_eq!(terminal.finish().signal, Some(2));
}

#[test]
fn mm2_what_a_run_leaves_is_searched() {
    let home = Home::of("/bin/sh", true);
    let canary = Canary::new(b"canary-of-this-run");
    let ran = home.cli(["-c", "cat | base64 > tmp/left; echo canary-of-this-run >&2"]);
    let ran = ran.stdin("xcanary-of-this-runx").run().ok();
    assert_eq!(ran.search(&canary).len(), 1);
    let found = canary.in_tree(home.path());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].place.ends_with("tmp/left") && found[0].form.starts_with("base64"));
}
