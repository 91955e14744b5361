//! `store`.

use crate::support::{home, ordinary, owner, store, vault};
use std::process::{Command, Stdio};

#[test]
fn the_confirmation_is_byte_for_byte() {
    let home = home();
    let _server = vault(&home);
    let ran = home
        .cli(["store", "stripe/secret-key", "--type", "api-key", "--description", "Stripe live secret key"])
        .owner()
        .stdin("k".repeat(32))
        .run()
        .ok();
    assert_eq!(ran.out(), "✅ Stored: stripe/secret-key (32 bytes, type: api-key)\n");
    assert_eq!(ran.err(), "");
    let again = home.cli(["store", "stripe/secret-key"]).owner().stdin("v\n").run().ok();
    assert_eq!(again.out(), "✅ Stored: stripe/secret-key (1 bytes, type: api-key)\n");
    assert!(again.err().contains("--raw keeps it"), "{again}");
    let taken = home.cli(["store", "stripe/secret-key", "--create"]).owner().stdin("v").run();
    taken.exits(7);
    let json = home.cli(["store", "a/b", "--json", "--tag", "team=x"]).owner().stdin("v").run().ok().json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["metadata"]["tags"]["team"], "x");
}

#[test]
fn in3_every_value_comes_back_byte_for_byte() {
    let home = home();
    let _server = vault(&home);
    let all: Vec<u8> = (0..=255).collect();
    let cases: [(&str, Vec<u8>); 6] = [
        ("one", b"x".to_vec()),
        ("all", all),
        ("crlf", b"a\r\nb\r\n".to_vec()),
        ("open", b"a\nb".to_vec()),
        ("utf8", "ключ é 日本".as_bytes().to_vec()),
        ("mebibyte", vec![0xa5; 1 << 20]),
    ];
    for (path, value) in &cases {
        store(&home, path, value);
        assert!(owner(&home, &["get", path]).ok().stdout == *value, "{path}");
    }
    let empty = home.cli(["store", "empty", "--allow-empty"]).owner().run().ok();
    assert_eq!(empty.out(), "✅ Stored: empty (0 bytes, type: other)\n");
    assert!(owner(&home, &["get", "empty"]).ok().stdout.is_empty());
    let over = home.cli(["store", "over"]).owner().stdin(vec![b'x'; (1 << 20) + 1]).run().exits(2);
    assert!(over.err().contains("over 1 MiB"), "{over}");
    owner(&home, &["get", "over"]).exits(3);
}

#[test]
fn in4_nothing_is_stored_from_nothing() {
    let home = ordinary();
    let _server = vault(&home);
    home.write("closed", "x", 0o000);
    let fifo = home.path().join("fifo");
    assert!(Command::new("mkfifo").args(["-m", "666"]).arg(&fifo).status().unwrap().success());
    let directory = home.path().to_string_lossy().into_owned();
    let fifo = fifo.to_string_lossy().into_owned();
    for (file, words, code) in [
        (directory.as_str(), "directory", 1),
        (fifo.as_str(), "writes to this FIFO", 1),
        ("/dev/zero", "over 1 MiB", 2),
        ("/dev/null", "is empty", 2),
        ("closed", "permission denied", 1),
        ("gone", "no such file", 1),
    ] {
        let ran = home.cli(["store", "in4", "--file", file]).owner().run().exits(code);
        assert!(ran.err().to_lowercase().contains(&words.to_lowercase()), "{file}: {ran}");
        assert_eq!(ran.out(), "", "{file}");
    }
    home.cli(["store", "in4"]).owner().run().exits(2);
    home.cli(["store", "in4"]).owner().stdin("\n").run().exits(2);
    owner(&home, &["get", "in4"]).exits(3);
}

