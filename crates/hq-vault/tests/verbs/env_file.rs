//! `env-file`. The formats themselves are tested in the engine.

use crate::support::{home, owner, store, token, vault};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

fn in_shell(home: &hqv_test::Home, shell: &[&str], script: &str) -> Output {
    let (program, args) = shell.split_first().unwrap();
    Command::new(program)
        .args(args)
        .args(["-c", &script.replace("hq-vault", &home.program().to_string_lossy())])
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HQ_VAULT_PASSPHRASE_FILE", home.passphrase_file())
        .current_dir(home.path())
        .output()
        .unwrap()
}

const SHELLS: &[&[&str]] = &[&["bash"], &["dash"], &["zsh", "-f"], &["ksh"], &["mksh"], &["busybox", "sh"]];

fn there(shell: &[&str]) -> bool {
    Command::new(shell[0]).arg("-c").arg("exit 0").output().is_ok()
}

#[test]
fn ou1_an_unquoted_eval_restores_values_and_a_failure_stops_set_e() {
    let home = home();
    let _server = vault(&home);
    let hard = "two  blanks *\n$(touch pwned) `id` 'q\" \\n é~ #";
    store(&home, "app/hard", hard.as_bytes());
    store(&home, "app/plain", b"v");
    for shell in SHELLS.iter().filter(|s| there(s)) {
        let good =
            in_shell(&home, shell, "eval $(hq-vault env-file app/ --format export); printf %s \"$HARD\"");
        assert_eq!(String::from_utf8_lossy(&good.stdout), hard, "{shell:?} {good:?}");
        let bad =
            in_shell(&home, shell, "set -e; eval $(hq-vault env-file no/such --format export); echo went on");
        assert!(!bad.status.success(), "{shell:?}");
        assert_eq!(String::from_utf8_lossy(&bad.stdout), "", "{shell:?}");
    }
    assert!(!home.path().join("pwned").exists());
}

#[test]
fn a_failing_shell_format_prints_the_exit_and_nothing_else() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/nul", b"a\0b");
    store(&home, "app/ok", b"v");
    let refused = owner(&home, &["env-file", "app", "--format", "export"]).exits(2);
    assert_eq!(refused.out(), "(exit 2)\n");
    assert!(refused.err().contains("app/nul"), "{refused}");
    assert_eq!(owner(&home, &["env-file", "a//b", "--format=export"]).exits(2).out(), "(exit 2)\n");
    assert_eq!(
        owner(&home, &["env-file", "app", "--format", "export", "--nonsense"]).exits(2).out(),
        "(exit 2)\n"
    );
    let nobody = home.cli(["env-file", "app", "--format", "export"]).run().exits(4);
    assert_eq!(nobody.out(), "(exit 4)\n");
    assert_eq!(owner(&home, &["env-file", "app"]).exits(2).out(), "");
}

#[test]
fn ou2_two_paths_with_one_name_are_both_named() {
    let home = home();
    let _server = vault(&home);
    for path in ["app/x-y", "app/x.y"] {
        store(&home, path, b"v");
    }
    let ran = owner(&home, &["env-file", "app"]).exits(7);
    assert!(ran.err().contains("app/x-y") && ran.err().contains("app/x.y"), "{ran}");
    assert_eq!(ran.out(), "");
    home.cli(["store", "app/x.y", "--env", "OTHER"]).owner().stdin("w").run().ok();
    let ran = owner(&home, &["env-file", "app", "--format", "json"]).ok().json();
    assert_eq!(ran, serde_json::json!({ "X_Y": "v", "OTHER": "w" }));
}

#[test]
fn a_file_is_whole_and_private_and_one_use() {
    let home = home();
    let _server = vault(&home);
    for n in 0..5 {
        store(&home, &format!("app/key{n}"), b"v");
    }
    let once = token(&home, &["--name", "once", "--max-uses", "1", "--path", "app/", "--can", "read"]);
    home.cli(["env-file", "app/", "-o", ".env"]).token(&once).run().ok();
    let file = home.path().join(".env");
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 5);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    home.cli(["env-file", "app/", "-o", ".env"]).token(&once).run().exits(4);
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 5);
    let record = owner(&home, &["audit", "--json", "--token", "once"]).ok().out();
    assert!(record.contains("\"claim\":\"env-file\""), "{record}");
}

