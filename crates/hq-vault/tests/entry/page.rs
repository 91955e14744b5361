//! The fourth route: the page is opened, or told. What the page does is tested elsewhere.

use std::process::Command;

use crate::agent::{Agent, command};
use crate::support::{INGEST, home, vault, wait_for_file};
use hqv_test::Home;

fn words<'a>(more: &[&'a str]) -> Vec<&'a str> {
    INGEST.into_iter().chain(more.iter().copied()).collect()
}

/// A browser that follows where it is sent and writes down where that was.
fn browser(home: &Home) -> String {
    let script = "#!/bin/sh\nprintf '%s\\n' \"$@\" > arguments\n\
                  curl -s -o body -w '%{redirect_url}' \"$1\" > address.part; echo >> address.part; mv address.part address\n";
    home.write("browser", script, 0o700).to_string_lossy().into_owned()
}

#[test]
fn no_open_tells_the_address_and_opens_nothing() {
    let home = home();
    let _server = vault(&home);
    let mut agent = command(&home, &words(&["--no-open", "--timeout", "1s"]));
    agent.env("BROWSER", browser(&home)).env("DISPLAY", ":0");
    let said = Agent::run(agent).finish().exits(9);
    assert!(said.err.contains("the page: http://127.0.0.1:"), "{said:?}");
    assert!(!said.err.contains("ssh -L"), "{said:?}");
    assert!(!home.path().join("arguments").exists());
}

#[test]
fn a_remote_host_is_told_the_line_that_brings_the_page() {
    let home = home();
    let _server = vault(&home);
    let mut agent = command(&home, &words(&["--web", "--timeout", "1s"]));
    agent.env("SSH_CONNECTION", "10.0.0.9 50000 10.0.0.1 22");
    let said = Agent::run(agent).finish().exits(9);
    let port = said.err.split("http://127.0.0.1:").nth(1).unwrap().split('/').next().unwrap().to_owned();
    assert!(said.err.contains(&format!("ssh -L {port}:127.0.0.1:{port} 10.0.0.1\n")), "{said:?}");
}

#[test]
fn en1_the_browser_is_led_to_the_page_and_its_arguments_tell_nothing() {
    let home = home();
    let _server = vault(&home);
    let mut agent = command(&home, &words(&["--timeout", "20s"]));
    agent.env("BROWSER", browser(&home));
    let agent = Agent::run(agent);
    let told = agent.wait_for("a page stands in the browser");
    let address = wait_for_file(&home, "address").trim_end().to_owned();
    let arguments = wait_for_file(&home, "arguments");
    let (_, secret) = address.split_once('#').expect("the secret stands in the fragment");
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    assert!(secret.len() > 40 && !arguments.contains(secret) && !told.contains(secret), "{arguments}");
    let page = address.split('#').next().unwrap();
    let fetched = Command::new("curl").args(["-s", "-i", page]).output().unwrap();
    let fetched = String::from_utf8_lossy(&fetched.stdout).into_owned();
    assert!(fetched.starts_with("HTTP/1.1 200"), "{fetched}");
    agent.signal(rustix::process::Signal::TERM);
    agent.finish();
}

#[test]
fn a_browser_that_cannot_be_started_is_no_browser() {
    let home = home();
    let _server = vault(&home);
    let mut agent = command(&home, &words(&["--timeout", "1s"]));
    agent.env("BROWSER", "/nowhere/browser");
    let said = Agent::run(agent).finish().exits(9);
    assert!(!said.err.contains("http://") && said.err.contains("hq-vault answer"), "{said:?}");
    let mut agent = command(&home, &words(&["--web", "--timeout", "1s"]));
    agent.env("BROWSER", "/nowhere/browser");
    let said = Agent::run(agent).finish().exits(9);
    assert!(said.err.contains("the page: http://127.0.0.1:"), "{said:?}");
}
