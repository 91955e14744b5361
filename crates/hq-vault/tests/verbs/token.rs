//! `token` and `whoami`.

use crate::support::{home, owner, store, token, vault};

#[test]
fn the_token_alone_is_on_stdout() {
    let home = home();
    let _server = vault(&home);
    let ran =
        owner(&home, &["token", "create", "--name", "deploy-run-42", "--ttl", "1h", "--max-uses", "10"]).ok();
    let text = ran.out();
    assert!(text.starts_with("hqv_") && text.len() == 4 + 71 + 1 && text.ends_with('\n'), "{text}");
    assert!(ran.err().starts_with("✅ Token created: deploy-run-42\n"), "{ran}");
    assert!(ran.err().contains("read,list"), "{ran}");
    assert!(ran.err().contains("NODE_EXTRA_CA_CERTS="), "{ran}");
    let json =
        owner(&home, &["token", "create", "--name", "j", "--path", "a/", "--can", "read", "--json"]).ok();
    assert!(json.json()["token"].as_str().unwrap().starts_with("hqv_"));
    assert_eq!(json.json()["metadata"]["scope"][0], "read on a/");
    owner(&home, &["token", "create", "--name", "deploy-run-42"]).exits(7);
}

#[test]
fn in2_numbers_and_durations_that_cannot_be_make_no_token() {
    let home = home();
    let _server = vault(&home);
    for bad in ["abc", "5x", "0", "-1", "", "99999999999999999999", "1e3"] {
        let ran = owner(&home, &["token", "create", "--name", "n", "--max-uses", bad]).exits(2);
        assert!(ran.err().contains("--max-uses"), "{ran}");
    }
    for bad in ["1", "1y", "1e9d", "91d", "", "0s", "-1h", "18446744073709551616s"] {
        owner(&home, &["token", "create", "--name", "n", "--ttl", bad]).exits(2);
    }
    for bad in ["", "tok_x", "hqv_x", "a b", "a/b", &"n".repeat(129)] {
        owner(&home, &["token", "create", "--name", bad]).exits(2);
    }
    for bad in
        [&["--can", "read"][..], &["--path", "a/", "--can", "fly"], &["--allow", "read"], &["--path", "a//"]]
    {
        owner(&home, &[&["token", "create", "--name", "n"], bad].concat()).exits(2);
    }
    assert_eq!(owner(&home, &["token", "list"]).ok().out(), "");
}

#[test]
fn uses_are_exact_and_the_exhausted_say_who_they_are() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"v");
    let t = token(&home, &["--name", "two", "--max-uses", "2", "--path", "a/", "--can", "read"]);
    home.cli(["get", "a/b"]).token(&t).run().ok();
    home.cli(["get", "a/c"]).token(&t).run().exits(3);
    home.cli(["get", "a/b"]).token(&t).run().ok();
    let ran = home.cli(["get", "a/b"]).token(&t).run().exits(4);
    assert!(ran.err().contains("two") && ran.err().contains("from HQ_VAULT_TOKEN"), "{ran}");
    let json = home.cli(["get", "a/b", "--json"]).token(&t).run().exits(4).json_error();
    assert_eq!(json["code"], "TOKEN_EXHAUSTED");
}

#[test]
fn a_delegate_mints_narrower_ones_and_revoking_ends_the_family() {
    let home = home();
    let _server = vault(&home);
    store(&home, "app/key", b"v");
    let parent =
        token(&home, &["--name", "orchestrator", "--allow", "read,delegate on app/", "--max-uses", "20"]);
    let made = home
        .cli([
            "token",
            "create",
            "--name",
            "worker-1",
            "--ttl",
            "5m",
            "--max-uses",
            "3",
            "--path",
            "app/key",
            "--can",
            "read",
        ])
        .token(&parent)
        .run()
        .ok();
    let child = made.out().trim_end().to_owned();
    home.cli(["get", "app/key"]).token(&child).run().ok();
    let wider = home
        .cli(["token", "create", "--name", "w", "--allow", "write on app/"])
        .token(&parent)
        .run()
        .exits(4);
    assert!(
        wider.err().contains("write") && wider.err().contains("token orchestrator from HQ_VAULT_TOKEN"),
        "{wider}"
    );
    let me = home.cli(["whoami", "--json"]).token(&child).run().ok().json();
    assert_eq!(me["token"]["ancestry"], "orchestrator/worker-1");
    assert_eq!(me["token"]["left"], 2);
    let list = owner(&home, &["token", "list"]).ok().out();
    assert!(list.contains("orchestrator/worker-1"), "{list}");
    owner(&home, &["token", "show", "orchestrator/worker-1"]).ok();
    let gone = owner(&home, &["token", "revoke", "orchestrator"]).ok();
    assert_eq!(gone.out(), "Revoked: orchestrator and 1 descendant\n");
    home.cli(["get", "app/key"]).token(&child).run().exits(4);
    owner(&home, &["token", "revoke", "no-such"]).exits(3);
    owner(&home, &["token", "revoke", "no-such", "neither"]).exits(3);
}

