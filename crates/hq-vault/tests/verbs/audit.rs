//! `audit`: reading, following, proving.

use crate::support::{home, owner, store, token, vault};

#[test]
fn records_are_read_filtered_and_printed_as_json_lines() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", b"v");
    store(&home, "other/key", b"v");
    let t = token(&home, &["--name", "worker", "--path", "app/", "--can", "read"]);
    home.cli(["get", "app/key"]).token(&t).run().ok();
    home.cli(["get", "other/key"]).token(&t).run().exits(4);
    let lines = |words: &[&str]| -> Vec<serde_json::Value> {
        let out = owner(&home, &[&["audit", "--json"], words].concat()).ok().out();
        out.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    };
    let gets = lines(&["--operation", "get"]);
    assert_eq!(gets.len(), 2);
    assert_eq!((&gets[0]["outcome"], &gets[1]["outcome"]), (&"ok".into(), &"denied".into()));
    assert_eq!(gets[0]["identity"]["name"], "worker");
    assert_eq!(gets[0]["items"][0]["path"], "app/key");
    assert_eq!(lines(&["--path", "app/"]).len(), 2);
    assert_eq!(lines(&["--limit", "1"]).len(), 1);
    assert!(lines(&["--until", "2020-01-01"]).is_empty());
    assert!(!lines(&["--since", "1h", "--token", "worker"]).is_empty());
    let told = owner(&home, &["audit", "--operation", "get"]).ok().out();
    assert!(told.contains("denied") && told.contains("out of scope") && told.contains("worker"), "{told}");
    for bad in [&["--limit", "0"][..], &["--limit", "x"], &["--since", "banana"], &["--operation", "fly"]] {
        owner(&home, &[&["audit"], bad].concat()).exits(2);
    }
}

#[test]
fn a_tail_shows_what_happens_and_ends_with_the_lock() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", b"v");
    let mut tail = home.cli(["audit", "--tail", "--operation", "get", "--no-color"]).owner().on_terminal();
    // Something from before, shown once the stream stands.
    owner(&home, &["get", "app/key"]).ok();
    tail.wait_for("app/key");
    let t = token(&home, &["--name", "seen-live", "--path", "app/", "--can", "read"]);
    home.cli(["get", "app/key"]).token(&t).run().ok();
    tail.wait_for("seen-live");
    owner(&home, &["lock"]).ok();
    let ran = tail.finish().exits(5);
    assert_eq!(ran.err().matches("seen-live").count(), 1, "{ran}");
}

#[test]
fn the_record_is_proven_here_and_elsewhere() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", b"v");
    let proven = owner(&home, &["audit", "verify"]).ok().out();
    assert!(proven.starts_with("proven: ") && proven.contains("everything"), "{proven}");
    let key = owner(&home, &["audit", "public-key"]).ok().out().trim_end().to_owned();
    let checkpoint = owner(&home, &["audit", "checkpoint"]).ok().out();
    home.write("checkpoint", &checkpoint, 0o600);
    owner(&home, &["audit", "verify", "--against", "checkpoint"]).ok();
    let log = std::fs::read(home.vault_file("audit.log")).unwrap();
    home.write("copy.log", &log, 0o600);
    // Elsewhere: no vault, no secret, no daemon.
    let other = crate::support::home();
    let copy = home.path().join("copy.log").to_string_lossy().into_owned();
    let verify = |words: &[&str]| other.cli([&["audit", "verify", copy.as_str()], words].concat()).run();
    verify(&["--public-key", &key]).ok();
    let chain = verify(&["--json"]).ok().json();
    assert_eq!(chain["level"], "chain");
    verify(&["--public-key", "nonsense"]).exits(2);
    let mut changed = log.clone();
    let middle = changed.len() / 2;
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    home.write("copy.log", &changed, 0o600);
    let ran = verify(&["--public-key", &key]).exits(1);
    assert!(ran.out().contains("not proven"), "{ran}");
    let cut = &log[..log.len() / 3];
    home.write("copy.log", cut, 0o600);
    let against = home.path().join("checkpoint").to_string_lossy().into_owned();
    verify(&["--public-key", &key, "--against", &against]).exits(1);
    other.cli(["audit", "verify", "gone.log"]).run().exits(2);
}
