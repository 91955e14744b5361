//! Rows MM2 and MM3: what is typed stands nowhere but in the vault, and nobody looks over the shoulder.

use std::process::Command;

use crate::agent::{Agent, clean};
use crate::support::{CONFIRMED, INGEST, PASSPHRASE, answer, at_terminal, home, stripe_key, vault};
use hqv_sys::pty::Pty;
use hqv_test::{Canary, Home, PATIENCE, TestServer};

#[test]
fn mm2_what_is_typed_is_left_nowhere_by_any_route() {
    let home = home();
    let server = vault(&home);
    let (key, other) = (stripe_key(), "CANARY-answered-7f3k9qxm");
    let (typed, answered) = (Canary::new(key.as_bytes()), Canary::new(other.as_bytes()));
    let mut pty = Pty::open().unwrap();
    let agent = Agent::under(&home, &pty, &INGEST);
    pty.wait_for("leaves it open: ", PATIENCE).unwrap();
    pty.type_in(&key.as_bytes()[..30]).unwrap();
    let prompt = rustix::termios::tcgetpgrp(&pty.person).unwrap().as_raw_nonzero().get();
    let half = Canary::new(&key.as_bytes()[..30]);
    for pid in [agent.pid(), u32::try_from(prompt).unwrap(), server.pid()] {
        assert_eq!(half.in_process(pid).unwrap(), [], "{pid}");
    }
    // The process that the agent started never holds it at all.
    assert_eq!(half.in_memory(agent.pid()).unwrap(), []);
    pty.type_in(&key.as_bytes()[30..]).unwrap();
    pty.type_in(b"\n").unwrap();
    let said = agent.finish().exits(0);
    let second = Agent::start(&home, &["ingest", "other/key"]);
    let ran = answer(&home, &second.code(), other).ok();
    let second = second.finish().exits(0);
    let shown = pty.shown().unwrap().to_vec();
    for canary in [&typed, &answered] {
        for text in [&said.out, &said.err, &second.out, &second.err] {
            assert_eq!(canary.in_bytes("the agent's streams", text.as_bytes()), []);
        }
        assert_eq!(canary.in_bytes("the terminal", &shown), []);
        assert_eq!(ran.search(canary), []);
        assert_eq!(canary.in_tree(home.path()), []);
        assert_eq!(canary.in_process(server.pid()).unwrap(), []);
    }
}

#[test]
fn mm2_the_memory_of_an_agent_never_holds_what_was_typed() {
    let home = home();
    let _server = vault(&home);
    let key = stripe_key();
    let (typed, half) = (Canary::new(key.as_bytes()), Canary::new(&key.as_bytes()[..30]));
    assert_ne!(typed.in_memory(std::process::id()).unwrap(), [], "it is here, and is found");
    // A shell that keeps what its command printed, and lives on.
    let script = "mkfifo gate; said=$(\"$0\" \"$@\"); echo \"$said\"; echo over >&2; read -r _ < gate";
    let mut shell = Command::new("setsid");
    shell.args(["bash", "-c", script]).arg(home.program()).args(INGEST);
    clean(&mut shell, &home);
    let agent = Agent::run(shell);
    let mut person = at_terminal(&home, &["answer", &agent.code()]);
    person.wait_for("leaves it open: ").keys(&key.as_bytes()[..30]);
    let below = [vec![agent.pid()], below(agent.pid())].concat();
    assert!(below.len() > 1, "the shell waits for its command");
    for pid in below {
        assert_eq!(half.in_memory(pid).unwrap(), [], "{pid}");
        assert_eq!(half.in_process(pid).unwrap(), [], "{pid}");
    }
    person.line(&key[30..]);
    person.finish().ok();
    agent.wait_for("over");
    assert_eq!(typed.in_memory(agent.pid()).unwrap(), []);
    std::fs::write(home.path().join("gate"), "\n").unwrap();
    assert_eq!(agent.finish().exits(0).out, CONFIRMED);
}

/// The children of a process, and theirs.
fn below(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children: Vec<u32> = children.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    children.iter().flat_map(|child| [vec![*child], below(*child)].concat()).collect()
}

#[test]
fn mm3_an_agent_of_the_same_user_cannot_look_into_the_prompt() {
    hqv_test::use_binary(env!("CARGO_BIN_EXE_hq-vault"));
    let home = Home::ordinary();
    let _server = TestServer::with_vault(&home, PASSPHRASE);
    let mut terminal = home.cli(INGEST).on_terminal();
    terminal.wait_for("leaves it open: ").keys(b"half of a key");
    for file in ["environ", "mem", "maps", "syscall", "stack"] {
        let mut look = std::process::Command::new("cat");
        look.arg(format!("/proc/{}/{file}", terminal.pid()));
        if hqv_sys::process::uid() == 0 {
            hqv_test::ordinary::become_ordinary(&mut look);
        }
        let seen = look.output().unwrap();
        assert!(!seen.status.success() && seen.stdout.is_empty(), "{file}: {seen:?}");
    }
    terminal.keys(b"\x03");
    let _ = terminal.finish();
}
