//! The record over time: files set aside, tails that go on, copies, retention.

use std::fs;
use std::time::{Duration, Instant};

use hqv_test::Home;
use serde_json::Value;

use crate::support::{home, owner, store, token, vault};

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

fn json_lines(text: &str) -> Vec<Value> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn set(home: &Home, key: &str, value: &str) {
    owner(home, &["config", "set", key, value]).ok();
}

fn set_aside(home: &Home) -> usize {
    let files = fs::read_dir(home.vault_file("")).unwrap();
    files.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with("audit-")).count()
}

/// Reads until the record has another file.
fn fill(home: &Home) {
    let before = set_aside(home);
    let long = format!("app/{}", "x".repeat(500));
    until("a file is set aside", || {
        home.cli(["get", long.as_str()]).owner().run().exits(3);
        set_aside(home) > before
    });
}

#[test]
fn au2_a_rotated_record_is_read_proven_and_exported_as_one() {
    let home = home();
    let server = vault(&home);
    store(&home, "app/key", b"v");
    set(&home, "audit.rotate-size", "64K");
    fill(&home);
    let server = server.restart();
    owner(&home, &["unlock"]).ok();
    let proven = owner(&home, &["audit", "verify"]).ok().out();
    assert!(proven.starts_with("proven: "), "{proven}");
    let exported = json_lines(&owner(&home, &["audit", "export", "--json"]).ok().out());
    let numbers: Vec<u64> = exported.iter().map(|r| r["sequence"].as_u64().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(exported[0]["operation"], "init");
    let denied = json_lines(&owner(&home, &["audit", "export", "--json", "--outcome", "denied"]).ok().out());
    assert!(denied.iter().all(|r| r["outcome"] == "denied"));
    let key = owner(&home, &["audit", "public-key"]).ok().out().trim().to_owned();
    server.stop();
    let mut files: Vec<_> = fs::read_dir(home.vault_file(""))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.file_name().unwrap().to_string_lossy().starts_with("audit"))
        .collect();
    let number = |path: &std::path::Path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.trim_start_matches("audit-").trim_end_matches(".log").parse().unwrap_or(u64::MAX)
    };
    files.sort_by_key(|path| number(path));
    let words: Vec<String> = files.iter().map(|f| f.to_string_lossy().into_owned()).collect();
    let elsewhere = crate::support::home();
    let verify = |words: &[String]| {
        let first = ["audit", "verify", "--public-key", key.as_str()];
        elsewhere.cli(first.into_iter().chain(words.iter().map(String::as_str))).run()
    };
    verify(&words).ok();
    // Without the first file, or without one in between, it is not the whole.
    verify(&words[1..]).exits(1);
}

#[test]
fn a_tail_goes_on_after_rotation_and_a_restart_and_shows_nothing_twice() {
    let home = home();
    let server = vault(&home);
    store(&home, "app/key", b"v");
    let mut tail = home.cli(["audit", "--tail", "--operation", "get", "--no-color"]).owner().on_terminal();
    let see = |claim: &str, tail: &mut hqv_test::Terminal| {
        let t = token(&home, &["--name", claim, "--path", "app/", "--can", "read"]);
        home.cli(["get", "app/key"]).token(&t).run().ok();
        tail.wait_for(claim);
    };
    owner(&home, &["get", "app/key"]).ok();
    tail.wait_for("app/key");
    see("before-all", &mut tail);
    set(&home, "audit.rotate-size", "64K");
    fill(&home);
    see("after-rotation", &mut tail);
    let server = server.restart();
    owner(&home, &["unlock"]).ok();
    see("after-restart", &mut tail);
    owner(&home, &["lock"]).ok();
    let ran = tail.finish().exits(5);
    for once in ["before-all", "after-rotation", "after-restart"] {
        assert_eq!(ran.err().matches(once).count(), 1, "{once}\n{ran}");
    }
    server.stop();
}

