//! Who stands in the way: a tmux and a daemon that never answer, an agent that types for the person, a page
//! that is of another machine.

use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

use crate::agent::{Agent, clean, command};
use crate::support::{CONFIRMED, INGEST, answer, at_terminal, code_in, home, owner, stripe_key, vault};
use hqv_sys::pty::Pty;
use hqv_test::{Home, PATIENCE, TestServer};
use rustix::process::{Pid, Signal, kill_process};

const ASKED: &str = "leaves it open: ";

fn ingest<'a>(more: &[&'a str]) -> Vec<&'a str> {
    INGEST.into_iter().chain(more.iter().copied()).collect()
}

fn send(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

/// Waits for it.
#[track_caller]
fn until(is: impl Fn() -> bool) {
    let end = hqv_sys::clock::boot() + PATIENCE;
    while !is() {
        assert!(hqv_sys::clock::boot() < end, "it never came");
        std::thread::yield_now();
    }
}

/// A daemon that stands still while this lives.
struct Stopped(u32);

impl Stopped {
    fn at(server: &TestServer<'_>) -> Stopped {
        send(server.pid(), Signal::STOP);
        Stopped(server.pid())
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        send(self.0, Signal::CONT);
    }
}

/// A tmux that never answers, for programs that run in it.
fn mute_tmux(home: &Home, command: &mut Command) -> UnixListener {
    let path = home.path().join("mute.sock");
    command.env("TMUX", format!("{},1,0", path.display())).env("TMUX_PANE", "%0");
    // Without the true one the test's own will do: it hangs as that does.
    let bin = home.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    home.write("bin/tmux", "#!/bin/sh\nexec sleep 600\n", 0o700);
    let mut path_variable = bin.into_os_string();
    path_variable.push(":");
    path_variable.push(std::env::var_os("PATH").unwrap());
    command.env("PATH", path_variable);
    UnixListener::bind(path).unwrap()
}

#[test]
fn lc2_a_tmux_that_never_answers_holds_nobody_up() {
    let home = home();
    let _server = vault(&home);
    for words in [ingest(&["--timeout", "2s"]), vec!["ask", "a/", "--timeout", "2s"]] {
        let mut asking = command(&home, &words);
        let _listener = mute_tmux(&home, &mut asking);
        let said = Agent::run(asking).finish().exits(9);
        assert!(said.err.contains("hq-vault "), "{said:?}");
        std::fs::remove_file(home.path().join("mute.sock")).unwrap();
    }
    let mut asking = command(&home, &ingest(&["--timeout", "1h"]));
    let _listener = mute_tmux(&home, &mut asking);
    let agent = Agent::run(asking);
    agent.code();
    agent.signal(Signal::TERM);
    assert_eq!(agent.finish().code, None);
}

#[test]
fn lc2_a_daemon_that_stands_still_holds_nobody_up() {
    let home = home();
    let server = vault(&home);
    {
        let _stopped = Stopped::at(&server);
        Agent::start(&home, &ingest(&["--timeout", "1s"])).finish().exits(6);
        Agent::start(&home, &["ask", "a/", "--timeout", "1s"]).finish().exits(6);
    }
    // Ctrl-C ends a prompt whose value is on its way.
    let waiting = Agent::start(&home, &ingest(&["--code", "--timeout", "1h"]));
    let code = waiting.code();
    let mut person = at_terminal(&home, &["answer", &code]);
    person.wait_for(ASKED);
    let stopped = Stopped::at(&server);
    person.line(&stripe_key()).wait_for("looks like a Stripe live key. ");
    send(person.pid(), Signal::INT);
    let ran = person.finish();
    assert!(ran.err().contains("left open"), "{ran}");
    drop(stopped);
    waiting.signal(Signal::TERM);
    waiting.finish();
}

#[test]
fn br8_a_yes_typed_before_the_grant_is_shown_grants_nothing() {
    let home = home();
    let _server = vault(&home);
    let agent = Agent::start(&home, &["ask", "deploy/prod/", "--timeout", "1h"]);
    let code = agent.code();
    let mut pty = Pty::open().unwrap();
    let mut approve = Command::new(home.program());
    approve.args(["--quiet", "approve", &code]);
    clean(&mut approve, &home);
    approve.env("HQ_VAULT_PASSPHRASE_FILE", home.path().join("passphrase"));
    pty.attach(&mut approve).unwrap();
    approve.stderr(Stdio::null());
    pty.type_in(b"y\n").unwrap();
    let mut approve = approve.spawn().unwrap();
    // Neither --quiet nor 2>/dev/null keeps the grant from the terminal.
    pty.wait_for("read,list on deploy/prod/", PATIENCE).unwrap();
    pty.wait_for("asked by", PATIENCE).unwrap();
    pty.wait_for("Grant it? [y/N] ", PATIENCE).unwrap();
    pty.type_in(b"n\n").unwrap();
    assert_eq!(approve.wait().unwrap().code(), Some(8));
    let listed = owner(&home, &["pending", "--json"]).ok().json();
    assert_eq!(listed["asks"][0]["state"], "waiting");
    agent.signal(Signal::TERM);
    agent.finish();
}

#[test]
fn in3_a_return_and_a_newline_are_one_line_end() {
    let home = home();
    let _server = vault(&home);
    for (path, keys, value) in [
        ("pasted", &b"\x1b[200~a\r\nb\r\n\x1b[201~\r"[..], "a\nb\n"),
        ("typed", b"key\r\n", "key"),
        ("unmarked", b"one\r\ntwo\r\n\x04", "one\ntwo\n"),
    ] {
        let mut person = home.cli(["ingest", path]).on_terminal();
        person.wait_for(ASKED).keys(keys);
        person.finish().ok();
        assert_eq!(owner(&home, &["get", path]).ok().out(), value, "{path}");
    }
    // The two may come apart.
    let mut person = home.cli(["ingest", "apart"]).on_terminal();
    person.wait_for(ASKED).keys(b"key\r").keys(b"\n");
    person.finish().ok();
    assert_eq!(owner(&home, &["get", "apart"]).ok().out(), "key");
}

#[test]
fn what_was_stored_for_an_earlier_run_is_said_so() {
    let home = home();
    let _server = vault(&home);
    owner(&home, &["store", "stripe/secret-key", "--generate"]).ok();
    let words = ingest(&["--overwrite", "--code", "--timeout", "1s"]);
    let code = code_in(&Agent::start(&home, &words).finish().exits(9).err);
    answer(&home, &code, &stripe_key()).ok();
    let again = Agent::start(&home, &words).finish().exits(0);
    assert_eq!(again.out, CONFIRMED);
    assert!(again.err.contains("stored before, as version 2,"), "{again:?}");
    assert!(again.err.contains("another --description"), "{again:?}");
}

#[test]
fn what_cannot_be_replaced_is_said_before_anybody_types() {
    let home = home();
    let _server = vault(&home);
    let waiting = Agent::start(&home, &ingest(&["--code", "--timeout", "1h"]));
    let code = waiting.code();
    owner(&home, &["store", "stripe/secret-key", "--generate"]).ok();
    let ran = at_terminal(&home, &["answer", &code]).finish().exits(7);
    assert!(ran.err().contains("this cannot replace it") && !ran.err().contains("Value (hidden"), "{ran}");
    // The owner clears it without sitting down to it.
    owner(&home, &["deny", &code]).ok();
    waiting.finish().exits(8);
    owner(&home, &["deny", &code]).exits(7);
}

#[test]
fn one_prompt_stands_however_often_the_command_is_run() {
    let home = home();
    let _server = vault(&home);
    let mut pty = Pty::open().unwrap();
    let first = Agent::under(&home, &pty, &INGEST);
    pty.wait_for(ASKED, PATIENCE).unwrap();
    // An agent in tmux, whose pop-up would be the second.
    let second = Agent::start(&home, &ingest(&["--timeout", "1s"])).finish().exits(9);
    assert!(second.err.contains("stands already"), "{second:?}");
    pty.type_in(format!("{}\r", stripe_key()).as_bytes()).unwrap();
    assert_eq!(first.finish().exits(0).out, CONFIRMED);
    // The prompt ends for itself.
    let names = || std::fs::read_dir(home.vault()).unwrap().flatten().map(|file| file.file_name());
    until(|| !names().any(|name| name.to_string_lossy().contains("prompt-")));
}

#[test]
fn a_page_is_opened_once_and_again_where_that_is_asked_for() {
    let home = home();
    let _server = vault(&home);
    let script = "#!/bin/sh\necho \"$1\" >> opened\n";
    let browser = home.write("browser", script, 0o700);
    let run = |more: &[&str]| {
        let mut agent = command(&home, &ingest(&[more, &["--timeout", "1s"]].concat()));
        agent.env("BROWSER", &browser);
        Agent::run(agent).finish().exits(9)
    };
    let opened = || std::fs::read_to_string(home.path().join("opened")).unwrap_or_default().lines().count();
    run(&[]);
    crate::support::wait_for_file(&home, "opened");
    let again = run(&[]);
    assert!(again.err.contains("--web opens it anew"), "{again:?}");
    assert_eq!(opened(), 1);
    run(&["--web"]);
    until(|| opened() == 2);
}

#[test]
fn en1_the_page_of_a_vault_behind_the_network_is_told_and_never_opened() {
    let home = home();
    let server = vault(&home);
    let token = owner(&home, &["token", "create", "--name", "t", "--allow", "ingest on stripe/"]).ok().out();
    let url = format!("https://localhost:{}", server.port().unwrap());
    let browser = home.write("browser", "#!/bin/sh\necho \"$1\" >> opened\n", 0o700);
    let run = |more: &[&str]| {
        let mut agent = command(&home, &ingest(&[more, &["--timeout", "1s"]].concat()));
        agent.env("BROWSER", &browser).env("DISPLAY", ":0").env("HQ_VAULT_URL", &url);
        agent.env("HQ_VAULT_TOKEN", token.trim_end());
        Agent::run(agent).finish().exits(9)
    };
    let said = run(&[]);
    assert!(!said.err.contains("page") && said.err.contains("hq-vault answer "), "{said:?}");
    let said = run(&["--web"]);
    assert!(said.err.contains("the page: http://127.0.0.1:"), "{said:?}");
    assert!(!home.path().join("opened").exists());
}

#[test]
fn a_token_is_not_collected_into_a_stdout_that_takes_nothing() {
    let home = home();
    let _server = vault(&home);
    let late = ["ask", "a/", "--timeout", "1s"];
    let code = code_in(&Agent::start(&home, &late).finish().exits(9).err);
    let mut person = at_terminal(&home, &["approve", &code]);
    person.wait_for("Grant it? [y/N] ").line("y");
    person.finish().ok();
    let mut full = command(&home, &late);
    full.stdin(Stdio::null()).stderr(Stdio::null());
    full.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
    assert_eq!(full.status().unwrap().code(), Some(1));
    assert!(Agent::start(&home, &late).finish().exits(0).out.starts_with("hqv_"));
}
