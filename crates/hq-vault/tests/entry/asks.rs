//! An agent asks for a token; a person decides with the grant before their eyes.

use crate::agent::Agent;
use crate::support::{at_terminal, home, owner, vault};

const ASK: [&str; 10] =
    ["ask", "deploy/prod/", "--can", "read", "--ttl", "1h", "--max-uses", "5", "--reason", "deploy preview"];

#[test]
fn br8_the_exact_grant_is_shown_and_the_token_goes_to_who_asked() {
    let home = home();
    let _server = vault(&home);
    for path in ["deploy/prod/key", "deploy/prod/db/url", "deploy/production/key"] {
        home.cli(["store", path]).owner().stdin("v").run().ok();
    }
    let agent = Agent::start(&home, &ASK);
    let code = agent.code();
    let listed = owner(&home, &["pending"]).ok().out();
    assert!(listed.contains(&code) && listed.contains("read on deploy/prod/"), "{listed}");
    let mut person = at_terminal(&home, &["approve", &code]);
    person.wait_for("grant      read on deploy/prod/   (2 secrets now)");
    person.wait_for("lives      1h").wait_for("uses       5").wait_for("asked by   ");
    person.wait_for("because    deploy preview").wait_for("Grant it? [y/N] ").line("y");
    person.finish().ok();
    let said = agent.finish().exits(0);
    let token = said.out.strip_suffix('\n').unwrap();
    assert!(token.starts_with("hqv_") && !token.contains('\n'), "{said:?}");
    assert!(!said.err.contains("hqv_"), "{said:?}");
    let with = |words: &[&str]| home.cli(words).token(token).run();
    assert_eq!(with(&["get", "deploy/prod/key"]).ok().out(), "v");
    with(&["get", "deploy/production/key"]).exits(4);
    for _ in 0..4 {
        with(&["get", "deploy/prod/key"]).ok();
    }
    with(&["get", "deploy/prod/key"]).exits(4);
}

#[test]
fn br8_only_a_yes_grants_and_a_denial_is_exit_8() {
    let home = home();
    let _server = vault(&home);
    let agent = Agent::start(&home, &ASK);
    let code = agent.code();
    for said in ["n", "", "yep", "Y es"] {
        let mut person = at_terminal(&home, &["approve", &code]);
        person.wait_for("Grant it? [y/N] ").line(said);
        person.finish().exits(8);
    }
    // Nobody at a terminal: an agent with the owner's session cannot say yes by a pipe.
    let piped = home.cli(["approve", &code]).owner().stdin("y\n").run().exits(8);
    assert!(piped.err().contains("nobody is here to confirm"), "{piped}");
    home.cli(["approve", &code]).run().exits(4);
    owner(&home, &["deny", &code]).ok();
    let said = agent.finish().exits(8);
    assert!(said.err.contains("denied") && said.out.is_empty(), "{said:?}");
    owner(&home, &["deny", &code]).exits(7);
}

#[test]
fn br8_an_approval_may_be_less_and_never_more() {
    let home = home();
    let _server = vault(&home);
    home.cli(["store", "deploy/prod/key"]).owner().stdin("v").run().ok();
    let agent = Agent::start(&home, &ASK);
    let code = agent.code();
    let print = || {
        let found = owner(&home, &["pending", "--json"]).ok().json();
        found["asks"][0]["fingerprint"].as_str().unwrap().to_owned()
    };
    let approve = |more: &[&str]| {
        let print = print();
        owner(&home, &[&["approve", &code, "--fingerprint", &print], more].concat())
    };
    approve(&["--ttl", "2h"]).exits(4);
    approve(&["--max-uses", "6"]).exits(4);
    approve(&["--path", "deploy/"]).exits(4);
    owner(&home, &["approve", &code, "--fingerprint", &"0".repeat(64)]).exits(7);
    let ran = approve(&["--ttl", "10m", "--max-uses", "1", "--path", "deploy/prod/key"]).ok();
    assert!(ran.err().contains("10m   (asked: 1h)") && ran.err().contains("1   (asked: 5)"), "{ran}");
    let token = agent.finish().exits(0).out;
    let with = |words: &[&str]| home.cli(words).token(token.trim_end()).run();
    assert_eq!(with(&["get", "deploy/prod/key"]).ok().out(), "v");
    with(&["get", "deploy/prod/key"]).exits(4);
}

#[test]
fn br8_the_token_is_given_once_and_the_same_command_joins() {
    let home = home();
    let _server = vault(&home);
    let late: Vec<_> = ASK.into_iter().chain(["--timeout", "1s"]).collect();
    let first = Agent::start(&home, &late).finish().exits(9);
    assert!(first.out.is_empty() && first.err.contains("nobody has decided yet"), "{first:?}");
    let code = crate::support::code_in(&first.err);
    let mut person = at_terminal(&home, &["approve", &code]);
    person.wait_for("Grant it? [y/N] ").line("yes");
    person.finish().ok();
    let second = Agent::start(&home, &ASK).finish().exits(0);
    assert!(second.out.starts_with("hqv_"), "{second:?}");
    let third = Agent::start(&home, &late).finish().exits(9);
    assert_ne!(crate::support::code_in(&third.err), code, "the same ask was open again");
    let json: Vec<_> = ["ask", "x/", "--json", "--timeout", "1s"].to_vec();
    let said = Agent::start(&home, &json).finish().exits(9);
    let error: serde_json::Value = serde_json::from_str(said.err.lines().last().unwrap()).unwrap();
    assert_eq!(error["code"], "WAITING");
}

#[test]
fn asks_that_cannot_be_meant_have_their_sentence() {
    let home = home();
    let _server = vault(&home);
    let long = "r".repeat(100_000);
    for (words, code) in [
        (&["ask"][..], 2),
        (&["ask", "a//b"], 2),
        (&["ask", "a/", "--can", "fly"], 2),
        (&["ask", "a/", "--ttl", "91d"], 2),
        (&["ask", "a/", "--max-uses", "0"], 2),
        (&["ask", "a/", "--reason", &long], 2),
        (&["approve", "7F3K-9QX7"], 2),
        (&["approve", "7F3K-9QXM"], 3),
        (&["deny", "7F3K-9QXM"], 3),
    ] {
        let ran = owner(&home, words).exits(code);
        assert!(!ran.err().is_empty() && ran.err().len() < 1000, "{words:?}");
    }
    home.cli(["pending"]).run().exits(4);
}