#[test]
fn au2_a_mirror_has_every_record_and_one_that_cannot_be_written_is_refused_and_recorded() {
    let home = home();
    let _server = vault(&home);
    let path = home.path().join("mirror.jsonl");
    let target = format!("file:{}", path.display());
    for bad in [format!("file:{}", home.vault_file("mirror").display()), "file:/no/such/folder/x".into()] {
        let ran = owner(&home, &["config", "set", "audit.mirror", &bad]).exits(2);
        assert!(ran.err().contains("cannot be the mirror"), "{ran}");
    }
    owner(&home, &["config", "set", "audit.mirror", "tcp:somewhere"]).exits(2);
    assert!(!home.vault_file("mirror").exists());
    set(&home, "audit.mirror", &target);
    let read = || json_lines(&fs::read_to_string(&path).unwrap_or_default());
    until("the first line", || {
        owner(&home, &["list"]).ok();
        !read().is_empty()
    });
    store(&home, "app/key", b"v");
    until("the put", || read().iter().any(|r| r["operation"] == "put"));
    let mirrored = read();
    let all = json_lines(&owner(&home, &["audit", "export", "--json"]).ok().out());
    let number = |r: &Value| r["sequence"].as_u64().unwrap();
    let (first, last) = (number(&mirrored[0]), number(mirrored.last().unwrap()));
    let expected: Vec<&Value> = all.iter().filter(|r| (first..=last).contains(&number(r))).collect();
    assert_eq!(mirrored.iter().collect::<Vec<_>>(), expected);
    let refused = all.iter().filter(|r| r["operation"] == "settings-change" && r["outcome"] == "failed");
    assert_eq!(refused.count(), 3, "each refusal is recorded");
    let status = owner(&home, &["status"]).ok();
    assert!(format!("{status}").contains("audit.mirror"), "{status}");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn another_vaults_checkpoint_and_a_key_of_the_wrong_length_are_refused_with_a_sentence() {
    let (home, stranger) = (home(), crate::support::home());
    let (_server, _other) = (vault(&home), vault(&stranger));
    let theirs = owner(&stranger, &["audit", "checkpoint"]).ok().out();
    home.write("theirs", &theirs, 0o600);
    let ran = owner(&home, &["audit", "verify", "--against", "theirs"]).exits(2);
    assert!(ran.err().contains("was not signed by this vault's key"), "{ran}");
    let key = owner(&home, &["audit", "public-key"]).ok().out().trim().to_owned();
    let log = home.vault_file("audit.log").to_string_lossy().into_owned();
    for bad in [&key[1..], &format!("{key}00"), &format!("{}zz", &key[2..]), ""] {
        let ran = owner(&home, &["audit", "verify", "--public-key", bad, &log]).exits(2);
        assert!(ran.err().contains("64 hexadecimal digits"), "{ran}");
    }
    let ran = owner(&home, &["audit", "verify", "--public-key", &key, "--against", "theirs", &log]).exits(2);
    assert!(ran.err().contains("was not signed by this vault's key"), "{ran}");
}

#[test]
fn what_the_owner_does_not_keep_goes_and_the_rest_is_proven() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", b"v");
    let checkpoint = owner(&home, &["audit", "checkpoint"]).ok().out();
    home.write("early", &checkpoint, 0o600);
    set(&home, "audit.rotate-size", "64K");
    fill(&home);
    fill(&home);
    // An unlock has the ledger take what it lacks: no line goes that it has not.
    owner(&home, &["lock"]).ok();
    owner(&home, &["unlock"]).ok();
    set(&home, "audit.retain", "1files");
    until("a file goes", || set_aside(&home) == 1);
    let ran = owner(&home, &["audit", "verify"]).ok();
    assert!(ran.out().contains("dropped by retention"), "{ran}");
    let retired = owner(&home, &["audit", "--operation", "audit-retire", "--json"]).ok().out();
    assert!(retired.contains("went by audit.retain"), "{retired}");
    // What was received long ago is known all the same.
    owner(&home, &["exposed", "--path", "app/key"]).ok();
}
