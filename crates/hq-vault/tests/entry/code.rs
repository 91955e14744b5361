//! The route that always works: a code, and `answer` in the owner's terminal.

use crate::agent::Agent;
use crate::support::{CONFIRMED, INGEST, answer, at_terminal, home, owner, route_of, stripe_key, vault};
use rustix::process::Signal;

#[test]
fn the_agent_hears_the_confirmation_and_nothing_else() {
    let home = home();
    let _server = vault(&home);
    let agent = Agent::start(&home, &INGEST);
    let code = agent.code();
    let mut person = at_terminal(&home, &["answer", &code]);
    person.wait_for("An agent asks you for a secret. It will not see what you type.");
    person.wait_for("store as   stripe/secret-key   (api-key, new)");
    person.wait_for("what for   Stripe live secret key");
    person.wait_for("asked by   ").wait_for("in ~, no token").wait_for("leaves it open: ");
    assert!(!person.echoes());
    person.line(&stripe_key());
    let ran = person.finish().ok();
    assert!(ran.err().contains("32 characters, looks like a Stripe live key."), "{ran}");
    assert!(ran.err().contains(CONFIRMED.trim_end()), "{ran}");
    assert!(!ran.err().contains("sk_live"), "{ran}");
    let said = agent.finish().exits(0);
    assert_eq!(said.out, CONFIRMED);
    assert!(!said.err.contains("sk_live"), "{said:?}");
    assert_eq!(owner(&home, &["get", "stripe/secret-key"]).ok().out(), stripe_key());
    assert_eq!(route_of(&home, "stripe/secret-key"), "answer");
}

#[test]
fn the_same_command_again_confirms_what_was_answered_meanwhile() {
    let home = home();
    let _server = vault(&home);
    // The harness ends the command while the person is still typing.
    let agent = Agent::start(&home, &INGEST);
    let code = agent.code();
    let mut person = at_terminal(&home, &["answer", &code]);
    person.wait_for("leaves it open: ").keys(&stripe_key().as_bytes()[..10]);
    agent.signal(Signal::KILL);
    assert_eq!(agent.finish().code, None);
    person.keys(&stripe_key().as_bytes()[10..]).keys(b"\n");
    person.finish().ok();
    let said = Agent::start(&home, &INGEST).finish().exits(0);
    assert_eq!((said.out.as_str(), said.err.as_str()), (CONFIRMED, ""));
}

#[test]
fn nobody_there_is_exit_9_and_the_same_entry_again() {
    let home = home();
    let _server = vault(&home);
    let late: Vec<_> = INGEST.into_iter().chain(["--timeout", "1s"]).collect();
    let first = Agent::start(&home, &late).finish().exits(9);
    let second = Agent::start(&home, &late).finish().exits(9);
    assert_eq!((first.out.as_str(), second.out.as_str()), ("", ""));
    let code = crate::support::code_in(&first.err);
    assert!(second.err.contains(&code) && first.err.contains("nobody has typed"), "{second:?}");
    let status = owner(&home, &["status"]).ok().out();
    assert!(status.contains(&format!("waiting   stripe/secret-key   hq-vault answer {code}\n")), "{status}");
    assert!(!home.cli(["status"]).run().ok().out().contains("waiting"), "a peer is told of what waits");
    let json: Vec<_> = late.iter().copied().chain(["--json"]).collect();
    let said = Agent::start(&home, &json).finish().exits(9);
    let error: serde_json::Value = serde_json::from_str(said.err.lines().last().unwrap()).unwrap();
    assert_eq!(error["code"], "WAITING");
    assert!(error["hint"].as_str().unwrap().contains(&code), "{error}");
    answer(&home, &code, &stripe_key()).ok();
    let json: Vec<_> = INGEST.into_iter().chain(["--json"]).collect();
    let said = Agent::start(&home, &json).finish().exits(0);
    let done: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&done["path"], &done["bytes"]), (&"stripe/secret-key".into(), &32.into()));
    assert_eq!(done["route"], "answer");
}

#[test]
fn lc2_an_interrupted_agent_leaves_the_entry_open_and_says_so() {
    let home = home();
    let _server = vault(&home);
    for signal in [Signal::INT, Signal::TERM] {
        let agent = Agent::start(&home, &INGEST);
        let code = agent.code();
        agent.signal(signal);
        let said = agent.finish();
        assert_eq!(said.code, None, "{said:?}");
        assert!(said.err.contains("left open") && said.err.contains(&code), "{said:?}");
        assert!(owner(&home, &["pending"]).ok().out().contains(&code));
    }
}

