//! A locked vault: nothing is asked of anybody before it is open, and no passphrase ever.

use crate::agent::Agent;
use crate::support::{CONFIRMED, INGEST, answer, at_terminal, home, owner, stripe_key, vault};

#[test]
fn an_agent_is_told_to_have_it_unlocked_and_goes_on() {
    let home = home();
    let _server = vault(&home);
    owner(&home, &["lock"]).ok();
    let agent = Agent::start(&home, &INGEST);
    agent.wait_for("the vault is locked: run hq-vault unlock in your terminal");
    let code = agent.code();
    let late = at_terminal(&home, &["answer", &code]).finish().exits(5);
    assert!(late.err().contains("hq-vault unlock"), "{late}");
    owner(&home, &["unlock"]).ok();
    answer(&home, &code, &stripe_key()).ok();
    assert_eq!(agent.finish().exits(0).out, CONFIRMED);
    let late: Vec<_> = ["ingest", "a/b", "--timeout", "1s"].to_vec();
    owner(&home, &["lock"]).ok();
    let said = Agent::start(&home, &late).finish().exits(9);
    assert!(said.err.contains("hq-vault unlock"), "{said:?}");
}

#[test]
fn what_was_typed_waits_for_a_vault_that_locked_meanwhile() {
    let home = home();
    let _server = vault(&home);
    let mut terminal = home.cli(INGEST).on_terminal();
    terminal.wait_for("leaves it open: ");
    owner(&home, &["lock"]).ok();
    terminal.line(&stripe_key());
    terminal.wait_for("The vault is locked: run hq-vault unlock in another terminal.");
    owner(&home, &["unlock"]).ok();
    let ran = terminal.finish().ok();
    assert!(ran.err().contains(CONFIRMED.trim_end()), "{ran}");
    assert_eq!(owner(&home, &["get", "stripe/secret-key"]).ok().out(), stripe_key());
}
