//! The second route: pipes for streams, and a person at the terminal around.

use crate::agent::Agent;
use crate::support::{CONFIRMED, INGEST, home, owner, route_of, stripe_key, vault};
use hqv_sys::pty::Pty;
use hqv_test::PATIENCE;
use rustix::process::Signal;

const ASKED: &str = "leaves it open: ";

fn front(pty: &Pty) -> i32 {
    rustix::termios::tcgetpgrp(&pty.person).unwrap().as_raw_nonzero().get()
}

#[test]
fn the_person_types_on_the_terminal_and_the_agent_reads_pipes() {
    let home = home();
    let _server = vault(&home);
    let mut pty = Pty::open().unwrap();
    let before = pty.modes().unwrap();
    let agent = Agent::under(&home, &pty, &INGEST);
    pty.wait_for("It will not see what you type.", PATIENCE).unwrap();
    pty.wait_for(ASKED, PATIENCE).unwrap();
    assert!(!pty.echoes());
    assert_ne!(front(&pty), i32::try_from(agent.pid()).unwrap(), "the agent's group could read");
    pty.type_in(format!("{}\n", stripe_key()).as_bytes()).unwrap();
    pty.wait_for("looks like a Stripe live key. Stored.", PATIENCE).unwrap();
    let said = agent.finish().exits(0);
    assert_eq!(said.out, CONFIRMED);
    assert!(!said.err.contains("sk_live"), "{said:?}");
    assert_eq!(pty.modes().unwrap(), before);
    assert_eq!(route_of(&home, "stripe/secret-key"), "ingest-tty");
    let shown = String::from_utf8_lossy(pty.shown().unwrap()).into_owned();
    assert!(!shown.contains("sk_live"), "{shown}");
}

#[test]
fn lc2_ctrl_c_there_leaves_it_open_and_ctrl_d_refuses() {
    let home = home();
    let _server = vault(&home);
    for (keys, code, words) in [(&b"ab\x03"[..], 9, "left it open"), (b"\x04", 8, "refused")] {
        let mut pty = Pty::open().unwrap();
        let before = pty.modes().unwrap();
        let agent = Agent::under(&home, &pty, &INGEST);
        pty.wait_for(ASKED, PATIENCE).unwrap();
        pty.type_in(keys).unwrap();
        let said = agent.finish().exits(code);
        assert!(said.err.contains(words), "{said:?}");
        assert_eq!(pty.modes().unwrap(), before);
    }
}

