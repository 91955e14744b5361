//! `run`. The masker itself is tested in hqv-mask, terminals in tests/run.sh.

use crate::support::{home, owner, store, token, vault};

const VALUE: &str = "s3cr3t/value with=odd&'things\"";

fn run(home: &hqv_test::Home, script: &str) -> hqv_test::Ran {
    owner(home, &["run", "--prefix", "app/", "--", "sh", "-c", script])
}

#[test]
fn ou5_values_reach_the_program_and_not_its_output() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", VALUE.as_bytes());
    for script in [
        "printf '<%s>' \"$KEY\"",
        "printf '<%s>' \"$KEY\" | base64 -w 20 | tr -d '\\n' | cut -c2- >/dev/null; printf '<%s>' \"$KEY\"",
        "printf '<'; for n in 1 2 3 4 5 6 7 8; do printf %s \"$KEY\" | cut -b $n | tr -d '\\n'; done; printf %s \"$KEY\" | tail -c +9; printf '>'",
    ] {
        assert_eq!(run(&home, script).ok().out(), "<[secret]>", "{script}");
    }
    assert_eq!(run(&home, "printf %s \"$KEY\" >&2").ok().err(), "[secret]");
    let length = run(&home, "printf %s \"$KEY\" | wc -c").ok();
    assert_eq!(length.out().trim(), VALUE.len().to_string());
    let bare = owner(&home, &["run", "--prefix", "app/", "--no-mask", "--", "printenv", "KEY"]).ok();
    assert_eq!(bare.out(), format!("{VALUE}\n"));
}

#[test]
fn ou6_traces_groups_and_env_are_masked() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", VALUE.as_bytes());
    for script in [
        "env",
        "export -p",
        "set",
        "set -x; : \"$KEY\"",
        "echo \"::group::$KEY\"; echo \"::add-mask::$KEY\"; echo ::endgroup::",
        "bash -xc ': \"$KEY\"; declare -p KEY; printf \"%q\\n\" \"$KEY\"'",
        "printf %s \"$KEY\" | od -An -v -tx1; printf %s \"$KEY\" | base64 -w 7",
        "python3 -c 'import os, json, urllib.parse as u; k = os.environ[\"KEY\"]; print(json.dumps(k), repr(k), ascii(k), u.quote(k), u.quote_plus(k), k.encode(\"utf-16\"))'",
    ] {
        let ran = run(&home, script);
        let said = ran.out() + &ran.err();
        for part in ["s3cr3t/value", "s3cr3t%2Fvalue", "value with", "odd&"] {
            assert!(!said.contains(part), "{script}: {said}");
        }
        assert!(said.contains("[secret]"), "{script}: {said}");
    }
}

#[test]
fn ou4_exit_codes_and_signals() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", VALUE.as_bytes());
    for (script, code) in
        [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)]
    {
        for more in [&[][..], &["--no-mask"]] {
            // Without masking we have become the shell, and its signal is ours.
            if code > 128 && code != 255 && !more.is_empty() {
                continue;
            }
            let words = [&["run", "--prefix", "app/"], more, &["--", "sh", "-c", script]].concat();
            owner(&home, &words).exits(code);
        }
    }
    for more in [&[][..], &["--no-mask"]] {
        let missing = [&["run", "--prefix", "app/"], more, &["--", "no-such-program-here"]].concat();
        assert!(owner(&home, &missing).exits(127).err().contains("no-such-program-here"));
        let folder = [&["run", "--prefix", "app/"], more, &["--", "/etc"]].concat();
        owner(&home, &folder).exits(126);
    }
    let nothing = owner(&home, &["run", "--prefix", "no/such/", "--", "touch", "started"]).exits(3);
    assert!(nothing.out().is_empty() && !home.path().join("started").exists());
    owner(&home, &["run", "--", "true"]).exits(2);
}

#[test]
fn ou4_stdin_and_closed_output() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", VALUE.as_bytes());
    let echoed = home
        .cli(["run", "--prefix", "app/", "--", "cat"])
        .owner()
        .stdin(b"a\0b\xff\nend".to_vec())
        .run()
        .ok();
    assert_eq!(echoed.stdout, b"a\0b\xff\nend");
    let hq = home.program().display().to_string();
    let script = format!("{hq} run --prefix app/ -- sh -c 'yes; echo ended >&2' | head -1");
    let ran = std::process::Command::new("sh")
        .args(["-c", &script])
        .env("HOME", home.path())
        .env("HQ_VAULT_PASSPHRASE_FILE", home.passphrase_file())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "y\n");
}