#[test]
fn a_refusal_is_exit_8_on_both_sides() {
    let home = home();
    let _server = vault(&home);
    let agent = Agent::start(&home, &INGEST);
    let code = agent.code();
    let mut person = at_terminal(&home, &["answer", &code]);
    person.wait_for("leaves it open: ").keys(b"\x04");
    person.finish().exits(8);
    let said = agent.finish().exits(8);
    assert!(said.err.contains("refused") && said.out.is_empty(), "{said:?}");
    owner(&home, &["get", "stripe/secret-key"]).exits(3);
    let again = Agent::start(&home, &INGEST).finish().exits(8);
    assert!(again.err.contains("refused"), "{again:?}");
}

#[test]
fn en7_what_is_there_is_replaced_by_the_owners_answer_alone() {
    let home = home();
    let _server = vault(&home);
    home.cli(["store", "stripe/secret-key"]).owner().stdin("old").run().ok();
    let said = Agent::start(&home, &INGEST).finish().exits(7);
    assert!(said.err.contains("--overwrite"), "{said:?}");
    let over: Vec<_> = INGEST.into_iter().chain(["--overwrite"]).collect();
    let agent = Agent::start(&home, &over);
    let code = agent.code();
    let mut person = at_terminal(&home, &["answer", &code]);
    person.wait_for("replaces what is there").wait_for("leaves it open: ").line(&stripe_key());
    person.finish().ok();
    assert_eq!(agent.finish().exits(0).out, CONFIRMED);
    assert_eq!(owner(&home, &["get", "stripe/secret-key"]).ok().out(), stripe_key());
}

#[test]
fn the_answerer_names_a_code_or_answers_the_only_one() {
    let home = home();
    let _server = vault(&home);
    let nothing = at_terminal(&home, &["answer"]).finish().exits(3);
    assert!(nothing.err().contains("nothing waits"), "{nothing}");
    assert_eq!(owner(&home, &["pending"]).ok().out(), "");
    let one = Agent::start(&home, &["ingest", "a/one"]);
    let one_code = one.code();
    let two = Agent::start(&home, &["ingest", "a/two"]);
    let two_code = two.code();
    let which = at_terminal(&home, &["answer"]).finish().exits(2);
    assert!(which.err().contains(&one_code) && which.err().contains(&two_code), "{which}");
    let listed = owner(&home, &["pending"]).ok().out();
    assert!(listed.contains("a/one") && listed.contains("a/two") && listed.contains("no token"), "{listed}");
    // As people write it.
    answer(&home, &one_code.to_lowercase().replace('-', " "), "first").ok();
    assert_eq!(one.finish().exits(0).out, "✅ Stored: a/one (5 bytes, type: other)\n");
    let mut person = at_terminal(&home, &["answer"]);
    person.wait_for("a/two").wait_for("leaves it open: ").line("second");
    person.finish().ok();
    two.finish().exits(0);
}

#[test]
fn codes_that_are_mistyped_over_or_of_nobody_have_their_sentence() {
    let home = home();
    let _server = vault(&home);
    for (code, exit, words) in [
        ("7F3K-9QX7", 2, "mistyped"),
        ("7F3K", 2, "eight letters and digits"),
        ("7F3K-9QXM", 3, "nothing waits"),
        ("ent_nonsense", 2, ""),
    ] {
        let ran = at_terminal(&home, &["answer", code]).finish().exits(exit);
        assert!(ran.err().contains(words), "{code}: {ran}");
    }
    let said = home.cli(["answer", "7F3K-9QXM"]).owner().stdin("value").run().exits(2);
    assert!(said.err().contains("typed here by a person"), "{said}");
}

#[test]
fn mm2_a_value_on_the_command_line_is_refused_unseen() {
    let home = home();
    let _server = vault(&home);
    for words in [&["ingest", "a/b", "CANARY-7"][..], &["answer", "7F3K-9QXM", "CANARY-7"]] {
        let ran = home.cli(words).owner().run().exits(2);
        assert!(!ran.err().contains("CANARY"), "{ran}");
    }
    assert_eq!(owner(&home, &["pending"]).ok().out(), "");
}

#[test]
fn in6_what_an_agent_writes_is_shown_escaped() {
    let home = home();
    let _server = vault(&home);
    let evil = "\x1b]0;owned\x07\nValue: \u{202e}";
    let agent = Agent::start(&home, &["ingest", "a/b", "--description", evil]);
    let code = agent.code();
    let mut person = at_terminal(&home, &["answer", &code]);
    person.wait_for("\\u{1b}]0;owned\\u{7}\\u{a}Value: \\u{202e}").wait_for("leaves it open: ").line("v1");
    let ran = person.finish().ok();
    assert!(!ran.err().contains("\x1b]0;") && !ran.err().contains('\u{202e}'), "{ran}");
    agent.finish().exits(0);
}

#[test]
fn lc2_the_daemons_end_is_the_entrys_end() {
    let home = home();
    let server = vault(&home);
    let agent = Agent::start(&home, &INGEST);
    agent.code();
    server.kill();
    let said = agent.finish().exits(8);
    assert!(said.err.contains("daemon has stopped"), "{said:?}");
}
