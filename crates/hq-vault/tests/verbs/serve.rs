//! The daemon's life: rows LC1, LC2, LC5, LC6 and the options of `serve`.

use crate::support::{home, owner, store, vault};
use hqv_test::TestServer;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

#[test]
fn lc1_a_second_daemon_is_refused_with_the_first_s_pid() {
    let home = home();
    let server = TestServer::start(&home);
    for words in [&["serve", "--daemon", "--port", "0"][..], &["serve", "--port", "0"]] {
        let ran = home.cli(words).run().exits(7);
        assert!(ran.err().contains(&format!("pid {}", server.pid())), "{ran}");
    }
    assert!(server.runs());
}

#[test]
fn lc1_a_port_taken_is_told_at_once() {
    let home = home();
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(held) = TcpListener::bind(address) else {
            continue;
        };
        let port = held.local_addr().unwrap().port().to_string();
        let ran = home.cli(["serve", "--daemon", "--port", &port]).run().exits(7);
        assert!(ran.err().contains(&port) && ran.err().contains("--port"), "{ran}");
        assert!(!home.vault_file("vault.pid").exists());
    }
}

#[test]
fn lc1_a_stale_or_reused_pid_harms_nobody() {
    let home = home();
    let server = vault(&home);
    server.kill();
    let mut innocent = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    home.write(".hq-vault/vault.pid", format!("{}\n", innocent.id()), 0o600);
    home.cli(["serve", "--stop"]).run().exits(6);
    owner(&home, &["serve", "--daemon", "--port", "0"]).ok();
    owner(&home, &["serve", "--stop"]).ok();
    assert!(innocent.try_wait().unwrap().is_none(), "the innocent process was ended");
    innocent.kill().unwrap();
    innocent.wait().unwrap();
}

#[test]
fn lc1_the_socket_s_place_is_taken_by_something_else() {
    let home = home();
    home.make_dir(".hq-vault");
    home.write(".hq-vault/vault.sock", "notes", 0o600);
    let ran = home.cli(["serve", "--daemon", "--port", "0"]).run().exits(7);
    assert!(ran.err().contains("vault.sock"), "{ran}");
    assert_eq!(std::fs::read(home.vault_file("vault.sock")).unwrap(), b"notes");
}

#[test]
fn lc2_signals_stop_it_in_good_order_and_a_hangup_does_not() {
    let home = home();
    let server = vault(&home);
    store(&home, "a/b", b"v");
    let signal = |name: &str, pid: u32| {
        assert!(
            std::process::Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success()
        );
    };
    signal("-HUP", server.pid());
    signal("-PIPE", server.pid());
    assert_eq!(owner(&home, &["get", "a/b"]).ok().out(), "v");
    for name in ["-TERM", "-INT"] {
        let server = TestServer::start(restarted(&home));
        signal(name, server.pid());
        assert!(hqv_sys::process::wait_end(server.pid(), hqv_test::PATIENCE).unwrap());
        for file in ["vault.pid", "vault.port", "vault.sock"] {
            assert!(!home.vault_file(file).exists(), "{name} left {file}");
        }
    }
    let server = TestServer::start(&home);
    server.kill();
    let server = TestServer::start(&home);
    owner(&home, &["unlock"]).ok();
    assert_eq!(owner(&home, &["get", "a/b"]).ok().out(), "v");
    server.stop();
}

/// The same home, with no daemon.
fn restarted(home: &hqv_test::Home) -> &hqv_test::Home {
    let _ = home.cli(["serve", "--stop"]).run();
    home
}

#[test]
fn lc2_in_the_foreground_ctrl_c_and_a_closed_terminal_stop_it() {
    let home = home();
    vault(&home).stop();
    let mut terminal = home.cli(["serve", "--port", "0"]).on_terminal();
    terminal.wait_for("Serving: https://localhost:").keys(b"\x03");
    terminal.finish().ok();
    let mut terminal = home.cli(["serve", "--port", "0"]).on_terminal();
    terminal.wait_for("Ctrl-C stops");
    let pid = terminal.pid();
    std::process::Command::new("kill").args(["-HUP", &pid.to_string()]).status().unwrap();
    terminal.finish().ok();
    assert!(!home.vault_file("vault.sock").exists());
}

