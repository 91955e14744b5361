//! `exposed` and `burn`, with a daemon that is killed in between.

use crate::support::{home, owner, store, token, vault};
use hqv_test::{Home, TestServer};

/// A family of two over `app/`, and another token: boss, worker, other.
fn family(home: &Home) -> [String; 3] {
    for path in ["app/key", "app/url", "app/mail"] {
        store(home, path, b"value");
    }
    let boss = token(home, &["--name", "boss", "--allow", "read,list,delegate on app/"]);
    let made = home.cli(["token", "create", "--name", "worker", "--path", "app/"]).token(&boss).run().ok();
    let other = token(home, &["--name", "other", "--path", "app/"]);
    [boss, made.out().trim_end().to_owned(), other]
}

/// Lines without the time, which goes on while a daemon starts.
fn lines(home: &Home, words: &[&str]) -> Vec<String> {
    let found = owner(home, &[&["exposed"], words].concat()).ok().out();
    let columns = |line: &str| -> Vec<String> {
        line.split("  ").map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
    };
    let without_time = |mut all: Vec<String>| {
        all.remove(5);
        all.join(" ")
    };
    found.lines().map(columns).map(without_time).collect()
}

#[test]
fn what_a_killed_daemon_handed_out_is_known_after_the_next_start() {
    let home = home();
    let server = vault(&home);
    let [_, worker, other] = family(&home);
    home.cli(["get", "app/key"]).token(&worker).run().ok();
    home.cli(["env-file", "app/"]).token(&worker).run().ok();
    home.cli(["get", "app/url"]).token(&other).run().ok();
    server.kill();
    let _server = TestServer::start(&home);
    home.cli(["unlock"]).owner().run().ok();
    assert_eq!(
        lines(&home, &["--token", "boss"]),
        [
            "app/key 1 boss/worker in plain get, batch (env-file) current",
            "app/mail 1 boss/worker in plain batch (env-file) current",
            "app/url 1 boss/worker in plain batch (env-file) current",
        ]
    );
    assert_eq!(lines(&home, &["--path", "app/url"]).len(), 3);
    assert_eq!(lines(&home, &["--since", "1h"]).len(), 7);
    let json = owner(&home, &["exposed", "--token", "other", "--json"]).ok().json();
    let line = &json["exposures"][0];
    assert_eq!((line["seen"].as_bool(), line["access"].as_str()), (Some(true), Some("exposed")));
    assert_eq!(line["identity"]["name"], "other");
}

#[test]
fn a_burn_names_what_to_rotate_and_the_mark_stands_until_that_is_done() {
    let home = home();
    let _server = vault(&home);
    let [boss, worker, other] = family(&home);
    home.cli(["get", "app/key"]).token(&worker).run().ok();
    home.cli(["get", "app/url"]).token(&worker).run().ok();
    home.cli(["get", "app/mail"]).token(&other).run().ok();
    let plan = owner(&home, &["burn", "boss", "--dry-run", "--json"]).ok().json();
    assert_eq!((plan["dryRun"].as_bool(), plan["ended"].as_u64()), (Some(true), Some(2)));
    home.cli(["get", "app/key"]).token(&worker).run().ok();
    let burnt = owner(&home, &["burn", "boss"]).ok();
    assert!(burnt.out().starts_with("Burnt: boss and 1 other of its family\n"), "{burnt}");
    let rotate: Vec<_> =
        burnt.out().lines().skip(1).map(|line| line.split_whitespace().nth(1).unwrap().to_owned()).collect();
    assert_eq!(rotate, ["app/key", "app/url"]);
    for text in [&boss, &worker] {
        home.cli(["get", "app/key"]).token(text).run().exits(4);
    }
    home.cli(["get", "app/key"]).token(&other).run().ok();
    assert!(owner(&home, &["status"]).ok().out().contains("exposed   2 secrets are known to a burnt token"));
    assert!(owner(&home, &["show", "app/key"]).ok().out().contains(": rotate it\n"));
    let listed = owner(&home, &["list", "--json"]).ok().json();
    let marked = |at: usize| listed["entries"][at]["metadata"]["exposedSince"].is_string();
    assert_eq!([marked(0), marked(1), marked(2)], [true, false, true]);
    store(&home, "app/key", b"new");
    assert!(owner(&home, &["status"]).ok().out().contains("exposed   1 secret is known"));
    let again = owner(&home, &["burn", "boss", "--json"]).ok().json();
    assert_eq!((again["ended"].as_u64(), again["marked"].as_u64()), (Some(0), Some(1)));
    assert_eq!(again["replaced"][0]["path"], "app/key");
}

#[test]
fn both_are_the_owners_and_a_name_must_mean_one_token() {
    let home = home();
    let _server = vault(&home);
    let [boss, ..] = family(&home);
    home.cli(["exposed"]).token(&boss).run().exits(4);
    home.cli(["burn", "worker"]).token(&boss).run().exits(4);
    owner(&home, &["burn", "unknown"]).exits(3);
    owner(&home, &["exposed", "--token", "unknown"]).exits(3);
    owner(&home, &["exposed", "--since", "yesterday-ish"]).exits(2);
    token(&home, &["--name", "worker", "--path", "app/"]);
    let refused = owner(&home, &["burn", "worker"]).exits(7);
    assert_eq!(refused.err().matches("tok_").count(), 2, "{refused}");
    owner(&home, &["exposed", "--token", "worker"]).exits(7);
}