#[test]
fn names_and_depth_are_of_one_choice_and_one_use() {
    let home = home();
    let _server = vault(&home);
    for path in ["app/url", "app/db/url", "app/db/deep/er", "shared/key"] {
        store(&home, path, path.as_bytes());
    }
    let wide = token(&home, &["--name", "wide", "--max-uses", "4", "--path", "app/", "--path", "shared/key"]);
    let json = |args: &[&str]| {
        let all = [&["env-file", "--format", "json"], args].concat();
        home.cli(all).token(&wide).run().ok().json()
    };
    let both = json(&["app", "--depth", "2", "--env", "KEY=shared/key", "--env", "MAIN_URL=app/url"]);
    let expected = serde_json::json!({ "DB_URL": "app/db/url", "KEY": "shared/key", "MAIN_URL": "app/url" });
    assert_eq!(both, expected);
    assert_eq!(
        json(&["--env", "A=app/url", "--env", "B=app/url"]),
        serde_json::json!({ "A": "app/url", "B": "app/url" })
    );
    let spent = owner(&home, &["token", "show", "wide", "--json"]).ok().json();
    assert_eq!(spent["useCount"], 2, "{spent}");
    let refused =
        |args: &[&str], code| home.cli([&["env-file"], args].concat()).token(&wide).run().exits(code);
    refused(&["app", "--env", "X=other/key"], 4);
    refused(&["app", "--env", "X=app/none"], 3);
    refused(&["app", "--env", "URL=shared/key"], 7);
    refused(&["--env", "PATH"], 2);
    refused(&["--env", "1X=app/url"], 2);
    refused(&["app", "--depth", "0"], 2);
    refused(&["--env", "X=app/url", "--depth", "1"], 2);
    refused(&[], 2);
    let spent = owner(&home, &["token", "show", "wide", "--json"]).ok().json();
    assert_eq!(spent["useCount"], 3, "a fetch that named one thing twice was a fetch all the same: {spent}");
}

#[test]
fn one_reader_is_written_for_and_others_are_not() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/odd", b"it's `x` $(y)");
    let refused = owner(&home, &["env-file", "app"]).exits(2);
    assert!(refused.err().contains("--for"), "{refused}");
    assert_eq!(owner(&home, &["env-file", "app", "--for", "bash"]).ok().out(), "ODD='it'\\''s `x` $(y)'\n");
    owner(&home, &["env-file", "app", "--for", "ruby"]).exits(2);
    owner(&home, &["env-file", "app", "--for", "bash", "--format", "json"]).exits(2);
}

#[test]
fn each_format_comes_out_and_each_shell_is_told_of_a_failure_in_its_language() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", b"v w");
    for (format, line) in [
        ("fish", "set -gx KEY 'v w';\n"),
        ("powershell", "$env:KEY = 'v w'\n"),
        ("docker", "KEY=v w\n"),
        ("systemd", "KEY=\"v w\"\n"),
        ("github", "KEY<<HQ_VAULT_END\nv w\nHQ_VAULT_END\n"),
        ("yaml", "\"KEY\": \"v w\"\n"),
    ] {
        assert_eq!(owner(&home, &["env-file", "app", "--format", format]).ok().out(), line);
    }
    assert_eq!(owner(&home, &["env-file", "none", "--format", "fish"]).exits(3).out(), "return 3\n");
    let thrown = owner(&home, &["env-file", "none", "--format", "powershell"]).exits(3).out();
    assert_eq!(thrown, "throw \"hq-vault ended with 3\"\n");
    assert_eq!(owner(&home, &["env-file", "none", "--format", "docker"]).exits(3).out(), "");
}

#[test]
fn a_stdout_that_others_can_read_is_said() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", b"v");
    for (mask, said) in [("077", false), ("022", true)] {
        let script = format!("umask {mask}; rm -f out; hq-vault env-file app > out");
        let ran = in_shell(&home, &["bash"], &script);
        assert!(ran.status.success());
        assert_eq!(String::from_utf8_lossy(&ran.stderr).contains("others can read"), said, "{ran:?}");
    }
}
