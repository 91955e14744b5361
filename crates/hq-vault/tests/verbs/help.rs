//! `--help`, `man`, `completions`: every example of every help runs.

use crate::support::{home, owner, store, vault};
use std::process::Command;

/// All verbs with their sub-verbs, from the help itself.
fn verbs(home: &hqv_test::Home) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let mut waiting = vec![Vec::new()];
    while let Some(words) = waiting.pop() {
        let help = home.cli(words.iter().map(String::as_str).chain(["--help"])).run().ok().out();
        let listed = help.split("Commands:\n").nth(1).unwrap_or_default();
        for line in listed.lines().take_while(|l| l.starts_with("  ")) {
            if let Some(name) =
                line.split_whitespace().next().filter(|n| *n != "help" && !line.starts_with("   "))
            {
                waiting.push(words.iter().cloned().chain([name.to_owned()]).collect());
            }
        }
        all.push(words);
    }
    all
}

#[test]
fn every_example_of_every_help_runs() {
    let home = home();
    let _server = vault(&home);
    for path in [
        "myapp/database-url",
        "myapp/old-name",
        "myapp/api-key",
        "stripe/secret-key",
        "old/api-key",
        "old/password",
        "tls/server-key",
    ] {
        store(&home, path, b"value");
    }
    home.write("key.pem", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n", 0o600);
    home.write(".env", "DATABASE_URL=value\n", 0o600);
    home.write("server.js", "", 0o600);
    home.write("config.template", "key: hqv://stripe/secret-key\n", 0o600);
    let bin = home.make_dir("bin");
    std::os::unix::fs::symlink(home.program(), bin.join("hq-vault")).unwrap();
    let mut examples: Vec<String> = Vec::new();
    for words in verbs(&home) {
        let help = home.cli(words.iter().map(String::as_str).chain(["--help"])).run().ok().out();
        examples.extend(help.lines().filter_map(|l| l.strip_prefix("  $ ")).map(str::to_owned));
    }
    examples.sort_by_key(|e| order(e));
    examples.dedup();
    assert!(examples.len() > 40, "{}", examples.len());
    for example in &examples {
        let output = in_bash(&home, example);
        let code = output.status.code();
        let expected = match example.as_str() {
            "hq-vault init" => 7,
            // Nobody types, nobody decides, and nothing waits under that code.
            e if e.contains("hq-vault ingest") || e.starts_with("hq-vault ask ") => 9,
            e if e.contains("hq-vault answer") => 2,
            e if e.contains("hq-vault approve") || e.contains("hq-vault deny") => 3,
            _ => 0,
        };
        assert_eq!(code, Some(expected), "{example}\n{output:?}");
    }
    let _ = owner(&home, &["--vault-dir", "other-vault", "serve", "--stop"]);
    let _ = owner(&home, &["serve", "--stop"]);
}

/// What ends or locks things comes last.
fn order(example: &str) -> u8 {
    match example {
        e if e.contains("serve --daemon") => 9,
        e if e.contains("serve --restart") => 10,
        e if e.contains("serve --stop") => 11,
        e if e.contains("hq-vault lock") => 8,
        e if e.contains("delete") || e.contains("revoke") || e.contains("move") => 5,
        e if e.contains("hq-vault burn") && !e.contains("--dry-run") => 5,
        e if e.contains("session end") => 4,
        e if e.contains("token freeze") => 2,
        e if e.contains("hq-vault thaw") => 3,
        e if e.contains("token create") => 0,
        _ => 1,
    }
}

fn in_bash(home: &hqv_test::Home, example: &str) -> std::process::Output {
    // The vault's daemon is stopped for the examples that start one.
    let before = match order(example) {
        9 => "hq-vault serve --stop >/dev/null; printf 'port = 0\n' > ~/.hq-vault/config.toml; ",
        _ if example.contains("other-vault") => {
            "mkdir -m 700 other-vault; echo 'port = 0' > other-vault/config.toml; "
        }
        _ => "",
    };
    let path = format!("{}:{}", home.path().join("bin").display(), std::env::var("PATH").unwrap());
    Command::new("bash")
        .args(["-c", &format!("set -o pipefail; STRIPE_KEY=sk_test_1; {before}{example}")])
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", path)
        .env("TMPDIR", home.path().join("tmp"))
        .env("HQ_VAULT_PASSPHRASE_FILE", home.passphrase_file())
        .current_dir(home.path())
        .output()
        .unwrap()
}

#[test]
fn man_pages_completions_and_version() {
    let home = home();
    assert!(home.cli(["man"]).run().ok().out().contains("HQ_VAULT_TOKEN_FILE"));
    assert!(home.cli(["man", "token", "create"]).run().ok().out().contains("max\\-uses"));
    home.cli(["man", "fly"]).run().exits(3);
    home.cli(["man", "--dir", "pages"]).run().ok();
    assert!(home.path().join("pages/hq-vault-token-create.1").exists());
    for shell in ["bash", "zsh", "fish"] {
        let script = home.cli(["completions", shell]).run().ok().out();
        assert!(script.contains("complete-paths"), "{shell}");
        let checked = Command::new(shell).arg("-n").arg(home.write("script", &script, 0o600)).output();
        assert!(checked.is_err() || checked.unwrap().status.success(), "{shell}");
    }
    assert_eq!(home.cli(["version"]).run().ok().out(), format!("hq-vault {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(home.cli(["--version"]).run().ok().out(), format!("hq-vault {}\n", env!("CARGO_PKG_VERSION")));
    home.cli::<[&str; 0], &str>([]).run().exits(2);
}

#[test]
fn paths_are_completed_for_who_may_list() {
    let home = home();
    let _server = vault(&home);
    for path in ["aws/prod/key", "aws/prod/url", "gcp/key"] {
        store(&home, path, b"v");
    }
    assert_eq!(owner(&home, &["complete-paths", "--", "aws/p"]).ok().out(), "aws/prod/key\naws/prod/url\n");
    assert_eq!(owner(&home, &["complete-paths"]).ok().out().lines().count(), 3);
    assert_eq!(home.cli(["complete-paths", "a"]).run().ok().out(), "");
}

#[test]
fn wrong_usage_is_two_lines_and_json_is_an_object() {
    let home = home();
    let ran = home.cli(["lst"]).run().exits(2);
    assert_eq!(ran.err().lines().count(), 2, "{ran}");
    let ran = home.cli(["get", "a", "--json", "--nonsense"]).run().exits(2);
    assert_eq!(ran.json_error()["code"], "BAD_REQUEST");
    assert!(ran.json_error()["hint"].is_string());
}
