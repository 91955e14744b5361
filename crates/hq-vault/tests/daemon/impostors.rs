//! Row LC3: somebody else answers where the daemon should. What the same user could do besides stands in
//! SECURITY.md.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;

use hqv_test::{Home, TestServer, ordinary};

use crate::support::{home, ordinary_home, owner, root_for, store, token, vault};

/// Takes one connection and gives back everything that was sent on it.
fn listen<S: Read + Send + 'static>(accept: impl FnOnce() -> S + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut got = Vec::new();
        let _ = accept().read_to_end(&mut got);
        got
    })
}

/// A client of `home` asks an impostor and refuses to say anything.
#[track_caller]
fn refuses(home: &Home, url: &str, token: &str) {
    for words in [&["get", "a/b"][..], &["status"], &["list"]] {
        let ran = home.cli(words).env("HQ_VAULT_URL", url).token(token).run();
        assert!(matches!(ran.code, Some(1 | 4 | 6)), "{ran}");
        assert!(!ran.err().contains(token), "{ran}");
    }
}

fn gives(path: &Path, uid: u32, mode: u32) {
    chown(path, Some(uid), Some(uid)).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn lc3_a_socket_of_another_user_gets_no_word() {
    if !root_for("a second user's socket") {
        return;
    }
    let home = ordinary_home();
    let server = vault(&home);
    store(&home, "a/b", "v");
    let token = token(&home, &["--name", "worker"]);
    server.stop();
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    gives(dir.path(), ordinary::OTHER_UID_FOR_TESTS, 0o755);
    let path = dir.path().join("vault.sock");
    let listener = UnixListener::bind(&path).unwrap();
    gives(&path, ordinary::OTHER_UID_FOR_TESTS, 0o666);
    let url = format!("unix:{}", path.display());
    let heard = listen(move || listener.accept().unwrap().0);
    refuses(&home, &url, &token);
    let ran = home.cli(["get", "a/b"]).env("HQ_VAULT_URL", &url).token(&token).run();
    assert!(ran.err().contains("another user") || ran.err().contains("belongs to"), "{ran}");
    // One word that the test says itself, so that the listener ends.
    drop(std::os::unix::net::UnixStream::connect(&path).unwrap());
    assert_eq!(heard.join().unwrap(), b"");
}

#[test]
fn lc3_a_program_on_the_port_hears_no_token() {
    let home = ordinary_home();
    let server = vault(&home);
    let token = token(&home, &["--name", "worker"]);
    server.stop();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let heard = listen(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        stream
    });
    let asked = home.cli(["get", "a/b"]).env("HQ_VAULT_URL", &url).token(&token).run();
    assert!(matches!(asked.code, Some(1 | 4 | 6)), "{asked}");
    let heard = heard.join().unwrap();
    assert!(hqv_sys::search::find(&heard, &token.as_bytes()[4..40]).is_none());
    assert!(hqv_sys::search::find(&heard, b"a/b").is_none());
}

#[test]
fn lc3_another_vault_on_the_port_is_refused_by_the_pin() {
    let home = ordinary_home();
    let server = vault(&home);
    store(&home, "a/b", "v");
    let token = token(&home, &["--name", "worker"]);
    let port = server.port().unwrap().to_string();
    server.stop();
    // The impostor is a real vault of another user, on the very port that this one had.
    let other = crate::support::home();
    let impostor = vault(&other).restart_on(&other, &port);
    store(&other, "a/b", "not the true value");
    refuses(&home, &format!("https://localhost:{port}"), &token);
    let ran = home.cli(["get", "a/b"]).env("HQ_VAULT_URL", format!("https://localhost:{port}")).token(&token).run();
    assert!(!ran.out().contains("not the true value"), "{ran}");
    let record = owner(&other, &["audit", "--json", "--operation", "get"]).ok().out();
    assert!(!record.contains("denied"), "a credential reached the impostor: {record}");
    impostor.stop();
}
