//! Row LC3: somebody else answers where the daemon should. What the same user could do besides stands in
//! SECURITY.md.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

use hqv_test::{Home, ordinary};
use rustix::process::Signal;

use crate::life::Foreground;
use crate::support::{PASSPHRASE, ordinary_home, owner, program, root_for, signal, store, token, vault};

/// Hears the first words on every connection, until somebody says the last.
fn listen<S: Read + Send + 'static>(
    mut accept: impl FnMut() -> S + Send + 'static,
) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut heard = Vec::new();
        let mut room = vec![0; 16 << 10];
        while !heard.ends_with(LAST) {
            let got = accept().read(&mut room).unwrap_or(0);
            heard.extend_from_slice(&room[..got]);
        }
        heard
    })
}

const LAST: &[u8] = b"the last word";

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
    gives(dir.path(), 0, 0o755);
    let path = dir.path().join("vault.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let heard = listen(move || listener.accept().unwrap().0);
    let url = format!("unix:{}", path.display());
    for (owner, mode, says) in [
        (ordinary::OTHER_UID, 0o666, "it belongs to uid 64322"),
        (home.uid(), 0o666, "others may use it"),
        // The file looks right, yet another user listens: only the kernel can tell.
        (home.uid(), 0o600, "a process of uid 0 listens on it"),
    ] {
        gives(&path, owner, mode);
        let ran = home.cli(["get", "a/b"]).env("HQ_VAULT_URL", &url).token(&token).run().exits(6);
        assert!(ran.err().contains(says), "{ran}");
        refuses(&home, &url, &token);
        // A passphrase too goes to nobody else.
        home.cli(["unlock"]).owner().env("HQ_VAULT_URL", &url).run().exits(6);
    }
    UnixStream::connect(&path).unwrap().write_all(LAST).unwrap();
    assert_eq!(heard.join().unwrap(), LAST);
}

#[test]
fn lc3_a_program_on_the_port_hears_neither_token_nor_path() {
    let home = ordinary_home();
    let server = vault(&home);
    let token = token(&home, &["--name", "worker"]);
    server.stop();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let heard = listen(move || listener.accept().unwrap().0);
    let url = format!("https://127.0.0.1:{}", at.port());
    refuses(&home, &url, &token);
    // Without a pin it is the local ca.pem that is trusted.
    let pinless = home.cli(["get", "a/b"]).env("HQ_VAULT_URL", &url).owner().run();
    assert!(matches!(pinless.code, Some(1 | 4 | 6)), "{pinless}");
    TcpStream::connect(at).unwrap().write_all(LAST).unwrap();
    let heard = heard.join().unwrap();
    assert!(heard.len() > 100, "nobody came: {heard:?}");
    for secret in [&token.as_bytes()[4..40], b"a/b", PASSPHRASE.as_bytes()] {
        assert!(hqv_sys::search::find(&heard, secret).is_none());
    }
}

#[test]
fn lc3_another_vault_on_the_port_is_refused_by_the_pin() {
    let home = ordinary_home();
    let server = vault(&home);
    store(&home, "a/b", "v");
    let token = token(&home, &["--name", "worker"]);
    let port = server.port().unwrap().to_string();
    let url = format!("https://localhost:{port}");
    assert_eq!(home.cli(["get", "a/b"]).env("HQ_VAULT_URL", &url).token(&token).run().ok().out(), "v");
    server.stop();
    // The impostor is a real vault of somebody else, on the very port that this one had.
    let other = crate::support::home();
    vault(&other).stop();
    let mut serve = program(&other, other.program());
    serve.args(["serve", "--port", &port]);
    let mut impostor = Foreground::start(serve);
    owner(&other, &["unlock"]).ok();
    store(&other, "a/b", "not the true value");
    refuses(&home, &url, &token);
    let ran = home.cli(["get", "a/b"]).env("HQ_VAULT_URL", &url).token(&token).run();
    assert!(ran.stdout.is_empty(), "{ran}");
    // Credentials that come to a vault and are none of its own are counted in its record.
    signal(impostor.pid(), Signal::TERM);
    impostor.wait();
    let again = hqv_test::TestServer::start(&other);
    owner(&other, &["unlock"]).ok();
    let record = owner(&other, &["audit", "--json", "--limit", "1000"]).ok().out();
    assert!(record.contains("\"put\"") && !record.contains("\"refused\""), "a credential came: {record}");
    again.stop();
}
