//! The person is told by what is there: the code alone, in a clean environment, and nobody waits for it.

use crate::agent::{Agent, command};
use crate::support::{INGEST, home, owner, vault, wait_for_file};
use hqv_test::Home;

/// A program that writes down its arguments and its environment.
fn writes(home: &Home, place: &str, name: &str) -> String {
    let (dir, out) = (home.path().display(), format!("{name}.told"));
    let script = format!(
        "#!/bin/sh\n{{ printf '%s\\n' \"$@\"; env; }} > {dir}/{out}.part\nmv {dir}/{out}.part {dir}/{out}\n"
    );
    home.write(format!("{place}{name}"), script, 0o700).to_string_lossy().into_owned()
}

#[test]
fn the_desktop_is_told_the_code_and_no_path() {
    let home = home();
    let _server = vault(&home);
    home.make_dir("bin");
    writes(&home, "bin/", "notify-send");
    let path = format!("{}:{}", home.path().join("bin").display(), std::env::var("PATH").unwrap());
    let words: Vec<_> = INGEST.into_iter().chain(["--timeout", "2s"]).collect();
    let mut agent = command(&home, &words);
    agent.env("PATH", path).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
    agent.env("HQ_VAULT_AUTOSTART", "1").env("CANARY", "environment");
    let agent = Agent::run(agent);
    let code = agent.code();
    let told = wait_for_file(&home, "notify-send.told");
    assert!(told.contains(&format!("hq-vault answer {code}")), "{told}");
    assert!(!told.contains("stripe") && !told.contains("CANARY") && !told.contains("HQ_VAULT"), "{told}");
    agent.finish().exits(9);
}

#[test]
fn the_owners_program_gets_the_code_from_the_daemon() {
    let home = home();
    let _server = vault(&home);
    let program = writes(&home, "", "tell");
    owner(&home, &["config", "set", "notify.command", &program]).ok();
    let agent = Agent::start(&home, &["ask", "deploy/prod/", "--timeout", "2s"]);
    let code = agent.code();
    let told = wait_for_file(&home, "tell.told");
    assert_eq!(told.lines().next(), Some(code.as_str()), "{told}");
    assert!(!told.contains("deploy") && !told.contains("HQ_VAULT"), "{told}");
    agent.finish().exits(9);
}

#[test]
fn a_notifier_that_hangs_delays_nobody() {
    let home = home();
    let _server = vault(&home);
    home.make_dir("bin");
    home.write("bin/notify-send", "#!/bin/sh\nexec sleep 300\n", 0o700);
    let path = format!("{}:{}", home.path().join("bin").display(), std::env::var("PATH").unwrap());
    let words: Vec<_> = INGEST.into_iter().chain(["--timeout", "1s"]).collect();
    let mut agent = command(&home, &words);
    agent.env("PATH", path).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
    let begun = hqv_sys::clock::boot();
    Agent::run(agent).finish().exits(9);
    assert!(hqv_sys::clock::boot() - begun < std::time::Duration::from_secs(8));
}
