//! Rows LC1 and ST3: the port, the socket, the pid and the vault belong to somebody else.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

use hqv_test::{Home, Ran, TestServer};

use crate::support::{Stopped, give, home, ordinary_home, owner, program, shell, store, told, vault};

/// Both ways of starting; each must refuse.
#[track_caller]
fn neither_starts(home: &Home, port: &str, words: &[&str]) {
    for way in [&["serve", "--daemon", "--port", port][..], &["serve", "--port", port]] {
        let ran = home.cli(way).run().exits(7);
        for word in words {
            assert!(ran.err().contains(word), "{word:?}\n{ran}");
        }
        let hints = ran.err().lines().count();
        assert!(hints >= 2, "what to do is said too\n{ran}");
    }
}

#[track_caller]
fn nothing_was_left(home: &Home) {
    for name in ["vault.pid", "vault.port", "vault.sock"] {
        let there = fs::symlink_metadata(home.vault_file(name)).is_ok();
        assert!(!there, "{name} was left");
    }
}

#[test]
fn lc1_a_port_held_on_either_loopback_address_alone_is_refused() {
    let home = ordinary_home();
    let _stopped = Stopped(&home);
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(held) = TcpListener::bind(address) else {
            println!("SKIP a port held on {address}: this machine has no such address");
            continue;
        };
        let at = held.local_addr().unwrap();
        neither_starts(&home, &at.port().to_string(), &[&at.port().to_string(), &at.ip().to_string()]);
        nothing_was_left(&home);
    }
    // With a vault there is a certificate already, and a record, to which a refused start means nothing.
    vault(&home).stop();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    neither_starts(&home, &port, &["127.0.0.1"]);
    nothing_was_left(&home);
    let json = home.cli(["serve", "--daemon", "--json", "--port", &port]).run().exits(7).json_error();
    assert_eq!(json["code"], "CONFLICT");
    let server = TestServer::start(&home);
    owner(&home, &["unlock"]).ok();
    let proven = owner(&home, &["audit", "verify"]).ok().out();
    assert!(!proven.contains("unclean"), "a refused start is no unclean end\n{proven}");
    server.stop();
}

#[test]
fn lc1_the_socket_s_place_is_taken() {
    let home = ordinary_home();
    let _stopped = Stopped(&home);
    home.make_dir(".hq-vault");
    let path = home.vault_file("vault.sock");
    // Somebody listens there: one whom we may talk to, or another user whom we may not.
    for mode in [0o666, 0o700] {
        let foreign = UnixListener::bind(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        neither_starts(&home, "0", &["vault.sock"]);
        assert!(fs::symlink_metadata(&path).is_ok(), "a live socket was taken away");
        drop(foreign);
        fs::remove_file(&path).unwrap();
    }
    home.make_dir(".hq-vault/vault.sock");
    neither_starts(&home, "0", &["vault.sock", "directory"]);
    fs::remove_dir(&path).unwrap();
    std::os::unix::fs::symlink(home.path().join("elsewhere"), &path).unwrap();
    neither_starts(&home, "0", &["vault.sock", "link"]);
    assert!(fs::symlink_metadata(&path).is_ok(), "it was not ours to take away");
    fs::remove_file(&path).unwrap();
    // What a killed daemon left is no hindrance.
    drop(UnixListener::bind(&path).unwrap());
    give(&home, &path);
    TestServer::start(&home).stop();
}

#[test]
fn lc1_a_pid_of_another_vault_s_daemon_is_left_alone() {
    let (one, two) = (ordinary_home(), ordinary_home());
    let _stopped = Stopped(&one);
    let first = vault(&one);
    let second = TestServer::start(&two);
    let innocent = second.pid();
    store(&one, "a/b", "v");
    first.kill();
    for content in
        [format!("{innocent}\n"), format!("{innocent}\n{{}}\n"), "1\n".into(), "-1\n".into(), "0\n".into()]
    {
        one.write(".hq-vault/vault.pid", &content, 0o600);
        one.write(".hq-vault/vault.lock", &content, 0o600);
        one.cli(["serve", "--stop"]).run().exits(6);
        one.cli(["status"]).run().ok();
    }
    one.write(".hq-vault/vault.pid", format!("{innocent}\n"), 0o600);
    one.write(".hq-vault/config.toml", "port = 0\n", 0o600);
    one.cli(["serve", "--restart"]).run().ok();
    owner(&one, &["unlock"]).ok();
    assert_eq!(owner(&one, &["get", "a/b"]).ok().out(), "v");
    one.cli(["serve", "--stop"]).run().ok();
    assert!(second.runs(), "the other vault's daemon was ended");
}

#[test]
fn lc1_another_program_that_holds_the_lock_is_named_and_left_alone() {
    let home = home();
    vault(&home).stop();
    let lock = hqv_sys::lock::VaultLock::acquire(&home.vault_file("vault.lock")).unwrap();
    let us = std::process::id().to_string();
    neither_starts(&home, "0", &[&us]);
    let ran = home.cli(["serve", "--stop"]).run();
    assert!(ran.code != Some(0) && ran.err().contains(&us), "{ran}");
    // It also listens where the daemon would, and is no daemon of this vault: another process.
    let mut listener = program(&home, "python3");
    listener.args(["-c", LISTEN]).stdin(Stdio::piped()).stdout(Stdio::piped());
    if let Some(mut listener) = running(listener) {
        let ran = home.cli(["serve", "--stop"]).run();
        assert!(ran.code != Some(0), "{ran}");
        assert!(listener.try_wait().unwrap().is_none(), "the listener was ended\n{ran}");
        listener.kill().unwrap();
        listener.wait().unwrap();
    }
    drop(lock);
}

const LISTEN: &str = r#"
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(os.environ["HOME"] + "/.hq-vault/vault.sock")
s.listen()
print("listening", flush=True)
while True:
    s.accept()[0].close()
"#;

fn running(mut command: Command) -> Option<std::process::Child> {
    use std::io::BufRead;
    let Ok(mut child) = command.spawn() else {
        println!("SKIP a foreign listener: python3 is not here");
        return None;
    };
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "listening\n");
    Some(child)
}

