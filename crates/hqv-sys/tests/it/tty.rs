use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::time::Duration;

use hqv_sys::ordinary::test_command;
use hqv_sys::pty::Pty;
use hqv_sys::tty::{Hidden, is_foreground_tty, read_hidden, read_line_visible, width};

const PATIENCE: Duration = Duration::from_secs(20);
const LIMIT: usize = (1 << 20) + 1;

/// The program at the terminal: asks as `HQV_ASK` says and reports on stdout. Run by other tests.
#[test]
fn asks() {
    let Ok(how) = std::env::var("HQV_ASK") else { return };
    let tty = hqv_sys::tty::open().unwrap();
    let timed = |timeout, cancel: &[std::os::fd::BorrowedFd<'_>]| {
        Hidden { prompt: "Value: ", limit: LIMIT, timeout, cancel, lines: false, keep_newline: false }
            .ask_on(tty.as_fd())
            .map(|text| text.to_vec())
    };
    let answer = match how.as_str() {
        "hidden" => read_hidden("Value: ", LIMIT).map(|text| text.to_vec()),
        "short" => read_hidden("Value: ", 10).map(|text| text.to_vec()),
        "visible" => read_line_visible("Name: ", 100).map(String::into_bytes),
        "timed" => timed(Some(Duration::from_millis(100)), &[]),
        "cancelled" => {
            let (read, write) = io::pipe().unwrap();
            drop(write);
            timed(None, &[read.as_fd()])
        }
        "panics" => {
            let asked = std::panic::catch_unwind(|| {
                let _hold = timed(Some(Duration::from_millis(50)), &[]);
                panic!("on purpose");
            });
            assert!(asked.is_err());
            Ok(vec![])
        }
        other => panic!("{other}"),
    };
    let front = is_foreground_tty(tty.as_fd());
    match answer {
        Ok(text) if text.len() > 100 => println!("\nanswer: {} bytes, front {front}", text.len()),
        Ok(text) => {
            println!("\nanswer: {:?}, front {front}, width {:?}", String::from_utf8(text).unwrap(), width())
        }
        Err(error) => println!("\nanswer: {:?}, {error}", error.kind()),
    }
}

fn start(how: &str) -> (Pty, Child) {
    let pty = Pty::open().unwrap();
    let mut command = test_command("tty::asks");
    command.env("HQV_ASK", how).env("TERM", "xterm");
    pty.attach(&mut command).unwrap();
    command.stdout(Stdio::piped());
    let child = command.spawn().unwrap();
    (pty, child)
}

fn answer(mut child: Child) -> String {
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.wait().unwrap();
    out.lines().find_map(|line| line.strip_prefix("answer: ")).unwrap_or(&out).to_string()
}

/// Asks, types `keys` at the prompt, and returns the answer and what was shown.
fn converse(how: &str, keys: &[u8]) -> (String, String) {
    let (mut pty, child) = start(how);
    let before = Pty::open().unwrap().modes().unwrap();
    pty.wait_for("Value: ", PATIENCE).unwrap();
    assert!(!pty.echoes());
    pty.type_in(keys).unwrap();
    let answer = answer(child);
    assert_eq!(pty.modes().unwrap(), before, "the terminal was not put back");
    (answer, String::from_utf8_lossy(pty.shown().unwrap()).into_owned())
}

#[test]
fn what_is_typed_is_not_shown() {
    let (answer, shown) = converse("hidden", b"geh\x7f\x7fh\xc3\xbcim\n");
    assert_eq!(answer, "\"ghüim\", front true, width Some(80)");
    assert!(!shown.contains("im") && shown.contains("Value: "), "{shown:?}");
}

#[test]
fn in3_a_paste_of_any_length_is_whole() {
    let mut keys = b"\x1b[200~".to_vec();
    keys.extend(std::iter::repeat_n(b'x', 100_000));
    keys.extend(b"\x1b[201~\n");
    assert_eq!(converse("hidden", &keys).0, "100000 bytes, front true");
    // Unmarked, beyond the 4,095 bytes of the kernel's own editor.
    let mut keys = vec![b'x'; 1 << 20];
    keys.push(b'\n');
    assert_eq!(converse("hidden", &keys).0, "1048576 bytes, front true");
    let mut keys = vec![b'x'; 3 << 20];
    keys.push(b'\n');
    assert_eq!(converse("hidden", &keys).0, "1048577 bytes, front true");
}

