//! Row LC2: signals to the daemon and to its clients.

use std::process::{Command, Stdio};

use hqv_client::{Client, Condition};
use hqv_sys::pty::Pty;
use hqv_test::{Home, TestServer};
use rustix::process::Signal;

use crate::life::Foreground;
use crate::load::{Way, connect};
use crate::support::{
    PASSPHRASE, Stopped, ended, home, ordinary_home, owner, program, shell, signal, store, token, told,
    vault, written_pid,
};

#[track_caller]
fn holds(home: &Home, value: &str) {
    assert_eq!(owner(home, &["get", "a/b"]).ok().out(), value);
}

#[track_caller]
fn left_in_order(home: &Home) {
    for name in ["vault.pid", "vault.port", "vault.sock"] {
        assert!(!home.vault_file(name).exists(), "{name} was left");
    }
}

#[test]
fn lc2_a_daemon_in_the_background_takes_every_signal_as_documented() {
    let home = ordinary_home();
    let mut server = vault(&home);
    store(&home, "a/b", "first");
    // Neither a hang-up nor a broken pipe nor a stop of its terminal is meant for it.
    for harmless in [Signal::HUP, Signal::PIPE, Signal::WINCH, Signal::TSTP, Signal::TTOU] {
        signal(server.pid(), harmless);
        signal(server.pid(), Signal::CONT);
        assert!(server.runs(), "{harmless:?}");
        holds(&home, "first");
    }
    // Asked while it is stopped, it answers when it goes on.
    signal(server.pid(), Signal::STOP);
    let mut asked = program(&home, home.program());
    asked.args(["get", "a/b"]).env("HQ_VAULT_PASSPHRASE_FILE", home.passphrase_file());
    let asked = asked.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    signal(server.pid(), Signal::CONT);
    let answer = asked.wait_with_output().unwrap();
    assert_eq!(answer.stdout, b"first", "{}", told(&answer));
    for (round, last) in [Signal::TERM, Signal::INT, Signal::KILL].into_iter().enumerate() {
        let value = format!("value {round}");
        store(&home, "a/b", value.as_bytes());
        signal(server.pid(), last);
        ended(server.pid());
        if last != Signal::KILL {
            left_in_order(&home);
        }
        server = TestServer::start(&home);
        owner(&home, &["unlock"]).ok();
        holds(&home, &value);
    }
    owner(&home, &["audit", "verify"]).ok();
    server.stop();
}

/// Stores one value after another until the daemon refuses; gives the last that was confirmed.
async fn write(mut client: Client, path: String) -> Option<u64> {
    let mut confirmed = None;
    for n in 0u64.. {
        let request = serde_json::from_str(&format!("{{\"value\": \"{n}\"}}")).unwrap();
        match client.put(&path, &request, Condition::Any).await {
            Ok(_) => confirmed = Some(n),
            Err(_) => break,
        }
    }
    confirmed
}

