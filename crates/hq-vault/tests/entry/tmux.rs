//! The third route: a pop-up or a pane in tmux, on a server of our own.

use std::process::{Command, Stdio};

use crate::agent::{Agent, clean};
use crate::support::{CONFIRMED, INGEST, home, owner, route_of, stripe_key, vault};
use hqv_sys::pty::Pty;
use hqv_test::{Home, PATIENCE};

/// A tmux server with one session, and a person's terminal attached to it. Killed on drop.
struct Tmux<'a> {
    home: &'a Home,
    socket: String,
    person: Pty,
    client: std::process::Child,
}

impl<'a> Tmux<'a> {
    /// None, said, where there is no tmux.
    fn start(home: &'a Home) -> Option<Tmux<'a>> {
        let here = Command::new("tmux").arg("-V").output().is_ok_and(|done| done.status.success());
        if !here {
            println!("SKIP tmux: not installed");
            return None;
        }
        let socket = home.path().join("tmux.sock").to_string_lossy().into_owned();
        let person = Pty::open().unwrap();
        let mut client = Command::new("tmux");
        client.args(["-S", &socket, "-f", "/dev/null", "new-session", "-s", "work", "sh"]);
        clean(&mut client, home);
        client.env("TERM", "xterm-256color");
        person.attach(&mut client).unwrap();
        let client = client.spawn().unwrap();
        let mut tmux = Tmux { home, socket, person, client };
        tmux.person.wait_for("[work]", PATIENCE).unwrap();
        Some(tmux)
    }

    fn tmux(&self, words: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.args(["-S", &self.socket]).args(words).stdin(Stdio::null());
        clean(&mut command, self.home);
        let done = command.output().unwrap();
        assert!(done.status.success(), "{words:?}: {done:?}");
        String::from_utf8(done.stdout).unwrap().trim_end().to_owned()
    }

    /// An agent that runs in the session's pane, without a terminal that is free.
    fn agent(&self, words: &[&str]) -> Agent {
        let mut command = crate::agent::command(self.home, words);
        command.env("TMUX", self.tmux(&["display-message", "-p", "#{socket_path},#{pid},0"]));
        command.env("TMUX_PANE", self.tmux(&["display-message", "-p", "#{pane_id}"]));
        Agent::run(command)
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let mut command = Command::new("tmux");
        command.args(["-S", &self.socket, "kill-server"]).stdin(Stdio::null()).stderr(Stdio::null());
        let _ = command.status();
        let _ = self.client.wait();
    }
}

fn leftovers(home: &Home) -> usize {
    let names = std::fs::read_dir(home.vault()).unwrap().flatten();
    names.filter(|entry| entry.file_name().to_string_lossy().contains("entry-")).count()
}

#[test]
fn a_pop_up_takes_the_value() {
    let home = home();
    let _server = vault(&home);
    let Some(mut tmux) = Tmux::start(&home) else { return };
    let agent = tmux.agent(&INGEST);
    agent.wait_for("a pop-up stands in tmux");
    tmux.person.wait_for("asks you for a secret", PATIENCE).unwrap();
    tmux.person.wait_for("leaves it open", PATIENCE).unwrap();
    assert_eq!(leftovers(&home), 0, "the errand's socket is still there");
    tmux.person.type_in(format!("{}\r", stripe_key()).as_bytes()).unwrap();
    tmux.person.wait_for("looks like a Stripe live key. ", PATIENCE).unwrap();
    tmux.person.wait_for("Stored.", PATIENCE).unwrap();
    let said = agent.finish().exits(0);
    assert_eq!(said.out, CONFIRMED);
    tmux.person.type_in(b"\r").unwrap();
    assert_eq!(route_of(&home, "stripe/secret-key"), "ingest-tmux");
    assert_eq!(owner(&home, &["get", "stripe/secret-key"]).ok().out(), stripe_key());
    let shown = String::from_utf8_lossy(tmux.person.shown().unwrap()).into_owned();
    assert!(!shown.contains("sk_live") && !tmux.tmux(&["capture-pane", "-p"]).contains("sk_live"));
}

#[test]
fn several_lines_are_pasted_into_a_pop_up() {
    let home = home();
    let _server = vault(&home);
    let Some(mut tmux) = Tmux::start(&home) else { return };
    let agent = tmux.agent(&["ingest", "notes"]);
    tmux.person.wait_for("leaves it open", PATIENCE).unwrap();
    tmux.person.type_in(b"\x1b[200~one\rtwo\r\x1b[201~").unwrap();
    tmux.person.type_in(b"\r").unwrap();
    tmux.person.wait_for("Stored.", PATIENCE).unwrap();
    assert_eq!(agent.finish().exits(0).out, "✅ Stored: notes (8 bytes, type: other)\n");
    assert_eq!(owner(&home, &["get", "notes"]).ok().out(), "one\ntwo\n");
}

#[test]
fn a_pane_by_the_setting() {
    let home = home();
    let _server = vault(&home);
    home.write(".hq-vault/config.toml", "tmux = \"split\"\n", 0o600);
    let Some(mut tmux) = Tmux::start(&home) else { return };
    let agent = tmux.agent(&INGEST);
    agent.wait_for("a pane stands in tmux");
    tmux.person.wait_for("leaves it open", PATIENCE).unwrap();
    assert_eq!(tmux.tmux(&["list-panes"]).lines().count(), 2);
    tmux.person.type_in(format!("{}\r", stripe_key()).as_bytes()).unwrap();
    assert_eq!(agent.finish().exits(0).out, CONFIRMED);
}

#[test]
fn a_pop_up_that_is_closed_leaves_it_open() {
    let home = home();
    let _server = vault(&home);
    let Some(mut tmux) = Tmux::start(&home) else { return };
    let agent = tmux.agent(&INGEST);
    tmux.person.wait_for("leaves it open", PATIENCE).unwrap();
    tmux.person.type_in(b"ab\x03").unwrap();
    let said = agent.finish().exits(9);
    assert!(said.err.contains("left it open"), "{said:?}");
    tmux.person.type_in(b"\r").unwrap();
    assert!(owner(&home, &["pending"]).ok().out().contains("stripe/secret-key"));
}

#[test]
fn without_a_client_the_code_is_told() {
    let home = home();
    let _server = vault(&home);
    let Some(mut tmux) = Tmux::start(&home) else { return };
    let words: Vec<_> = INGEST.into_iter().chain(["--timeout", "1s"]).collect();
    let agent = {
        let mut command = crate::agent::command(&home, &words);
        command.env("TMUX", tmux.tmux(&["display-message", "-p", "#{socket_path},#{pid},0"]));
        command.env("TMUX_PANE", tmux.tmux(&["display-message", "-p", "#{pane_id}"]));
        tmux.tmux(&["detach-client", "-s", "work"]);
        tmux.client.wait().unwrap();
        Agent::run(command)
    };
    let said = agent.finish().exits(9);
    assert!(!said.err.contains("pop-up"), "{said:?}");
    // A tmux that is not there any more, or never was.
    let mut command = crate::agent::command(&home, &words);
    command.env("TMUX", "/nowhere/tmux.sock,1,0").env("TMUX_PANE", "%0");
    Agent::run(command).finish().exits(9);
    let _ = tmux.person.shown();
}