#[test]
fn mm2_a_token_in_place_of_a_name_is_not_shown() {
    let home = home();
    let _server = vault(&home);
    let t = token(&home, &["--name", "x"]);
    for words in [&["token", "show", &t][..], &["token", "revoke", &t], &["audit", "--token", &t]] {
        let ran = owner(&home, words).exits(2);
        assert!(!ran.err().contains(&t[4..]), "{ran}");
    }
    let ran = home.cli(["get", "a", "--token-file", &t]).run().exits(2);
    assert!(!ran.err().contains(&t[4..]), "{ran}");
}

#[test]
fn tk1_a_share_set_aside_shows_in_the_tree_and_is_there_to_the_end() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"v");
    let boss = token(&home, &["--name", "boss", "--max-uses", "3", "--allow", "read,delegate on a/"]);
    let child = |args: &[&str]| {
        let all =
            [&["token", "create", "--quiet", "--path", "a/b", "--can", "read", "--name"], args].concat();
        home.cli(all).token(&boss).run()
    };
    let own = child(&["own", "--max-uses", "2", "--reserve", "2"]).ok().out().trim().to_owned();
    let open = child(&["open"]).ok().out().trim().to_owned();
    let ran = child(&["greedy", "--max-uses", "2", "--reserve", "2"]).exits(7);
    assert!(ran.err().contains("only 1 uses can be set aside"), "{ran}");
    child(&["none", "--reserve", "1"]).exits(2);
    child(&["more", "--max-uses", "1", "--reserve", "2"]).exits(2);
    home.cli(["get", "a/b"]).token(&open).run().ok();
    home.cli(["get", "a/b"]).token(&open).run().exits(4);
    let tree = owner(&home, &["token", "tree"]).ok().out();
    let lines: Vec<Vec<&str>> = tree.lines().map(|line| line.split_whitespace().collect()).collect();
    let columns = |name: &str| lines.iter().find(|line| line.contains(&name)).unwrap().join(" ");
    assert!(columns("boss").contains("1 of 3 2 0"), "{tree}");
    assert!(columns("own").contains("0 of 2 (own) 2"), "{tree}");
    assert!(tree.contains("├─ open") && tree.contains("└─ own"), "{tree}");
    for _ in 0..2 {
        home.cli(["get", "a/b"]).token(&own).run().ok();
    }
    home.cli(["get", "a/b"]).token(&own).run().exits(4);
    let branch = owner(&home, &["token", "tree", "boss/own"]).ok().out();
    assert!(branch.contains("own") && !branch.contains("open"), "{branch}");
    owner(&home, &["token", "tree", "stranger"]).exits(3);
}

#[test]
fn tk3_a_frozen_family_waits_for_its_thaw() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"v");
    let boss = token(&home, &["--name", "boss", "--allow", "read,delegate on a/"]);
    let made = home.cli(["token", "create", "--quiet", "--name", "w", "--path", "a/b", "--can", "read"]);
    let worker = made.token(&boss).run().ok().out().trim().to_owned();
    assert_eq!(owner(&home, &["token", "freeze", "boss"]).ok().out(), "Frozen: boss and 1 descendant\n");
    let ran = home.cli(["get", "a/b"]).token(&worker).run().exits(4);
    assert!(ran.err().contains("token boss/w is frozen"), "{ran}");
    let json = home.cli(["get", "a/b", "--json"]).token(&worker).run().exits(4).json_error();
    assert_eq!(json["code"], "TOKEN_REVOKED");
    let no = owner(&home, &["token", "explain", "boss/w", "a/b"]).ok().out();
    assert!(no.starts_with("no: boss is frozen\n"), "{no}");
    assert!(owner(&home, &["token", "tree", "boss"]).ok().out().contains("frozen"));
    owner(&home, &["token", "renew", "boss"]).exits(7);
    owner(&home, &["token", "create", "--name", "boss"]).exits(7);
    owner(&home, &["thaw", "w"]).exits(7);
    assert_eq!(owner(&home, &["thaw", "boss"]).ok().out(), "Thawed: boss and 1 descendant\n");
    home.cli(["get", "a/b"]).token(&worker).run().ok();
    owner(&home, &["token", "thaw", "boss"]).exits(7);
    owner(&home, &["token", "freeze", "stranger"]).exits(3);
    home.cli(["token", "freeze", "boss"]).token(&boss).run().exits(4);
}

#[test]
fn tk2_a_renewal_is_cut_and_says_so() {
    let home = home();
    let _server = vault(&home);
    let boss = token(&home, &["--name", "boss", "--ttl", "2h", "--allow", "read,delegate on /"]);
    home.cli(["token", "create", "--name", "w", "--ttl", "5m"]).token(&boss).run().ok();
    let ran = home.cli(["token", "renew", "w", "--ttl", "1d"]).token(&boss).run().ok();
    assert!(ran.out().starts_with("Renewed: boss/w, ends in "), "{ran}");
    assert!(ran.err().contains("left of the parent's"), "{ran}");
    home.cli(["token", "renew", "boss"]).token(&boss).run().exits(4);
    let json = owner(&home, &["token", "renew", "boss", "--ttl", "1h", "--json"]).ok().json();
    assert_eq!(json["notes"][0], "it ends later than that already; its end stays");
    owner(&home, &["token", "revoke", "boss/w"]).ok();
    owner(&home, &["token", "renew", "boss/w"]).exits(7);
    owner(&home, &["token", "renew", "boss", "--ttl", "91d"]).exits(2);
}