#[test]
fn in4_a_process_substitution_and_a_closed_stdin() {
    let home = ordinary();
    let _server = vault(&home);
    home.write(".env", "A=1\nDATABASE_URL=postgres://u:p=q@h/db\n", 0o600);
    let script = format!(
        "'{bin}' store myapp/database-url --file <(grep DATABASE_URL .env | cut -d= -f2-) || exit; \
         '{bin}' store closed <&-; echo code $?",
        bin = home.program().display()
    );
    // The real shell of a person: `<(...)` is bash's.
    let mut command = Command::new("bash");
    command
        .args(["-c", &script])
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HQ_VAULT_PASSPHRASE_FILE", home.passphrase_file())
        .current_dir(home.path())
        .stdin(Stdio::null());
    if hqv_sys::process::uid() == 0 {
        hqv_test::ordinary::become_ordinary(&mut command);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with("✅ Stored: myapp/database-url (21 bytes, type: other)\n"), "{output:?}");
    assert!(said.ends_with("code 2\n"), "{output:?}");
    assert_eq!(owner(&home, &["get", "myapp/database-url"]).ok().out(), "postgres://u:p=q@h/db");
}

#[test]
fn mm2_a_value_on_the_command_line_is_refused_unseen() {
    let home = home();
    let _server = vault(&home);
    for words in [
        &["store", "a/b", "CANARY-9"][..],
        &["store", "a/b", "CANARY-9", "x"],
        &["store", "a/b", "--CANARY-9"],
    ] {
        let ran = home.cli(words).owner().run().exits(2);
        assert!(!ran.err().contains("CANARY"), "{ran}");
        assert!(!ran.err().is_empty());
    }
    owner(&home, &["get", "a/b"]).exits(3);
}

#[test]
fn slips_are_said_and_kept() {
    let home = home();
    let _server = vault(&home);
    for (value, word) in [("\"quoted\"", "quote"), ("v\r", "carriage return"), ("A=1\nB=2\n", "NAME=")] {
        let ran = home.cli(["store", "slip"]).owner().stdin(value).run().ok();
        assert!(ran.err().contains(word), "{ran}");
        assert_eq!(owner(&home, &["get", "slip"]).ok().out(), value);
    }
}

#[test]
fn a_generated_value_is_seen_by_nobody() {
    let home = home();
    let _server = vault(&home);
    let ran = owner(&home, &["store", "g", "--generate=48"]).ok();
    assert_eq!(ran.out(), "✅ Stored: g (48 bytes, type: other)\n");
    let value = owner(&home, &["get", "g"]).ok().out();
    assert!(value.len() == 48 && value.bytes().all(|b| b.is_ascii_alphanumeric()));
    assert_eq!(
        owner(&home, &["store", "g", "--generate"]).ok().out(),
        "✅ Stored: g (32 bytes, type: other)\n"
    );
    for bad in ["--generate=7", "--generate=x", "--generate=5000", "--generate=-1"] {
        owner(&home, &["store", "g", bad]).exits(2);
    }
}

#[test]
fn a_person_types_it_hidden() {
    let home = home();
    let _server = vault(&home);
    let mut terminal = home.cli(["store", "typed/key"]).owner().on_terminal();
    terminal.wait_for("Value for typed/key");
    assert!(!terminal.echoes());
    terminal.line("CANARY-typed");
    let ran = terminal.finish().ok();
    assert!(!ran.err().contains("CANARY"), "{ran}");
    assert!(ran.err().contains("✅ Stored: typed/key (12 bytes, type: other)"), "{ran}");
    assert_eq!(owner(&home, &["get", "typed/key"]).ok().out(), "CANARY-typed");
    let shown = owner(&home, &["show", "typed/key", "--json"]).ok().json();
    assert_eq!(shown["versions"][0]["route"], "tty");
}

#[test]
fn bad_metadata_stores_nothing() {
    let home = home();
    let _server = vault(&home);
    for words in [
        &["--type", "banana"][..],
        &["--expires", "banana"],
        &["--expires", "1y"],
        &["--tag", "novalue"],
        &["--env", "9X"],
        &["--description", &"d".repeat(1025)],
    ] {
        let ran = home.cli(["store", "bad"].iter().chain(words)).owner().stdin("v").run().exits(2);
        assert!(!ran.err().is_empty(), "{words:?}");
    }
    owner(&home, &["get", "bad"]).exits(3);
}