#[test]
fn in3_pasted_lines_are_one_answer_or_none() {
    let (answer, _) = converse("hidden", b"\x1b[200~one\rtwo\r\x1b[201~\n");
    assert_eq!(answer, "\"one\\ntwo\\n\", front true, width Some(80)");
    let (answer, shown) = converse("hidden", b"one\ntwo\n");
    assert!(answer.starts_with("InvalidData, several lines"), "{answer}");
    assert!(!shown.contains("two"), "the rest of a paste was shown: {shown:?}");
}

#[test]
fn ends_limits_timeouts_and_withdrawals() {
    assert!(converse("hidden", b"\x04").0.starts_with("UnexpectedEof"));
    assert_eq!(converse("short", b"0123456789abc\n").0, "\"0123456789\", front true, width Some(80)");
    assert!(converse_silently("timed").starts_with("TimedOut"));
    assert!(converse_silently("cancelled").starts_with("ConnectionAborted"));
    assert!(converse_silently("panics").starts_with("\"\""));
}

fn converse_silently(how: &str) -> String {
    let (pty, child) = start(how);
    let answer = answer(child);
    assert_eq!(pty.modes().unwrap(), Pty::open().unwrap().modes().unwrap());
    answer
}

#[test]
fn lc2_signals_end_it_with_the_echo_back() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
        let (mut pty, mut child) = start("hidden");
        let before = Pty::open().unwrap().modes().unwrap();
        pty.wait_for("Value: ", PATIENCE).unwrap();
        assert!(!pty.echoes());
        match signal {
            libc::SIGINT => pty.type_in(b"abc\x03").unwrap(),
            libc::SIGQUIT => pty.type_in(b"\x1c").unwrap(),
            other => assert_eq!(unsafe { libc::kill(child.id() as i32, other) }, 0),
        }
        assert_eq!(child.wait().unwrap().signal(), Some(signal));
        assert_eq!(pty.modes().unwrap(), before, "after signal {signal}");
    }
}

#[test]
fn lc2_stopped_and_continued_it_asks_again() {
    // A real shell with job control: stopping means something only below one.
    let mut pty = Pty::open().unwrap();
    let mut shell = std::process::Command::new("/bin/sh");
    shell.arg("-i").env("PS1", "ready> ").env("TERM", "xterm").env("HQV_ASK", "hidden").env_remove("ENV");
    pty.attach(&mut shell).unwrap();
    let mut shell = shell.spawn().unwrap();
    pty.wait_for("ready> ", PATIENCE).unwrap();
    let exe = std::env::current_exe().unwrap();
    let command = format!("'{}' tty::asks --exact --include-ignored --nocapture\n", exe.display());
    pty.type_in(command.as_bytes()).unwrap();
    pty.wait_for("Value: ", PATIENCE).unwrap();
    assert!(!pty.echoes());
    pty.type_in(b"half\x1a").unwrap();
    pty.wait_for("ready> ", PATIENCE).unwrap();
    assert!(pty.echoes(), "stopped with the echo off");
    pty.type_in(b"fg\n").unwrap();
    pty.wait_for("Value: ", PATIENCE).unwrap();
    assert!(!pty.echoes());
    pty.type_in(b"whole\n").unwrap();
    pty.wait_for("answer: \"whole\"", PATIENCE).unwrap();
    pty.wait_for("ready> ", PATIENCE).unwrap();
    assert!(pty.echoes());
    pty.type_in(b"exit\n").unwrap();
    shell.wait().unwrap();
}

#[test]
fn visible_lines_are_shown() {
    let (mut pty, child) = start("visible");
    pty.wait_for("Name: ", PATIENCE).unwrap();
    assert!(pty.echoes());
    pty.type_in(b"Ada\n").unwrap();
    assert_eq!(answer(child), "\"Ada\", front true, width Some(80)");
    pty.wait_for("Ada", PATIENCE).unwrap();
}

#[test]
fn no_terminal_is_an_error() {
    let (read, _write) = io::pipe().unwrap();
    assert!(!is_foreground_tty(read.as_fd()));
    assert!(
        Hidden { prompt: "", limit: 1, timeout: None, cancel: &[], lines: false, keep_newline: false }
            .ask_on(read.as_fd())
            .is_err()
    );
    // A terminal, but not the one that controls us.
    let pty = Pty::open().unwrap();
    assert!(!is_foreground_tty(pty.program.as_fd()));
}

