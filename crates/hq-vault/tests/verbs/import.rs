//! `import`. How each reader reads is tested in the engine, against the readers themselves.

use crate::support::{home, owner, store, token, vault};
use hqv_test::Home;
use std::os::unix::fs::PermissionsExt;

fn write(home: &Home, name: &str, text: &[u8]) -> String {
    let file = home.path().join(name);
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn value(home: &Home, path: &str) -> String {
    owner(home, &["get", path]).ok().out()
}

const FILE: &[u8] =
    b"# made by hand\nDATABASE_URL='postgres://a:b@c/d'\nexport dbUrl=x1\nKEY=\"two\nlines\"\nEMPTY=\n";

#[test]
fn an_import_comes_back_as_the_same_variables_and_replace_leaves_references() {
    let home = home();
    let _server = vault(&home);
    let file = write(&home, ".env", FILE);
    let shown = owner(&home, &["import", &file, "--prefix", "app", "--dry-run"]).ok();
    assert!(shown.out().contains("app/database-url") && shown.out().contains("new"), "{shown}");
    for hidden in ["postgres", "x1", "two"] {
        assert!(!shown.out().contains(hidden) && !shown.err().contains(hidden), "{shown}");
    }
    assert_eq!(owner(&home, &["list", "app"]).ok().out(), "");
    let done = owner(&home, &["import", &file, "--prefix", "app", "--replace"]).ok();
    assert_eq!(done.out(), "✅ Imported: 4 secrets under app/\n");
    assert!(done.err().contains("may remain on the disk"), "{done}");
    assert_eq!(value(&home, "app/key"), "two\nlines");
    let json: serde_json::Value =
        serde_json::from_str(&owner(&home, &["env-file", "app", "--format", "json"]).ok().out()).unwrap();
    let wanted = serde_json::json!({"DATABASE_URL": "postgres://a:b@c/d", "dbUrl": "x1", "KEY": "two\nlines", "EMPTY": ""});
    assert_eq!(json, wanted);
    let left = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        left,
        "DATABASE_URL=hqv://app/database-url\ndbUrl=hqv://app/dburl\nKEY=hqv://app/key\nEMPTY=hqv://app/empty\n"
    );
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_conflict_stores_nothing_unless_it_is_said_what_to_do() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/b", b"old");
    let file = write(&home, ".env", b"A=1\nB=2\n");
    let import = |more: &[&str]| owner(&home, &[&["import", &file[..], "--prefix", "app"], more].concat());
    let refused = import(&[]).exits(7);
    assert!(refused.err().contains("app/b"), "{refused}");
    owner(&home, &["get", "app/a"]).exits(3);
    assert!(import(&["--dry-run"]).ok().out().contains("there already"));
    assert!(import(&["--on-conflict", "skip", "--replace"]).exits(2).err().contains("would lose"));
    assert_eq!(
        import(&["--on-conflict", "skip"]).ok().out(),
        "✅ Imported: 1 secret under app/ (1 skipped)\n"
    );
    assert_eq!(value(&home, "app/b"), "old");
    import(&["--on-conflict", "rename"]).ok();
    assert_eq!((value(&home, "app/a-2"), value(&home, "app/b-2")), ("1".into(), "2".into()));
    import(&["--on-conflict", "overwrite"]).ok();
    assert_eq!(value(&home, "app/b"), "2");
    let worker = token(&home, &["--name", "w", "--path", "app/a", "--can", "write"]);
    let out =
        home.cli(["import", &file, "--prefix", "app", "--on-conflict", "overwrite"]).token(&worker).run();
    out.exits(4);
}

#[test]
fn where_readers_differ_the_line_is_named_and_a_choice_is_asked_for() {
    let home = home();
    let _server = vault(&home);
    let file = write(&home, ".env", b"A=plain\nB=s3cr3t#x\nC=$(touch pwned)\n");
    let refused = owner(&home, &["import", &file, "--prefix", "app"]).exits(2);
    assert!(
        refused.err().contains("line 2: node, dotenv: 6 bytes; python, bash: 8 bytes, with #"),
        "{refused}"
    );
    assert!(refused.err().contains("line 3:") && refused.err().contains("--as node"), "{refused}");
    assert!(!refused.err().contains("s3cr3t"), "{refused}");
    let bash = owner(&home, &["import", &file, "--prefix", "app", "--as", "bash"]).exits(2);
    assert!(bash.err().contains("line 3 holds a $"), "{bash}");
    owner(&home, &["import", &file, "--prefix", "app", "--as", "python"]).ok();
    assert_eq!(value(&home, "app/b"), "s3cr3t#x");
    assert!(!home.path().join("pwned").exists());
}

