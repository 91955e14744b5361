//! Row MM5: load leaves memory and open files as they were.

use std::os::fd::BorrowedFd;

use hqv_client::{Client, Options, Pin, Target, Trust};
use hqv_model::SecretText;
use hqv_test::TestServer;

use crate::support::{home, owner, root_for, store, token, vault};

/// How a client comes to the daemon.
#[derive(Clone, Copy)]
pub enum Way {
    /// Over TLS, verified by the credential's pin.
    Tls,
    /// Over the Unix socket.
    Socket,
}

/// A client of our own in this process, with one kept connection.
pub fn connect(server: &TestServer<'_>, way: Way, credential: &str) -> Client {
    let target = match way {
        Way::Tls => format!("https://127.0.0.1:{}", server.port().unwrap()),
        Way::Socket => format!("unix:{}", server.socket().display()),
    };
    let mut options = Options::new(Target::parse(&target).unwrap(), hqv_sys::process::uid(), peer_uid);
    let credential = credential.trim_end();
    options.credential = Some(SecretText::new(credential.to_owned()));
    let pin = hqv_crypto::wire::parse(credential).ok().and_then(|known| known.pin);
    options.trust = Trust { pin: pin.map(Pin), ..Trust::default() };
    Client::new(options).unwrap()
}

fn peer_uid(fd: BorrowedFd<'_>) -> std::io::Result<u32> {
    hqv_sys::peer::of(fd).map(|peer| peer.uid)
}

/// Resident memory in KiB, and open files.
fn footprint(pid: u32) -> (u64, usize) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    (rss.split_whitespace().next().unwrap().parse().unwrap(), files)
}

/// One round of all that clients do: many requests on kept connections, new connections, refusals.
async fn round(server: &TestServer<'_>, tokens: &[String; 2]) {
    for way in [Way::Tls, Way::Socket] {
        let mut client = connect(server, way, &tokens[0]);
        for n in 0..200 {
            client.get(["app/a", "app/b", "app/large"][n % 3], None).await.unwrap();
        }
        assert!(client.get("app/none", None).await.is_err());
        assert!(client.get("other/x", None).await.is_err());
        client.token_self().await.unwrap();
        for _ in 0..10 {
            let mut short = connect(server, way, &tokens[0]);
            short.get("app/a", None).await.unwrap();
            let mut wrong = connect(server, way, &tokens[1]);
            assert!(wrong.get("app/a", None).await.is_err());
        }
    }
}

#[test]
fn mm5_load_leaves_memory_and_open_files_flat() {
    if !root_for("open files of a daemon under load") {
        return;
    }
    let home = home();
    let server = vault(&home);
    for (path, value) in [("app/a", 30), ("app/b", 3000), ("app/large", 60_000), ("other/x", 30)] {
        store(&home, path, vec![b'v'; value]);
    }
    let tokens = [token(&home, &["--name", "load", "--path", "app/"]), token(&home, &["--name", "ended"])];
    owner(&home, &["token", "revoke", "ended"]).ok();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = |rounds: u32| {
        for _ in 0..rounds {
            runtime.block_on(round(&server, &tokens));
        }
        // With each answer the daemon has seen a little more of what was closed before: the least counts.
        let settled = (0..10).map(|_| {
            home.cli(["status"]).run().ok();
            footprint(server.pid())
        });
        settled.reduce(|a, b| (a.0.min(b.0), a.1.min(b.1))).unwrap()
    };
    let before = run(3);
    let after = if std::env::var_os("HQV_LONG").is_some() {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(600);
        let mut last = before;
        while std::time::Instant::now() < end {
            last = run(5);
        }
        last
    } else {
        run(6)
    };
    println!("KiB and files: {before:?}, then {after:?}");
    assert!(after.0 <= before.0 + 2048, "memory grew from {} to {} KiB", before.0, after.0);
    assert_eq!(after.1, before.1, "open files");
}