#[test]
fn tk4_explain_says_who_decides_and_a_dry_run_what_would_be_made() {
    let home = home();
    let _server = vault(&home);
    let boss = token(&home, &["--name", "boss", "--max-uses", "9", "--allow", "read,delegate on a/"]);
    let plan = ["token", "create", "--name", "w", "--path", "a/b", "--can", "read", "--max-uses", "20"];
    let ran = home.cli(plan.iter().copied().chain(["--dry-run"])).token(&boss).run().ok();
    assert!(ran.out().contains("token        boss/w\n") && ran.out().contains("uses         9\n"), "{ran}");
    assert!(ran.out().ends_with("may          read on a/b\n"), "{ran}");
    assert!(ran.err().contains("cut to the 9 uses") && ran.err().contains("nothing was made"), "{ran}");
    owner(&home, &["token", "show", "boss/w"]).exits(3);
    home.cli(plan).token(&boss).run().ok();
    home.cli(plan.iter().copied().chain(["--dry-run"])).token(&boss).run().exits(7);
    let yes = owner(&home, &["token", "explain", "w", "a/b"]).ok().out();
    assert_eq!(yes, "yes: boss/w may read on a/b\n  boss: read,delegate on a/\n  boss/w: read on a/b\n");
    let no = owner(&home, &["token", "explain", "w", "a/b", "--can", "write"]).ok().out();
    assert!(no.starts_with("no: no rule of boss allows write on a/b\n"), "{no}");
    let json = home.cli(["token", "explain", "boss", "z", "--json"]).token(&boss).run().ok().json();
    assert_eq!((json["allowed"].as_bool(), json["decidedBy"].as_str()), (Some(false), Some("boss")));
    owner(&home, &["token", "explain", "w", "a/b", "--can", "fly"]).exits(2);
    owner(&home, &["token", "explain", "w", "a//b"]).exits(2);
}

#[test]
fn tk3_revoking_by_prefix_ends_what_begins_so_and_nothing_else() {
    let home = home();
    let _server = vault(&home);
    let one = token(&home, &["--name", "run-1", "--allow", "read,delegate on /"]);
    home.cli(["token", "create", "--name", "run-1-child"]).token(&one).run().ok();
    token(&home, &["--name", "run-2"]);
    token(&home, &["--name", "rum"]);
    let gone = owner(&home, &["token", "revoke", "--prefix", "run-"]).ok().out();
    assert_eq!(gone, "Revoked: run-1 and 1 descendant\nRevoked: run-2\n");
    let left = owner(&home, &["token", "list", "--json"]).ok().json();
    assert_eq!(left["tokens"].as_array().unwrap().len(), 1);
    owner(&home, &["token", "revoke", "--prefix", "run-"]).exits(3);
    for bad in [&["--prefix", ""][..], &["--prefix", "a b"], &["--prefix", "r", "rum"], &[]] {
        owner(&home, &[&["token", "revoke"], bad].concat()).exits(2);
    }
    owner(&home, &["token", "show", "rum"]).ok();
}

#[test]
fn tk6_what_has_ended_is_cleared_away_when_asked_and_stays_in_the_record() {
    let home = home();
    let _server = vault(&home);
    owner(&home, &["token", "revoke", "--expired"]).ok();
    let one = token(&home, &["--name", "one", "--allow", "read,delegate on /"]);
    home.cli(["token", "create", "--name", "child"]).token(&one).run().ok();
    token(&home, &["--name", "two"]);
    owner(&home, &["token", "revoke", "one"]).ok();
    let ran = owner(&home, &["token", "revoke", "--expired"]).ok();
    assert_eq!(ran.out(), "Cleared: 2 ended tokens\n");
    let left = owner(&home, &["token", "list", "--all", "--json"]).ok().json();
    assert_eq!(
        (left["tokens"].as_array().unwrap().len(), left["tokens"][0]["name"].as_str()),
        (1, Some("two"))
    );
    home.cli(["whoami"]).token(&one).run().exits(4);
    let json = owner(&home, &["token", "revoke", "--expired", "--json"]).ok().json();
    assert_eq!((json["removed"].as_u64(), json["left"].as_u64()), (Some(0), Some(0)));
    let made = owner(&home, &["audit", "--operation", "token-create", "--json"]).ok().out();
    assert!(made.contains("one/child"), "{made}");
    for bad in [&["--expired", "two"][..], &["--expired", "--prefix", "t"]] {
        owner(&home, &[&["token", "revoke"], bad].concat()).exits(2);
    }
}