#[test]
fn ou4_what_outlives_the_program_is_still_masked() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", VALUE.as_bytes());
    let fifo = home.path().join("go");
    // The program ends at once; what it left writes when the fifo is opened.
    let script = format!("mkfifo {0}; (read x < {0}; echo \"late $KEY\") & echo early", fifo.display());
    let mut child = std::process::Command::new(home.program())
        .args(["run", "--prefix", "app/", "--", "sh", "-c", &script])
        .env("HOME", home.path())
        .env("HQ_VAULT_PASSPHRASE_FILE", home.passphrase_file())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    assert!(child.wait().unwrap().success());
    std::fs::write(&fifo, "go\n").unwrap();
    let mut out = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut out).unwrap();
    assert_eq!(out, "early\nlate [secret]\n");
}

#[test]
fn the_vaults_own_variables_stay_here() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", VALUE.as_bytes());
    let worker = token(&home, &["--name", "worker", "--path", "app/", "--can", "read,list"]);
    let words = |more: &[&str]| {
        let all =
            [&["run", "--prefix", "app/"], more, &["--", "sh", "-c", "env | grep -c ^HQ_VAULT_TOKEN=; env"]]
                .concat();
        home.cli(all).token(&worker).env("HQ_VAULT_SESSION_ONCE", "1").run()
    };
    let without = words(&[]).ok();
    assert!(without.out().starts_with("0\n"), "{without}");
    assert!(!without.out().contains("HQ_VAULT_"), "{without}");
    assert!(without.out().contains("NODE_EXTRA_CA_CERTS="), "{without}");
    let with = words(&["--pass-token"]).ok();
    assert!(with.out().starts_with("1\n") && with.out().contains("HQ_VAULT_TOKEN=[secret]"), "{with}");
    assert!(!with.out().contains(&worker));
    owner(&home, &["run", "--prefix", "app/", "--pass-token", "--", "true"]).exits(2);
}

#[test]
fn names_files_and_what_no_variable_can_hold() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", VALUE.as_bytes());
    store(&home, "app/pin", b"12345");
    store(&home, "tls/key", &[b"-----BEGIN-----\0".as_slice(), &[7; 200_000]].concat());
    let named =
        owner(&home, &["run", "--env", "OTHER=app/key", "--", "sh", "-c", "echo ${KEY-none} ${#OTHER}"]).ok();
    assert_eq!(named.out(), format!("none {}\n", VALUE.len()));
    let short = run(&home, "echo $PIN").ok();
    assert_eq!(short.out(), "12345\n");
    assert!(short.err().contains("app/pin is too short"), "{short}");
    let refused = owner(&home, &["run", "--env", "TLS=tls/key", "--", "touch", "started"]).exits(2);
    assert!(refused.err().contains("tls/key") && refused.err().contains("--file"), "{refused}");
    assert!(!home.path().join("started").exists());
    for more in [&[][..], &["--no-mask"]] {
        let script = "wc -c < \"$TLS\"; cat \"$TLS\" | wc -c; (echo x > \"$TLS\") 2>/dev/null || echo sealed";
        let words = [&["run", "--file", "TLS=tls/key"], more, &["--", "sh", "-c", script]].concat();
        let ran = owner(&home, &words).ok();
        assert_eq!(ran.out().split_whitespace().collect::<Vec<_>>(), ["200016", "200016", "sealed"], "{ran}");
    }
}

#[test]
fn one_use_for_all() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", VALUE.as_bytes());
    store(&home, "app/other", b"another value");
    let worker = token(&home, &["--name", "once", "--path", "app/", "--can", "read,list", "--max-uses", "1"]);
    home.cli(["run", "--prefix", "app/", "--", "true"]).token(&worker).run().ok();
    home.cli(["run", "--prefix", "app/", "--", "true"]).token(&worker).run().exits(4);
}

#[test]
fn ou2_a_secret_does_not_choose_what_runs() {
    let home = home();
    let _server = vault(&home);
    for path in ["app/path", "app/ld-preload"] {
        store(&home, path, b"/tmp/elsewhere");
        let ran = owner(&home, &["run", "--prefix", "app", "--", "true"]).exits(2);
        assert!(ran.err().contains("decides what shells and programs run"), "{ran}");
        owner(&home, &["delete", "--force", path]).ok();
    }
}