#[test]
fn lc5_it_always_starts() {
    let home = home();
    vault(&home).stop();
    let rounds = if std::env::var_os("HQV_LONG").is_some() { 1000 } else { 15 };
    for round in 0..rounds {
        let server = TestServer::start(&home);
        assert!(server.port().is_some(), "round {round}");
        if round % 3 == 0 {
            server.kill();
        } else {
            server.stop();
        }
    }
}

#[test]
fn lc6_a_daemon_of_another_version_is_said_and_replaced() {
    let home = home();
    let old = |words: &[&str]| home.cli(words).env("HQ_VAULT_TEST_VERSION", "0.0.1").run();
    old(&["serve", "--daemon", "--port", "0"]).ok();
    let said = home.cli(["status"]).run().ok().out();
    assert!(said.contains("the daemon is hq-vault 0.0.1") && said.contains("serve --restart"), "{said}");
    let first = home.cli(["status", "--json"]).run().ok().json()["pid"].as_u64().unwrap();
    home.cli(["serve", "--restart"]).run().ok();
    let now = home.cli(["status", "--json"]).run().ok().json();
    assert_ne!(now["version"], "0.0.1");
    assert!(hqv_sys::process::wait_end(u32::try_from(first).unwrap(), hqv_test::PATIENCE).unwrap());
    home.cli(["serve", "--stop"]).run().ok();
}

#[test]
fn restart_keeps_the_options_and_new_ones_stand_over_them() {
    let home = home();
    let server = vault(&home);
    let port = server.port().unwrap().to_string();
    home.cli(["serve", "--stop"]).run().ok();
    home.cli(["serve", "--daemon", "--port", &port, "--idle-timeout", "7"]).run().ok();
    home.cli(["serve", "--restart"]).run().ok();
    let status = home.cli(["status", "--json"]).run().ok().json();
    assert_eq!(status["port"].to_string(), port);
    assert_eq!(status["idleTimeoutMs"], 7 * 60_000);
    home.cli(["serve", "--restart", "--idle-timeout", "0"]).run().ok();
    let status = home.cli(["status", "--json"]).run().ok().json();
    assert_eq!((status["port"].to_string(), &status["idleTimeoutMs"]), (port, &0.into()));
    assert!(status["weakened"].to_string().contains("idle-timeout"), "{status}");
    home.cli(["serve", "--stop"]).run().ok();
}

#[test]
fn lc1_a_restart_that_cannot_be_leaves_the_daemon_running() {
    let home = home();
    let server = vault(&home);
    let (port, pid) = (server.port().unwrap(), server.pid());
    let held = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = held.local_addr().unwrap().port().to_string();
    let ran = home.cli(["serve", "--restart", "--port", &taken]).run().exits(7);
    assert!(ran.err().contains(&taken), "{ran}");
    let status = home.cli(["status", "--json"]).run().ok().json();
    assert_eq!((&status["pid"], &status["locked"]), (&pid.into(), &false.into()), "it was never stopped");
    // Known only once it starts: what ran before runs again.
    let ran =
        home.cli(["serve", "--restart", "--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"]).run();
    assert!(ran.code != Some(0) && ran.err().contains("runs again as it did before"), "{ran}");
    let status = home.cli(["status", "--json"]).run().ok().json();
    assert!(status["pid"] != pid && status["port"] != 0, "{status} {port}");
    home.cli(["serve", "--stop"]).run().ok();
}

#[test]
fn a_log_that_grew_long_keeps_its_last_part_at_the_next_start() {
    let home = home();
    vault(&home).stop();
    let long: String = (0..40_000).map(|n| format!("line {n} of a log that nobody reads\n")).collect();
    assert!(long.len() > 1 << 20);
    home.write(".hq-vault/vault.log", &long, 0o600);
    home.cli(["serve", "--daemon", "--port", "0"]).run().ok();
    let log = std::fs::read_to_string(home.vault_file("vault.log")).unwrap();
    assert!(log.starts_with("line ") && log.contains("line 39999 of"), "{}", log.len());
    assert!((200 << 10..300 << 10).contains(&log.len()), "{}", log.len());
    home.cli(["serve", "--stop"]).run().ok();
}