#[test]
fn bad_files_have_their_sentence_and_store_nothing() {
    let home = home();
    let _server = vault(&home);
    let cases: &[(&[u8], &str, u8)] = &[
        (b"A=\"s3cr3t\n", "line 1 opens a quote that is never closed", 2),
        (b"A=s3cr3t\0\n", "line 1 holds a NUL byte", 2),
        (b"A=s3cr3t\r\nB=x\r\n", "end in CR LF", 2),
        (b"\xef\xbb\xbfA=s3cr3t\n", "byte-order mark", 2),
        (b"A=x\n1B=s3cr3t\n", "starts with a digit", 2),
        (b"A=x\n=s3cr3t\n", "has no name before the =", 2),
        (b"A_B=s3cr3t\na_b=s3cr3t\n", "would both become app/a-b", 7),
        (b"# only a comment\n", "holds no variable", 2),
    ];
    for (text, sentence, code) in cases {
        let file = write(&home, ".env", text);
        let refused = owner(&home, &["import", &file, "--prefix", "app"]).exits((*code).into());
        assert!(refused.err().contains(sentence), "{sentence}: {refused}");
        assert!(!refused.err().contains("s3cr3t"), "{refused}");
        assert_eq!(owner(&home, &["list", "app"]).ok().out(), "", "{sentence}");
    }
    let large = home.path().join("large");
    std::fs::File::create(&large).unwrap().set_len(100 << 20).unwrap();
    assert!(
        owner(&home, &["import", large.to_str().unwrap(), "--prefix", "a"])
            .exits(2)
            .err()
            .contains("over 16 MiB")
    );
    let twice = write(&home, ".env", b"A=1\nB=2\nA=3\n");
    let done = owner(&home, &["import", &twice, "--prefix", "app"]).ok();
    assert!(done.err().contains("line 1: A is set again below"), "{done}");
    assert_eq!(value(&home, "app/a"), "3");
    owner(&home, &["import", &twice]).exits(2);
}

#[test]
fn json_is_read_as_it_stands_and_only_flat() {
    let home = home();
    let _server = vault(&home);
    let file = write(
        &home,
        "a.json",
        br#"{"A": "\u00e9\n\ud83d\udd11", "N": 1.0, "BIG": 12345678901234567890, "T": true}"#,
    );
    owner(&home, &["import", &file, "--prefix", "app"]).ok();
    assert_eq!(value(&home, "app/a"), "é\n🔑");
    assert_eq!(
        (value(&home, "app/n"), value(&home, "app/big")),
        ("1.0".into(), "12345678901234567890".into())
    );
    for (text, sentence) in [
        (&br#"{"A": {"B": "s3cr3t"}}"#[..], "line 1 holds an object"),
        (b"{\"A\":\n null}", "line 2 holds null"),
        (b"{\"A\": \"s3cr3t}", "never closed"),
        (b"{\"A\": \"s3cr3t\"} x", "has text after the object"),
        (b"[\"s3cr3t\"]", "has no {"),
        (b"{\"A\": \"\\ud83d\"}", "not JSON"),
        (b"{\"A\": 0x1}", "not JSON"),
    ] {
        let file = write(&home, "b.json", text);
        let refused = owner(&home, &["import", &file, "--prefix", "bad"]).exits(2);
        assert!(refused.err().contains(sentence) && !refused.err().contains("s3cr3t"), "{refused}");
    }
    assert_eq!(owner(&home, &["list", "bad"]).ok().out(), "");
}

#[test]
fn a_scan_shows_names_and_counts_and_never_values() {
    let home = home();
    std::fs::create_dir_all(home.path().join("web/node_modules")).unwrap();
    write(&home, ".env", b"A=s3cr3t\nB=s3cr3t\n");
    write(&home, "web/.env.local", b"KEY=s3cr3t\nMIIs3cr3t\n");
    write(&home, "web/node_modules/.env", b"X=y\n");
    let found = home.cli(["import", "--scan", home.path().to_str().unwrap()]).run().ok();
    assert!(found.out().contains("A B") && found.out().contains(".env.local"), "{found}");
    assert!(!found.out().contains("s3cr3t") && !found.out().contains("node_modules"), "{found}");
}

#[test]
fn ten_thousand_lines_are_one_import_and_one_more_is_refused() {
    let home = home();
    let _server = vault(&home);
    let lines = |count: usize| (0..count).map(|i| format!("KEY_{i}=value{i}\n")).collect::<String>();
    let file = write(&home, ".env", lines(10_001).as_bytes());
    owner(&home, &["import", &file, "--prefix", "big"]).exits(2);
    let file = write(&home, ".env", lines(10_000).as_bytes());
    let begun = std::time::Instant::now();
    let done = owner(&home, &["import", &file, "--prefix", "big"]).ok();
    println!("10,000 lines in {:?}", begun.elapsed());
    assert_eq!(done.out(), "✅ Imported: 10000 secrets under big/\n");
    assert_eq!(value(&home, "big/key-9999"), "value9999");
}
