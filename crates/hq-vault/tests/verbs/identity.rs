//! Who acts, and who is asked.

use crate::support::{PASSPHRASE, home, ordinary, owner, store, token, vault};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_token_is_checked_before_anything_is_sent() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"v");
    let t = token(&home, &["--name", "t"]);
    let mut mistyped = t.clone().into_bytes();
    mistyped[20] = if mistyped[20] == b'A' { b'B' } else { b'A' };
    let mistyped = String::from_utf8(mistyped).unwrap();
    for (bad, word) in [
        ("", "empty"),
        ("  ", "empty"),
        (&t[..40], "cut"),
        (mistyped.as_str(), "mistyped"),
        ("hello", "not a token"),
        (&t.replacen("hqv_", "hqs_", 1), "mistyped"),
    ] {
        let ran = home.cli(["get", "a/b"]).token(bad).run().exits(4);
        assert!(ran.err().contains(word) && ran.err().contains("HQ_VAULT_TOKEN"), "{bad:?} {ran}");
        assert!(bad.len() < 10 || !ran.err().contains(&bad[4..]), "{ran}");
    }
    let unset = home.cli(["get", "a/b"]).env("HQ_VAULT_TOKEN_FILE", "").run().exits(4);
    assert!(unset.err().contains("HQ_VAULT_TOKEN_FILE is empty"), "{unset}");
    let newline = format!("{t}\n");
    assert_eq!(home.cli(["get", "a/b"]).token(&newline).run().ok().out(), "v");
    home.write("tokenfile", &newline, 0o600);
    let by_flag = home.cli(["get", "a/b", "--token-file", "tokenfile"]).token("").run().ok();
    assert_eq!(by_flag.out(), "v");
    assert_eq!(home.cli(["get", "a/b"]).env("HQ_VAULT_TOKEN_FILE", "tokenfile").run().ok().out(), "v");
    home.cli(["get", "a/b"]).env("HQ_VAULT_TOKEN_FILE", "nothing").run().exits(1);
}

#[test]
fn a_token_of_another_vault_is_unknown_here() {
    let (here, there) = (home(), home());
    let _servers = (vault(&here), vault(&there));
    let t = token(&there, &["--name", "t"]);
    let ran = here.cli(["list"]).token(&t).run().exits(4);
    assert!(ran.err().contains("the token from HQ_VAULT_TOKEN is not known to this vault"), "{ran}");
}

#[test]
fn with_nobody_there_the_way_to_act_is_said() {
    let home = home();
    let _server = vault(&home);
    let ran = home.cli(["get", "a/b"]).run().exits(4);
    assert!(ran.err().starts_with("hq-vault: not permitted: no token and no owner session here\n"), "{ran}");
    assert!(ran.err().contains("hq-vault unlock"), "{ran}");
    // A piped store cannot be asked either, and says so.
    home.cli(["store", "a/b"]).stdin("v").run().exits(4);
    let json = home.cli(["get", "a/b", "--json"]).run().exits(4).json_error();
    assert_eq!(json["code"], "UNAUTHORIZED");
    assert!(json["hint"].is_string());
}

#[test]
fn a_session_from_unlock_raw_acts_as_the_owner_until_it_ends() {
    let home = home();
    let _server = vault(&home);
    let session = owner(&home, &["unlock", "--raw"]).ok().out().trim_end().to_owned();
    assert!(session.starts_with("hqs_"));
    let by = |words: &[&str]| home.cli(words).env("HQ_VAULT_SESSION", &session).run();
    assert_eq!(by(&["whoami"]).ok().out().lines().next(), Some("owner"));
    by(&["session", "end"]).ok();
    let ran = by(&["list"]).exits(4);
    assert!(ran.err().contains("HQ_VAULT_SESSION") && ran.err().contains("hq-vault unlock"), "{ran}");
    home.cli(["list"]).env("HQ_VAULT_SESSION", "").run().exits(4);
    home.cli(["list"]).env("HQ_VAULT_SESSION", "hqs_x").run().exits(4);
}

#[test]
fn in8_the_passphrase_file() {
    let home = ordinary();
    let _server = vault(&home);
    let with = |file: &str| home.cli(["list"]).env("HQ_VAULT_PASSPHRASE_FILE", file).run();
    home.write("newline", format!("{PASSPHRASE}\n"), 0o600);
    home.write("empty", "", 0o600);
    home.write("wrong", "not the passphrase", 0o600);
    std::fs::remove_file(home.vault_file("session.cache")).unwrap();
    with("newline").ok();
    let mode = std::fs::metadata(home.vault_file("session.cache")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for mode in [0o644, 0o640, 0o606] {
        home.write("open", PASSPHRASE, mode);
        std::fs::remove_file(home.vault_file("session.cache")).ok();
        let ran = with("open").exits(4);
        assert!(ran.err().contains("others can read"), "{ran}");
        // Nor does a kept session help who shows such a file.
        with("newline").ok();
        with("open").exits(4);
    }
    with("empty").exits(4);
    with("").exits(4);
    with("missing").exits(1);
    std::fs::remove_file(home.vault_file("session.cache")).ok();
    let wrong = with("wrong").exits(4);
    assert!(!wrong.err().contains("not the passphrase"), "{wrong}");
}

#[test]
fn one_kdf_opens_a_session_that_is_reused() {
    let home = home();
    let _server = vault(&home);
    std::fs::remove_file(home.vault_file("session.cache")).unwrap();
    let runs: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..6).map(|_| scope.spawn(|| owner(&home, &["list"]).code)).collect();
        all.into_iter().map(|h| h.join().unwrap()).collect()
    });
    assert!(runs.iter().all(|code| *code == Some(0)), "{runs:?}");
    let sessions = owner(&home, &["session", "list", "--json"]).ok().json();
    // One of init, one of the six.
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 2, "{sessions}");
}

#[test]
fn a_person_is_asked_and_a_wrong_answer_is_refused() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"v");
    let mut terminal = home.cli(["get", "a/b"]).on_terminal();
    terminal.wait_for("Passphrase for ~/.hq-vault");
    assert!(!terminal.echoes());
    terminal.line(PASSPHRASE);
    let ran = terminal.finish().ok();
    assert!(ran.err().ends_with("v\r\n") && !ran.err().contains("correct horse"), "{ran}");
    let mut terminal = home.cli(["get", "a/b"]).on_terminal();
    terminal.wait_for("Passphrase for").line("wrong wrong wrong");
    terminal.finish().exits(4);
    let mut terminal = home.cli(["get", "a/b"]).on_terminal();
    terminal.wait_for("Passphrase for").keys(b"\x04");
    terminal.finish().exits(8);
}

#[test]
fn a_locked_vault_is_said_before_anybody_types() {
    let home = home();
    let _server = vault(&home);
    owner(&home, &["lock"]).ok();
    let ran = home.cli(["get", "a/b"]).on_terminal().finish().exits(5);
    assert!(ran.err().contains("locked") && !ran.err().contains("Passphrase"), "{ran}");
    let ran = home.cli(["store", "a/b"]).on_terminal().finish().exits(5);
    assert!(!ran.err().contains("Value"), "{ran}");
}
