//! Row MM2: a canary is searched for in all that a day of work leaves behind.

use crate::support::{home, owner, store, token, vault};
use hqv_test::Canary;

#[test]
fn mm2_no_value_passphrase_or_token_is_left_anywhere() {
    let home = home();
    let server = vault(&home);
    let value = Canary::new(b"CANARY-value-7f3k9qxm-0001");
    let passphrase = Canary::new(crate::support::PASSPHRASE.as_bytes());
    let mut runs = Vec::new();
    store(&home, "hidden-path/canary", b"CANARY-value-7f3k9qxm-0001");
    let t = token(&home, &["--name", "leak-worker", "--max-uses", "1"]);
    let token_canary = Canary::new(&t.as_bytes()[4..]);
    runs.push(home.cli(["get", "hidden-path/none"]).token(&t).run());
    home.cli(["get", "hidden-path/canary"]).token(&t).run().ok();
    for words in [
        &["list"][..],
        &["show", "hidden-path/canary"],
        &["audit"],
        &["status"],
        &["token", "list"],
        &["store", "x", "CANARY-value-7f3k9qxm-0001"],
        &["unlock", "CANARY-value-7f3k9qxm-0001"],
        &["get", "a//CANARY"],
        &["doctor"],
        &["config", "show"],
    ] {
        runs.push(owner(&home, words));
    }
    runs.push(home.cli(["get", "hidden-path/canary"]).token(&t).run());
    runs.push(home.cli(["get", "x"]).token(&t[..50]).run());
    for ran in &runs {
        for canary in [&value, &passphrase, &token_canary] {
            let found = ran.search(canary);
            assert!(found.is_empty(), "{found:?}\n{ran}");
        }
    }
    std::fs::remove_file(home.passphrase_file()).unwrap();
    std::fs::remove_file(home.vault_file("session.cache")).unwrap();
    let names = Canary::new(b"hidden-path");
    for canary in [&value, &passphrase, &token_canary, &names] {
        let found = canary.in_tree(home.path());
        assert!(found.is_empty(), "{found:?}");
        let found = canary.in_process(server.pid()).unwrap();
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn mm2_the_session_is_gone_from_the_environment_of_our_own_process() {
    let home = home();
    let _server = vault(&home);
    let session = owner(&home, &["unlock", "--raw"]).ok().out().trim_end().to_owned();
    store(&home, "a/b", b"v");
    let mut tail =
        home.cli(["audit", "--tail", "--operation", "put"]).env("HQ_VAULT_SESSION", &session).on_terminal();
    tail.wait_for("a/b");
    let found = Canary::new(&session.as_bytes()[4..]).in_process(tail.pid()).unwrap();
    assert!(found.is_empty(), "{found:?}");
    tail.keys(b"\x03");
    let _ = tail.finish();
}