#[test]
fn a_command_starts_the_daemon_where_it_may() {
    let home = home();
    vault(&home).stop();
    home.write(".hq-vault/config.toml", "port = 0\n", 0o600);
    for (name, words) in [("", &["list", "--no-start"][..]), ("0", &["list"])] {
        let ran = home.cli(words).owner().env("HQ_VAULT_AUTOSTART", name).run().exits(6);
        assert!(ran.err().contains("serve --daemon"), "{ran}");
    }
    owner(&home, &["list"]).exits(5);
    assert!(home.vault_file("vault.sock").exists());
    owner(&home, &["serve", "--stop"]).ok();
    let none = crate::support::home();
    let ran = none.cli(["list"]).run().exits(6);
    assert!(ran.err().contains("hq-vault init"), "{ran}");
    assert!(!none.vault().exists());
}

#[test]
fn many_commands_at_once_start_one_daemon() {
    let home = home();
    vault(&home).stop();
    home.write(".hq-vault/config.toml", "port = 0\n", 0o600);
    let codes: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..40).map(|_| scope.spawn(|| owner(&home, &["list"]).code)).collect();
        all.into_iter().map(|h| h.join().unwrap()).collect()
    });
    assert!(codes.iter().all(|c| *c == Some(5)), "{codes:?}");
    owner(&home, &["serve", "--stop"]).ok();
}

#[test]
fn files_of_the_vault_are_private() {
    let home = home();
    let _server = vault(&home);
    assert_eq!(std::fs::metadata(home.vault()).unwrap().permissions().mode() & 0o777, 0o700);
    for entry in std::fs::read_dir(home.vault()).unwrap().flatten() {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{:?}", entry.file_name());
    }
}

#[test]
fn a_terminal_is_offered_a_vault_at_the_port_asked_for() {
    let home = home();
    let mut terminal = home.cli(["serve", "--daemon", "--port", "0"]).on_terminal();
    terminal.wait_for("Make one now?").line("y");
    terminal.wait_for("New passphrase").line(crate::support::PASSPHRASE);
    terminal.wait_for("again").line(crate::support::PASSPHRASE);
    let ran = terminal.finish().ok();
    assert!(ran.err().contains("Serving: https://localhost:"), "{ran}");
    let status = home.cli(["status", "--json"]).run().ok().json();
    assert_eq!((&status["initialized"], &status["locked"]), (&true.into(), &false.into()));
    home.cli(["serve", "--stop"]).run().ok();
}

#[test]
fn in_the_foreground_too_and_the_vault_stays_open() {
    let home = home();
    let mut terminal = home.cli(["serve", "--port", "0"]).on_terminal();
    terminal.wait_for("Make one now?").line("");
    terminal.wait_for("New passphrase").line(crate::support::PASSPHRASE);
    terminal.wait_for("again").line(crate::support::PASSPHRASE);
    terminal.wait_for("Made: ~/.hq-vault");
    let status = home.cli(["status", "--json"]).run().ok().json();
    assert_eq!((&status["initialized"], &status["locked"]), (&true.into(), &false.into()));
    assert!(status["port"].is_u64(), "{status}");
    terminal.keys(b"\x03");
    terminal.finish().ok();
}

#[test]
fn a_refused_start_leaves_no_mark_in_the_record() {
    let home = home();
    let server = vault(&home);
    let port = server.port().unwrap();
    server.stop();
    let held = TcpListener::bind(("127.0.0.1", port)).unwrap();
    home.cli(["serve", "--daemon", "--port", &port.to_string()]).run().exits(7);
    assert!(!home.vault_file("vault.sock").exists());
    drop(held);
    let _server = TestServer::start(&home);
    owner(&home, &["unlock"]).ok();
    let report = owner(&home, &["audit", "verify", "--json"]).ok().json();
    assert_eq!(report["uncleanEnds"], 0, "{report}");
}

#[test]
fn options_that_cannot_be_are_refused() {
    let home = home();
    for words in [
        &["--port", "x"][..],
        &["--port", "65536"],
        &["--idle-timeout", "40000"],
        &["--idle-timeout", "-1"],
        &["--bind", "here"],
        &["--hostname", "a..b"],
        &["--tls-cert", "x.pem"],
        &["--stop", "--port", "1"],
        &["--stop", "--daemon"],
    ] {
        home.cli(["serve"].iter().chain(words)).run().exits(2);
    }
    home.write("x.pem", "nothing", 0o600);
    let ran = home
        .cli(["serve", "--daemon", "--port", "0", "--tls-cert", "x.pem", "--tls-key", "x.pem"])
        .run()
        .exits(2);
    assert!(ran.err().contains("x.pem"), "{ran}");
}
