//! `config`, and `config.toml` (row IN5).

use crate::support::{home, owner, vault};

#[test]
fn settings_are_shown_and_changed_by_the_owner() {
    let home = home();
    let _server = vault(&home);
    let shown = owner(&home, &["config", "show"]).ok().out();
    assert!(shown.contains("idle-timeout") && shown.contains("13100"), "{shown}");
    assert_eq!(owner(&home, &["config", "set", "idle-timeout", "60"]).ok().out(), "idle-timeout is now 60\n");
    for (key, value) in
        [("idle-timeout", "40000"), ("idle-timeout", "-1"), ("idle-timeout", ""), ("colour", "red")]
    {
        owner(&home, &["config", "set", key, value]).exits(2);
    }
    let json = owner(&home, &["config", "show", "--json"]).ok().json();
    let idle = json["settings"].as_array().unwrap().iter().find(|s| s["key"] == "idle-timeout").unwrap();
    assert_eq!((&idle["value"], &idle["source"]), (&"60".into(), &"vault".into()));
    home.cli(["config", "set", "idle-timeout", "5"]).run().exits(4);
    let token = crate::support::token(&home, &["--name", "t"]);
    home.cli(["config", "set", "idle-timeout", "5"]).token(&token).run().exits(4);
    let port = owner(&home, &["config", "set", "port", "1"]).exits(2);
    assert!(port.err().contains("config.toml"), "{port}");
}

#[test]
fn in5_a_bad_file_names_line_and_key_for_every_command() {
    let home = home();
    home.make_dir(".hq-vault");
    for (content, words) in [
        (&b"port = 1\ncolour = true\n"[..], "line 2: unknown key colour"),
        (b"idle-timeout = 0\n", "line 1: idle-timeout belongs to the vault"),
        (b"[audit]\nmirror = \"x\"\n", "audit.mirror belongs to the vault"),
        (b"port = \"many\"\n", "line 1: port is not a number"),
        (b"port = 1\n\xff\xfe\n", "line 2: not UTF-8"),
        (b"port\n", "line 1"),
    ] {
        home.write(".hq-vault/config.toml", content, 0o600);
        for command in [&["status"][..], &["get", "a"], &["serve", "--daemon"]] {
            let ran = home.cli(command).run().exits(2);
            assert!(ran.err().contains(words), "{command:?} {ran}");
        }
    }
    std::fs::remove_file(home.vault_file("config.toml")).unwrap();
    std::process::Command::new("mkfifo").arg(home.vault_file("config.toml")).status().unwrap();
    let ran = home.cli(["status"]).run().exits(2);
    assert!(ran.err().contains("not a file"), "{ran}");
    std::fs::remove_file(home.vault_file("config.toml")).unwrap();
    let file = std::fs::File::create(home.vault_file("config.toml")).unwrap();
    file.set_len(100 << 20).unwrap();
    let ran = home.cli(["status"]).run().exits(2);
    assert!(ran.err().contains("64 KiB"), "{ran}");
}
