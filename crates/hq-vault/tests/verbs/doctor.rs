//! `doctor`: every finding is provoked once.

use crate::support::{PASSPHRASE, home, ordinary, owner, vault};
use hqv_model::Kind;
use hqv_store::{Scanned, Shelf};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};

/// The ids that `doctor` gives, with and without `--fix`.
fn ids(home: &hqv_test::Home, words: &[&str], env: &[(&str, &str)]) -> BTreeSet<String> {
    let mut cli = home.cli([&["doctor", "--json"], words].concat());
    for (name, value) in env {
        cli = cli.env(name, value);
    }
    let found = cli.run().json();
    let open = found["findings"].as_array().unwrap().iter().filter(|f| f["fixed"] == false);
    open.map(|f| f["id"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn finds(home: &hqv_test::Home, id: &str, env: &[(&str, &str)]) {
    let found = ids(home, &[], env);
    assert!(found.contains(id), "{id} not in {found:?}");
}

#[test]
fn a_healthy_vault_has_no_finding() {
    let home = home();
    let _server = vault(&home);
    let ran = home.cli(["doctor"]).run().ok();
    assert!(ran.out().contains("nothing is wrong with ~/.hq-vault"), "{ran}");
}

#[test]
fn what_is_wrong_with_files() {
    let home = ordinary();
    finds(&home, "no-vault", &[]);
    vault(&home).stop();
    let chmod = |name: &str, mode| {
        std::fs::set_permissions(home.vault_file(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    chmod("vault.db", 0o644);
    finds(&home, "file-mode", &[]);
    chmod("", 0o755);
    finds(&home, "dir-mode", &[]);
    let left = ids(&home, &["--fix"], &[]);
    assert!(!left.contains("file-mode") && !left.contains("dir-mode"), "{left:?}");
    assert_eq!(std::fs::metadata(home.vault_file("vault.db")).unwrap().permissions().mode() & 0o777, 0o600);
    home.write(".hq-vault/.vault.db.0123.tmp", "half", 0o600);
    finds(&home, "left-over", &[]);
    ids(&home, &["--fix"], &[]);
    assert!(!home.vault_file(".vault.db.0123.tmp").exists());
    home.write(".hq-vault/config.toml", "colour = 1\n", 0o600);
    finds(&home, "config", &[]);
    std::fs::remove_file(home.vault_file("config.toml")).unwrap();
    std::fs::rename(home.vault_file("vault.log"), home.path().join("log")).unwrap();
    symlink(home.path().join("log"), home.vault_file("vault.log")).unwrap();
    finds(&home, "file-link", &[]);
    std::fs::remove_file(home.vault_file("vault.log")).unwrap();
    std::fs::create_dir(home.vault_file("tls.pem.d")).unwrap();
    std::process::Command::new("mkfifo").arg("-m600").arg(home.vault_file("vault.log")).status().unwrap();
    let found = ids(&home, &[], &[]);
    assert!(found.contains("file-kind") || found.contains("file-owner"), "{found:?}");
    std::fs::remove_file(home.vault_file("vault.log")).unwrap();
    if hqv_sys::process::uid() == 0 {
        std::fs::write(home.vault_file("tls.key"), "root's").unwrap();
        std::os::unix::fs::chown(home.vault_file("tls.key"), Some(0), Some(0)).unwrap();
        finds(&home, "file-owner", &[]);
        std::os::unix::fs::chown(home.vault(), Some(0), Some(0)).unwrap();
        finds(&home, "dir-owner", &[]);
    }
}

#[test]
fn what_stands_in_the_vault_s_place() {
    let home = home();
    let real = home.make_dir("elsewhere");
    symlink(&real, home.vault()).unwrap();
    finds(&home, "dir-link", &[]);
    std::fs::remove_file(home.vault()).unwrap();
    home.write(".hq-vault", "a file", 0o600);
    finds(&home, "dir-kind", &[]);
    let long = format!("{}/{}", home.path().display(), "d".repeat(200));
    finds(&home, "socket-path", &[("HQ_VAULT_DIR", &long)]);
}

#[test]
fn what_is_wrong_with_the_daemon() {
    let home = home();
    let server = vault(&home);
    let port = server.port().unwrap();
    server.kill();
    finds(&home, "daemon-ended", &[]);
    ids(&home, &["--fix"], &[]);
    assert!(!home.vault_file("vault.pid").exists());
    let held = TcpListener::bind(("127.0.0.1", port)).unwrap();
    home.write(".hq-vault/config.toml", format!("port = {port}\n"), 0o600);
    finds(&home, "port-taken", &[]);
    drop(held);
    let socket = std::os::unix::net::UnixListener::bind(home.vault_file("vault.sock")).unwrap();
    finds(&home, "socket-foreign", &[]);
    drop(socket);
    std::fs::remove_file(home.vault_file("vault.sock")).unwrap();
    let lock = hqv_sys::lock::VaultLock::acquire(&home.vault_file("vault.lock")).unwrap();
    finds(&home, "daemon-silent", &[]);
    drop(lock);
    std::fs::remove_file(home.vault_file("config.toml")).unwrap();
    let old = [("HQ_VAULT_TEST_VERSION", "0.0.1")];
    home.cli(["serve", "--daemon", "--port", "0", "--idle-timeout", "0"]).env(old[0].0, old[0].1).run().ok();
    finds(&home, "daemon-version", &[]);
    finds(&home, "weakened", &[]);
    home.cli(["serve", "--stop"]).run().ok();
    std::fs::remove_file(home.vault_file("tls.pem")).unwrap();
    home.cli(["serve", "--daemon", "--port", "0"]).run().ok();
    finds(&home, "tls-off", &[]);
    owner(&home, &["unlock"]).ok();
    assert!(!ids(&home, &[], &[]).contains("tls-off"));
    home.cli(["serve", "--stop"]).run().ok();
}

#[test]
fn a_daemon_that_says_nonsense_or_found_something() {
    let home = home();
    let server = vault(&home);
    server.kill();
    let _server = hqv_test::TestServer::start(&home);
    finds(&home, "daemon-warning", &[]);
    drop(_server);
    let lock = hqv_sys::lock::VaultLock::acquire(&home.vault_file("vault.lock")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(home.vault_file("vault.sock")).unwrap();
    std::thread::spawn(move || {
        for stream in socket.incoming() {
            let _ = std::io::Write::write_all(&mut stream.unwrap(), b"nonsense\n\n");
        }
    });
    finds(&home, "daemon-answer", &[]);
    drop(lock);
}

/// The owner's doctor has the daemon read every row again.
#[test]
fn st6_rows_that_are_not_those_last_written() {
    let home = home();
    let _server = vault(&home);
    owner(&home, &["store", "a/b", "--generate"]).ok();
    let session = owner(&home, &["unlock", "--raw"]).ok().out();
    let as_owner = [("HQ_VAULT_SESSION", session.trim_end())];
    assert!(!ids(&home, &[], &as_owner).contains("row-state"));
    let options = hqv_store_sqlite::OpenOptions { create: false };
    let shelf = hqv_store_sqlite::SqliteShelf::open(&home.vault_file("vault.db"), options).unwrap();
    let mut versions = Vec::new();
    let mut keep = |scanned: Scanned| {
        let Scanned::Row(row) = scanned else { unreachable!("nothing is too long") };
        versions.push((Kind::Version, row.header.id));
        std::ops::ControlFlow::Continue(())
    };
    shelf.scan(Kind::Version, usize::MAX, &mut keep).unwrap();
    shelf.commit(hqv_store::Batch { put: Vec::new(), delete: versions }).unwrap();
    finds(&home, "row-state", &as_owner);
    assert!(!ids(&home, &[], &[]).contains("row-state"), "nobody else may ask");
}

#[test]
fn a_debugger_and_memory_that_cannot_be_locked() {
    let home = ordinary();
    vault(&home).stop();
    let sh = hqv_test::Home::of("/bin/sh", true);
    let doctor = |before: &str| {
        let script = format!("{before} {} doctor --json", home.program().display());
        sh.cli(["-c", &script]).env("HOME", home.path()).run().out()
    };
    assert!(doctor("ulimit -l 0;").contains("\"memlock\""));
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        println!("skipped: traced: no strace here");
        return;
    }
    assert!(doctor("strace -o /dev/null").contains("\"traced\""));
}

#[test]
fn what_is_wrong_with_the_surroundings() {
    let home = home();
    let _server = vault(&home);
    finds(&home, "token-empty", &[("HQ_VAULT_TOKEN", "")]);
    finds(&home, "session-inherited", &[("HQ_VAULT_SESSION", "hqs_x")]);
    let once = [("HQ_VAULT_SESSION", "hqs_x"), ("HQ_VAULT_SESSION_ONCE", "1")];
    assert!(!ids(&home, &[], &once).contains("session-inherited"));
    home.write("open", PASSPHRASE, 0o644);
    finds(&home, "passphrase-file", &[("HQ_VAULT_PASSPHRASE_FILE", "open")]);
    finds(&home, "preload", &[("LD_PRELOAD", "/nowhere/lib.so")]);
    home.write(".bashrc", "", 0o666);
    finds(&home, "writable-by-others", &[]);
}