#[test]
fn lc2_a_stop_amid_writes_loses_nothing_that_was_confirmed() {
    let home = home();
    let mut server = vault(&home);
    let writer = token(&home, &["--name", "writer", "--allow", "read,write on w/"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for last in [Signal::TERM, Signal::INT] {
        let ways = [Way::Tls, Way::Socket, Way::Tls, Way::Socket];
        let clients: Vec<_> = ways.iter().map(|way| connect(&server, *way, &writer)).collect();
        let mut watched = connect(&server, Way::Socket, &writer);
        let pid = server.pid();
        let confirmed = runtime.block_on(async move {
            let path = |n: usize| format!("w/{n}");
            let tasks: Vec<_> = clients
                .into_iter()
                .enumerate()
                .map(|(n, client)| tokio::spawn(write(client, path(n))))
                .collect();
            // The stop comes once all four are at work.
            for n in 0..4 {
                while watched.get(&path(n), None).await.is_err() {}
            }
            signal(pid, last);
            let mut confirmed = Vec::new();
            for task in tasks {
                confirmed.push(task.await.unwrap().expect("its first value was read by another"));
            }
            confirmed
        });
        ended(pid);
        left_in_order(&home);
        server = TestServer::start(&home);
        owner(&home, &["unlock"]).ok();
        for (n, last) in confirmed.iter().enumerate() {
            let is: u64 = owner(&home, &["get", &format!("w/{n}")]).ok().out().parse().unwrap();
            assert!(is == *last || is == last + 1, "writer {n}: {last} was confirmed, {is} is there");
            owner(&home, &["delete", &format!("w/{n}"), "--force"]).ok();
        }
    }
    let proven = owner(&home, &["audit", "verify"]).ok().out();
    assert!(!proven.contains("unclean"), "a stop is no unclean end\n{proven}");
    server.stop();
}

#[test]
fn lc2_a_stop_ends_what_follows() {
    let home = ordinary_home();
    let server = vault(&home);
    store(&home, "a/b", "v");
    let mut tail = home.cli(["audit", "--tail", "--no-color"]).owner().on_terminal();
    tail.wait_for("put");
    signal(server.pid(), Signal::TERM);
    ended(server.pid());
    let ran = tail.finish();
    assert!(ran.code.is_some_and(|code| code != 0), "the tail says that it was cut\n{ran}");
    assert!(!ran.err().contains("panicked"), "{ran}");
}

#[test]
fn lc2_the_background_daemon_outlives_its_terminal() {
    let home = ordinary_home();
    vault(&home).stop();
    let _stopped = Stopped(&home);
    let mut starter = home.cli(["serve", "--daemon", "--port", "0"]).on_terminal();
    starter.wait_for("Serving:");
    // Its end closes the terminal for good.
    starter.finish().ok();
    let pid = written_pid(&home);
    let status = home.cli(["status", "--json"]).run().ok().json();
    assert_eq!((&status["serverRunning"], &status["pid"]), (&true.into(), &pid.into()), "{status}");
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    assert_eq!(fields[3], pid.to_string(), "it leads a session of its own");
    assert_eq!(fields[4], "0", "it has no terminal");
}

#[test]
fn lc2_the_foreground_daemon_goes_with_its_terminal_in_good_order() {
    let home = ordinary_home();
    vault(&home).stop();
    let mut terminal = Pty::open().unwrap();
    let mut command = serve(&home);
    terminal.attach(&mut command).unwrap();
    let mut daemon = command.spawn().unwrap();
    drop(command);
    terminal.wait_for("Ctrl-C stops", hqv_test::PATIENCE).unwrap();
    owner(&home, &["unlock"]).ok();
    store(&home, "a/b", "kept");
    // Ctrl-Z stops it as any program; fg goes on.
    signal(daemon.id(), Signal::TSTP);
    signal(daemon.id(), Signal::CONT);
    holds(&home, "kept");
    // The window is closed: the kernel hangs up.
    drop(terminal);
    ended(daemon.id());
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
    left_in_order(&home);
    let mut daemon = Foreground::start(serve(&home));
    assert!(daemon.greeting.contains("https://localhost:"), "{}", daemon.greeting);
    owner(&home, &["unlock"]).ok();
    holds(&home, "kept");
    let proven = owner(&home, &["audit", "verify"]).ok().out();
    assert!(!proven.contains("unclean"), "a closed window is no unclean end\n{proven}");
    signal(daemon.pid(), Signal::QUIT);
    let _ = daemon.wait();
    TestServer::start(&home).stop();
}

fn serve(home: &Home) -> Command {
    let mut command = program(home, home.program());
    command.args(["serve", "--port", "0"]);
    command
}

#[test]
fn lc2_a_client_ends_quietly_and_leaves_the_terminal_as_it_was() {
    let home = ordinary_home();
    let server = vault(&home);
    for name in ["a/b", "a/c", "a/d"] {
        store(&home, name, vec![b'x'; 300_000]);
    }
    let script =
        "for c in 'get a/b' 'list' 'audit' 'audit --json' 'env-file a/' 'man' 'completions bash' '--help'; do
        HQ_VAULT_PASSPHRASE_FILE=$HOME/passphrase \"$HQ\" $c | head -c 1 > /dev/null
      done";
    let output = shell(&home, script);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(!err.contains("panicked") && !err.contains("os error"), "{}", told(&output));

    for (before, key, words) in
        [(PASSPHRASE, b"\x03", "Ctrl-C"), (PASSPHRASE, b"\x1c", "Ctrl-\\"), ("", b"\x04", "Ctrl-D")]
    {
        let mut prompt = home.cli(["unlock"]).on_terminal();
        prompt.wait_for("Passphrase");
        assert!(!prompt.echoes());
        prompt.keys(before.as_bytes()).keys(key);
        let pid = prompt.pid();
        ended(pid);
        assert!(prompt.echoes(), "{words} left the echo off");
        let ran = prompt.finish();
        assert_ne!(ran.code, Some(0), "{words}\n{ran}");
    }
    let mut prompt = home.cli(["unlock"]).on_terminal();
    prompt.wait_for("Passphrase");
    signal(prompt.pid(), Signal::HUP);
    let pid = prompt.pid();
    ended(pid);
    assert!(prompt.echoes(), "a hang-up left the echo off");
    let _ = prompt.finish();
    server.stop();
}