/// A program with pipes for streams and a terminal that controls it, as an agent's tools are. Run by the test
/// below: the agent (`agent`) starts the asker (`front`) in a group of its own.
#[test]
fn fronts() {
    use std::os::unix::process::CommandExt;
    let Ok(how) = std::env::var("HQV_FRONT") else { return };
    let tty = hqv_sys::tty::open().unwrap();
    if how == "agent" {
        let saved = hqv_sys::tty::Saved::of(&tty).unwrap();
        let asks = std::env::var("HQV_FRONT_ASKS").unwrap();
        let mut asker = test_command("tty::fronts");
        asker.env("HQV_FRONT", asks).stdin(Stdio::null()).process_group(0);
        let mut asker = asker.spawn().unwrap();
        let pid = asker.id();
        asker.wait().unwrap();
        saved.restore_after(&tty, pid);
        println!("\nagent: front {}", is_foreground_tty(tty.as_fd()));
        return;
    }
    let front = hqv_sys::tty::Front::take(tty.as_fd()).unwrap();
    assert!(front.leader().is_some());
    assert!(!hqv_sys::tty::is_read());
    let ask = Hidden {
        prompt: "Value: ",
        limit: 100,
        timeout: None,
        cancel: &[],
        lines: true,
        keep_newline: false,
    };
    let held = hqv_sys::signal::Held::hold();
    let said = ask.ask_on(tty.as_fd()).map(|text| text.len());
    println!("\nasker: {said:?}, signal {:?}", held.came());
    if how == "panic" {
        panic!("on purpose");
    }
}

/// Runs the agent of `fronts`, types `keys` at the prompt, and returns what agent and asker said.
fn front(asks: &str, act: impl FnOnce(&mut Pty)) -> String {
    let mut pty = Pty::open().unwrap();
    let before = pty.modes().unwrap();
    let mut command = test_command("tty::fronts");
    command.env("HQV_FRONT", "agent").env("HQV_FRONT_ASKS", asks).env("TERM", "xterm");
    pty.attach(&mut command).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    pty.wait_for("Value: ", PATIENCE).unwrap();
    assert!(!pty.echoes());
    act(&mut pty);
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.wait().unwrap();
    assert_eq!(pty.modes().unwrap(), before, "the terminal was not put back");
    let said = |who: &str| out.lines().find_map(|line| line.strip_prefix(who)).unwrap_or("-").to_owned();
    format!("{}; {}", said("asker: "), said("agent: "))
}

#[test]
fn lc2_the_foreground_is_taken_and_given_back_whatever_happens() {
    let keys = |keys: &'static [u8]| move |pty: &mut Pty| pty.type_in(keys).unwrap();
    assert_eq!(front("asks", keys(b"one\n")), "Ok(3), signal None; front true");
    assert_eq!(front("asks", keys(b"a\nbc\n\x04")), "Ok(5), signal None; front true");
    assert_eq!(front("asks", keys(b"ab\x1acd\n")), "Ok(4), signal None; front true");
    let interrupted = "Err(Kind(Interrupted)), signal Some(2); front true";
    assert_eq!(front("asks", keys(b"one\x03")), interrupted);
    assert_eq!(front("panic", keys(b"one\n")), "Ok(3), signal None; front true");
    let killed = front("asks", |pty| {
        let asker = rustix::termios::tcgetpgrp(&pty.person).unwrap();
        rustix::process::kill_process(asker, rustix::process::Signal::KILL).unwrap();
    });
    assert_eq!(killed, "-; front true");
}

#[test]
fn a_reader_of_the_terminal_is_seen() {
    let mut pty = Pty::open().unwrap();
    let mut shell = std::process::Command::new("/bin/sh");
    let exe = std::env::current_exe().unwrap();
    let script = format!("'{}' tty::looks --exact --nocapture </dev/null & read answer", exe.display());
    shell.args(["-c", &script]).env("HQV_LOOK", "1");
    pty.attach(&mut shell).unwrap();
    let mut shell = shell.spawn().unwrap();
    pty.wait_for("read: true", PATIENCE).unwrap();
    pty.type_in(b"x\n").unwrap();
    shell.wait().unwrap();
}

#[test]
fn looks() {
    if std::env::var_os("HQV_LOOK").is_some() {
        // The shell begins to read when it likes.
        while !hqv_sys::tty::is_read() {
            std::thread::yield_now();
        }
        println!("\nread: true");
    }
}
