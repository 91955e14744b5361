//! `list`, `move`, `copy`, `delete`.

use crate::support::{home, owner, store, vault};

#[test]
fn prefixes_are_whole_segments() {
    let home = home();
    let _server = vault(&home);
    for path in ["aws/prod/key", "aws/dev/key", "aws-old/key", "a_s/x"] {
        store(&home, path, b"v");
    }
    let paths = |words: &[&str]| -> Vec<String> {
        let out = owner(&home, words).ok().out();
        out.lines().map(|l| l.split_whitespace().next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(paths(&["list", "aws"]), ["aws/dev/key", "aws/prod/key"]);
    assert_eq!(paths(&["list", "aws/"]), ["aws/dev/key", "aws/prod/key"]);
    assert_eq!(paths(&["list", "AWS"]), [""; 0]);
    assert_eq!(paths(&["list", "a_s"]), ["a_s/x"]);
    assert_eq!(paths(&["list"]).len(), 4);
    assert_eq!(owner(&home, &["list", "--json"]).ok().json()["entries"].as_array().unwrap().len(), 4);
}

#[test]
fn a_secret_taken_for_a_prefix_is_said() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/key", b"v");
    for words in [["list", "a/key"], ["list", "a/key/"]] {
        let ran = owner(&home, &words).ok();
        assert!(ran.err().contains("hq-vault show a/key"), "{ran}");
        assert_eq!(ran.out(), "");
    }
    let ran = owner(&home, &["list", "a/other"]).ok();
    assert!(ran.err().contains("nothing under a/other") && !ran.err().contains("show"), "{ran}");
}

#[test]
fn filters_and_the_terminal() {
    let home = home();
    let _server = vault(&home);
    let long = "a description that is much longer than what is left of a terminal of eighty columns";
    home.cli(["store", "k/one", "--type", "api-key", "--tag", "team=a", "--description", long])
        .owner()
        .stdin("v")
        .run()
        .ok();
    store(&home, "k/two", b"v");
    assert_eq!(owner(&home, &["list", "--type", "api-key"]).ok().out().lines().count(), 1);
    assert_eq!(owner(&home, &["list", "--tag", "team=a"]).ok().out().lines().count(), 1);
    assert_eq!(owner(&home, &["list", "--tag", "team=b"]).ok().out(), "");
    let piped = owner(&home, &["list"]).ok().out();
    assert!(piped.contains(long) && !piped.contains("PATH"), "{piped}");
    let shown = home.cli(["list", "--no-color"]).owner().on_terminal().finish().ok().err();
    assert!(shown.contains("PATH") && shown.contains("k/one") && !shown.contains(long), "{shown}");
    assert!(shown.lines().all(|l| l.trim_end().chars().count() <= 80), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn in6_terminal_escapes_are_shown_and_not_obeyed() {
    let home = home();
    let _server = vault(&home);
    home.cli(["store", "esc", "--description", "red \x1b[31m and\nnew line"]).owner().stdin("v").run();
    for words in [&["list"][..], &["show", "esc"], &["audit"]] {
        let ran = owner(&home, words);
        assert!(!ran.out().contains('\x1b'), "{ran}");
    }
}

#[test]
fn move_copy_and_delete() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/one", b"1");
    store(&home, "a/taken", b"t");
    assert_eq!(owner(&home, &["move", "a/one", "b/one"]).ok().out(), "a/one is now b/one\n");
    owner(&home, &["get", "a/one"]).exits(3);
    assert_eq!(owner(&home, &["get", "b/one"]).ok().out(), "1");
    owner(&home, &["move", "b/one", "a/taken"]).exits(7);
    owner(&home, &["copy", "b/one", "a/taken"]).exits(7);
    owner(&home, &["copy", "b/one", "c/one"]).ok();
    assert_eq!(owner(&home, &["get", "c/one"]).ok().out(), "1");
    owner(&home, &["move", "no/such", "x"]).exits(3);
    let asked = owner(&home, &["delete", "c/one"]).exits(8);
    assert!(asked.err().contains("--force"), "{asked}");
    owner(&home, &["get", "c/one"]).ok();
    owner(&home, &["delete", "c/one", "--force"]).ok();
    owner(&home, &["get", "c/one"]).exits(3);
    owner(&home, &["delete", "c/one", "--force"]).exits(3);
}

#[test]
fn a_person_is_asked_before_a_delete() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"v");
    for (answer, code) in [("n", 8), ("", 8), ("y", 0)] {
        let mut terminal = home.cli(["delete", "a/b"]).owner().on_terminal();
        terminal.wait_for("[y/N]").line(answer);
        terminal.finish().exits(code);
    }
    owner(&home, &["get", "a/b"]).exits(3);
}