#[test]
fn the_prompt_outlives_an_agent_that_lost_patience() {
    let home = home();
    let _server = vault(&home);
    let mut pty = Pty::open().unwrap();
    let before = pty.modes().unwrap();
    // A shell that stays, as the agent does whose tool is killed.
    let mut shell = std::process::Command::new("sh");
    let script = "\"$0\" \"$@\" </dev/null >/dev/null 2>&1 & echo pid $!; wait; echo over; exec sleep 60";
    shell.args(["-c", script]).arg(home.program()).args(INGEST);
    crate::agent::clean(&mut shell, &home);
    shell.env("TERM", "xterm");
    pty.attach(&mut shell).unwrap();
    shell.stdout(std::process::Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    let mut said = std::io::BufReader::new(shell.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    let pid: i32 = line.trim().strip_prefix("pid ").unwrap().parse().unwrap();
    pty.wait_for(ASKED, PATIENCE).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    line.clear();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    assert_eq!(line, "over\n");
    assert!(!pty.echoes(), "the prompt was torn away");
    pty.type_in(format!("{}\n", stripe_key()).as_bytes()).unwrap();
    pty.wait_for("Stored.", PATIENCE).unwrap();
    assert_eq!(Agent::start(&home, &INGEST).finish().exits(0).out, CONFIRMED);
    assert_eq!(pty.modes().unwrap(), before);
    shell.kill().unwrap();
    shell.wait().unwrap();
}

#[test]
fn a_terminal_that_is_not_quiet_is_left_alone() {
    let home = home();
    let _server = vault(&home);
    let mut pty = Pty::open().unwrap();
    // A full-screen program has it.
    let mut modes = rustix::termios::tcgetattr(&pty.program).unwrap();
    modes.make_raw();
    rustix::termios::tcsetattr(&pty.program, rustix::termios::OptionalActions::Now, &modes).unwrap();
    let words: Vec<_> = INGEST.into_iter().chain(["--timeout", "1s"]).collect();
    Agent::under(&home, &pty, &words).finish().exits(9);
    assert_eq!(pty.shown().unwrap(), b"");
    let words: Vec<_> = words.into_iter().chain(["--code"]).collect();
    let pty = Pty::open().unwrap();
    Agent::under(&home, &pty, &words).finish().exits(9);
}

#[test]
fn a_terminal_that_somebody_reads_is_left_alone() {
    let home = home();
    let _server = vault(&home);
    let mut pty = Pty::open().unwrap();
    let mut shell = std::process::Command::new("sh");
    // The shell waits for a line of its own, in read(2), while the agent's command runs in its group.
    let script = "{ until grep -qE '^(0|63) 0x0 ' /proc/$$/syscall; do :; done; \
                  \"$0\" \"$@\" --timeout 1s </dev/null >/dev/null 2>&1; echo $? >code; } & read line; echo got $line";
    shell.args(["-c", script]).arg(home.program()).args(INGEST);
    crate::agent::clean(&mut shell, &home);
    pty.attach(&mut shell).unwrap();
    let mut shell = shell.spawn().unwrap();
    assert_eq!(crate::support::wait_for_file(&home, "code"), "9\n");
    pty.type_in(b"mine\n").unwrap();
    pty.wait_for("got mine", PATIENCE).unwrap();
    shell.wait().unwrap();
    let shown = String::from_utf8_lossy(pty.shown().unwrap()).into_owned();
    assert!(!shown.contains("asks you for a secret"), "{shown}");
}

#[test]
fn lc2_a_terminal_that_closes_leaves_the_entry_open() {
    let home = home();
    let _server = vault(&home);
    let mut pty = Pty::open().unwrap();
    let words: Vec<_> = INGEST.into_iter().chain(["--timeout", "3s"]).collect();
    let agent = Agent::under(&home, &pty, &words);
    pty.wait_for(ASKED, PATIENCE).unwrap();
    pty.type_in(b"half").unwrap();
    drop(pty);
    // The hang-up ends the agent too where it leads the session.
    let said = agent.finish();
    assert!(matches!(said.code, None | Some(9)), "{said:?}");
    assert!(owner(&home, &["pending"]).ok().out().contains("stripe/secret-key"));
    owner(&home, &["get", "stripe/secret-key"]).exits(3);
}

#[test]
fn lc2_a_resized_window_and_a_ctrl_z_change_nothing() {
    let home = home();
    let _server = vault(&home);
    let mut pty = Pty::open().unwrap();
    let before = pty.modes().unwrap();
    let agent = Agent::under(&home, &pty, &INGEST);
    pty.wait_for(ASKED, PATIENCE).unwrap();
    let key = stripe_key();
    pty.type_in(&key.as_bytes()[..8]).unwrap();
    let size = rustix::termios::Winsize { ws_row: 10, ws_col: 30, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&pty.program, size).unwrap();
    pty.type_in(b"\x1a").unwrap();
    pty.type_in(&key.as_bytes()[8..]).unwrap();
    pty.type_in(b"\n").unwrap();
    assert_eq!(agent.finish().exits(0).out, CONFIRMED);
    assert_eq!(pty.modes().unwrap(), before);
    assert_eq!(owner(&home, &["get", "stripe/secret-key"]).ok().out(), key);
}

#[test]
fn lc2_a_prompt_that_is_killed_gives_the_terminal_back() {
    let home = home();
    let _server = vault(&home);
    let mut pty = Pty::open().unwrap();
    let before = pty.modes().unwrap();
    let words: Vec<_> = INGEST.into_iter().chain(["--timeout", "5s"]).collect();
    let agent = Agent::under(&home, &pty, &words);
    pty.wait_for(ASKED, PATIENCE).unwrap();
    let prompt = rustix::process::Pid::from_raw(front(&pty)).unwrap();
    rustix::process::kill_process(prompt, Signal::KILL).unwrap();
    // It goes on with the next route, and then says what to do.
    agent.finish().exits(9);
    assert_eq!(pty.modes().unwrap(), before);
}

#[test]
fn en7_an_agent_that_reads_the_terminal_meanwhile_gets_nothing() {
    let home = home();
    let _server = vault(&home);
    let mut pty = Pty::open().unwrap();
    let mut agent = std::process::Command::new("sh");
    // Waits for the prompt by its own eyes: the echo is off then. Reads until the command has ended.
    let script = "\"$0\" \"$@\" </dev/null >out 2>&1 & \
                  until stty -F /dev/tty -a 2>/dev/null | grep -q -- -icanon; do :; done; \
                  while kill -0 $! 2>/dev/null; do read -r line </dev/tty && echo \"$line\" >>stolen; done";
    agent.args(["-c", script]).arg(home.program()).args(INGEST);
    crate::agent::clean(&mut agent, &home);
    agent.env("TERM", "xterm");
    pty.attach(&mut agent).unwrap();
    agent.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut agent = agent.spawn().unwrap();
    pty.wait_for(ASKED, PATIENCE).unwrap();
    for key in format!("{}\n", stripe_key()).bytes() {
        pty.type_in(&[key]).unwrap();
    }
    pty.wait_for("Stored.", PATIENCE).unwrap();
    assert_eq!(owner(&home, &["get", "stripe/secret-key"]).ok().out(), stripe_key());
    let _ = agent.kill();
    agent.wait().unwrap();
    let stolen = std::fs::read_to_string(home.path().join("stolen")).unwrap_or_default();
    assert!(!stolen.contains("sk_") && !stolen.contains("a1B2"), "{stolen}");
}

#[test]
fn en7_where_the_answer_is_required_no_terminal_is_asked() {
    let home = home();
    let _server = vault(&home);
    owner(&home, &["config", "set", "entry.require", "answer"]).ok();
    let mut pty = Pty::open().unwrap();
    let words: Vec<_> = INGEST.into_iter().chain(["--tty", "--timeout", "1s"]).collect();
    let said = Agent::under(&home, &pty, &words).finish().exits(9);
    assert!(said.err.contains("only the owner's answer"), "{said:?}");
    assert_eq!(pty.shown().unwrap(), b"");
    let code = crate::support::code_in(&said.err);
    crate::support::answer(&home, &code, &stripe_key()).ok();
    assert_eq!(Agent::start(&home, &INGEST).finish().exits(0).out, CONFIRMED);
}
