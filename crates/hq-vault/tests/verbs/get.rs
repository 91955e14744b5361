//! `get` and `show`.

use crate::support::{home, owner, store, token, vault};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_value_goes_to_stdout_alone_and_versions_stay() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"first");
    store(&home, "a/b", b"second\n");
    let ran = owner(&home, &["get", "a/b"]).ok();
    assert_eq!((ran.out().as_str(), ran.err().as_str()), ("second\n", ""));
    assert_eq!(owner(&home, &["get", "a/b", "--version", "1"]).ok().out(), "first");
    owner(&home, &["get", "a/b", "--version", "3"]).exits(3);
    for bad in ["0", "x", "-1"] {
        owner(&home, &["get", "a/b", "--version", bad]).exits(2);
    }
    let json = owner(&home, &["get", "a/b", "--version", "1", "--json"]).ok().json();
    assert_eq!(json["value"], "first");
    let shown = owner(&home, &["show", "a/b"]).ok().out();
    assert!(shown.contains("a/b") && !shown.contains("second"), "{shown}");
}

#[test]
fn a_terminal_gets_a_final_newline_and_a_pipe_does_not() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"value");
    let shown = home.cli(["get", "a/b"]).owner().on_terminal().finish().ok();
    assert_eq!(shown.err(), "value\r\n");
    let piped = home.cli(["get", "a/b"]).owner().on_terminal_piped().finish().ok();
    assert_eq!(piped.out(), "value");
}

#[test]
fn a_file_is_private_and_a_variable_is_quoted() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"it's $HOME `x`");
    owner(&home, &["get", "a/b", "-o", "out"]).ok();
    let file = home.path().join("out");
    assert_eq!(std::fs::read(&file).unwrap(), b"it's $HOME `x`");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = owner(&home, &["get", "a/b", "--env", "SECRET"]).ok().out();
    let back = std::process::Command::new("sh")
        .args(["-c", &format!("{text}\nprintf %s \"$SECRET\"")])
        .output()
        .unwrap();
    assert_eq!(back.stdout, b"it's $HOME `x`");
}

#[test]
fn a_missing_path_gets_a_suggestion_from_who_may_list() {
    let home = home();
    let _server = vault(&home);
    store(&home, "stripe/secret-key", b"v");
    let ran = owner(&home, &["get", "stripe/secret"]).exits(3);
    assert_eq!(
        ran.err(),
        "hq-vault: no secret at stripe/secret\ndid you mean stripe/secret-key? (hq-vault list stripe)\n"
    );
    let json = owner(&home, &["get", "stripe/secret", "--json"]).exits(3).json_error();
    assert_eq!(json["code"], "NOT_FOUND");
    let reader = token(&home, &["--name", "r", "--path", "stripe/", "--can", "read"]);
    let ran = home.cli(["get", "stripe/secret"]).token(&reader).run().exits(3);
    assert!(!ran.err().contains("secret-key"), "{ran}");
}

#[test]
fn in1_bad_paths_are_refused_with_their_reason() {
    let home = home();
    let _server = vault(&home);
    for bad in
        ["", "/", "a//b", "a/", "/a", ".", "a/../b", "a/./b", "a\nb", "a\u{202e}b", "*", &"p".repeat(513)]
    {
        let ran = owner(&home, &["get", bad]).exits(2);
        assert!(ran.err().lines().count() <= 2 && !ran.err().is_empty(), "{bad:?} {ran}");
    }
    store(&home, "caf\u{e9}/x", b"v");
    assert_eq!(owner(&home, &["get", "cafe\u{301}/x"]).ok().out(), "v");
}

#[test]
fn every_refusal_has_a_second_line_and_an_eval_fails() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"v");
    store(&home, "a/c", b"v");
    let t = token(&home, &["--name", "narrow", "--path", "a/", "--can", "read"]);
    let by_token = |words: &[&str]| home.cli(words).token(&t).run();
    for ran in [
        by_token(&["get", "z"]),
        by_token(&["delete", "a/b", "--force"]),
        owner(&home, &["delete", "a/x", "--force"]),
        owner(&home, &["move", "a/x", "a/y"]),
        owner(&home, &["copy", "a/b", "a/c"]),
        owner(&home, &["config", "set", "idle-timeout", "99999"]),
        owner(&home, &["session", "end", "nope"]),
        owner(&home, &["store", "x", "--file", "/nope"]),
        owner(&home, &["store", "x", "--tag", "a=1", "--tag", "a=2", "--generate"]),
        owner(&home, &["get", "a/b", "--version", "9"]),
        owner(&home, &["get", "a/b", "--env", "X", "--json"]),
        owner(&home, &["audit", "--operation", "nope"]),
        home.cli(["get", "a", "--url", "https://localhost:1"]).token(&t).run(),
    ] {
        assert_ne!(ran.code, Some(0), "{ran}");
        let lines = ran.err();
        assert!(lines.trim_end().lines().count() == 2 || lines.starts_with('{'), "{ran}");
    }
    for words in [&["get", "z", "--env", "X"][..], &["get", "a//z", "--env=X"]] {
        let ran = owner(&home, words);
        assert_eq!(ran.out(), format!("(exit {})\n", ran.code.unwrap()), "{ran}");
    }
    assert_eq!(owner(&home, &["get", "a/b", "-o", "-"]).ok().out(), "v");
    let version = owner(&home, &["get", "a/b", "--version", "9"]).exits(3);
    assert!(version.err().contains("hq-vault show a/b"), "{version}");
}