/// The first daemon still has the vault, and says who it is.
#[track_caller]
fn refused(ran: Ran, server: &TestServer<'_>) {
    let ran = ran.exits(7);
    assert!(ran.err().contains(&format!("pid {}", server.pid())), "{ran}");
    assert!(server.runs());
}

#[test]
fn st3_lc1_a_second_daemon_is_refused_by_whatever_name_the_vault_goes() {
    let home = ordinary_home();
    let server = vault(&home);
    store(&home, "a/b", "v");
    let other = home.path().join("tmp/../.hq-vault/.");
    let other = other.to_string_lossy();
    for name in
        [&[][..], &["--vault-dir", ".hq-vault"], &["--vault-dir", ".hq-vault/"], &["--vault-dir", &other]]
    {
        for way in [&["serve", "--daemon", "--port", "0"][..], &["serve", "--port", "0"]] {
            refused(home.cli(way.iter().chain(name)).run(), &server);
        }
    }
    // A lock file that was taken away does not let two in.
    fs::remove_file(home.vault_file("vault.lock")).unwrap();
    let ran = home.cli(["serve", "--daemon", "--port", "0"]).run();
    assert!(ran.code != Some(0), "two daemons on one vault\n{ran}");
    assert!(server.runs() && UnixListener::bind(server.socket()).is_err());
    assert_eq!(owner(&home, &["get", "a/b"]).ok().out(), "v");
    owner(&home, &["audit", "verify"]).ok();
}

#[test]
fn st3_commands_beside_a_daemon_leave_its_files_alone() {
    let home = ordinary_home();
    let server = vault(&home);
    store(&home, "a/b", "v");
    // None of these may open vault.db behind the daemon's back, and a stopped one is not waited for long.
    let script = "\"$HQ\" doctor; \"$HQ\" audit verify .hq-vault/audit.log; \"$HQ\" status --no-start; \"$HQ\" list --no-start";
    let output = shell(&home, script);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{}", told(&output));
    assert_eq!(owner(&home, &["get", "a/b"]).ok().out(), "v");
    store(&home, "a/c", "w");
    let server = server.restart();
    owner(&home, &["unlock"]).ok();
    assert_eq!(owner(&home, &["get", "a/c"]).ok().out(), "w");
    server.stop();
}

#[test]
fn lc1_commands_started_together_share_one_daemon() {
    let home = home();
    vault(&home).stop();
    home.write(".hq-vault/config.toml", "port = 0\n", 0o600);
    let _stopped = Stopped(&home);
    let script = "for n in 1 2 3 4 5 6; do \"$HQ\" list > /dev/null 2>&1 & done; wait; \"$HQ\" status --json";
    let output = shell(&home, script);
    assert!(output.status.success(), "{}", told(&output));
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(status["serverRunning"], true, "{status}");
    home.cli(["serve", "--stop"]).run().ok();
    home.cli(["serve", "--stop"]).run().exits(6);
}
