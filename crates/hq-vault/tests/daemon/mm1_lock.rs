//! Rows MM1 and MM3: what the daemon's memory holds before and after `lock`, and who may look.

use std::os::unix::process::ExitStatusExt;

use hqv_crypto::wire;
use hqv_model::Entropy;
use hqv_test::{Canary, Home, TestRng, TestServer};
use rustix::process::Signal;

use crate::keys::{self, Held};
use crate::load::{Way, connect};
use crate::memory::Memory;
use crate::support::{
    PASSPHRASE, home, ordinary_home, owner, root_for, shell, signal, store, token, told, vault,
};

const VALUE: &str = "CANARY-of-memory-7f3k9qxm-pw";
const LARGE: &str = "CANARY-in-a-large-value-0c2v";
const DESCRIPTION: &str = "CANARY-description-5t";
const WRONG: &str = "wrong horse battery staple";

/// What must be gone after a lock, by name.
struct Planted(Vec<(&'static str, Canary)>);

/// How many answers a daemon may give until it has let go what it had: it wipes its stack at the lock, and
/// once more when the connections of that moment are closed, a third of a second later.
const ANSWERS: usize = 20;

impl Planted {
    fn in_memory(&self, memory: &Memory) -> Vec<String> {
        let one = |(name, canary): &(&str, Canary)| -> Vec<String> {
            memory.search(canary).iter().map(|found| format!("{name}: {found}")).collect()
        };
        self.0.iter().flat_map(one).collect()
    }

    /// Looks until all is gone; gives the memory in which it was.
    #[track_caller]
    fn must_go(&self, home: &Home, server: &TestServer<'_>, when: &str) -> Memory {
        let mut found = Vec::new();
        for _ in 0..ANSWERS {
            home.cli(["status"]).run().ok();
            let memory = Memory::of(server.pid()).unwrap();
            found = self.in_memory(&memory);
            if found.is_empty() {
                return memory;
            }
        }
        panic!("{when}:\n{}", found.join("\n"));
    }
}

#[test]
fn mm1_keys_stand_in_locked_memory_and_after_lock_nothing_is_left() {
    if !root_for("the daemon's memory before and after lock") {
        return;
    }
    let home = home();
    let server = vault(&home);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (planted, mut held) = use_everything(&home, &server, &runtime);
    let keys = keys::all(&home.vault(), PASSPHRASE);

    let open = Memory::of(server.pid()).unwrap();
    for key in &keys {
        let places = open.with(&key.bytes);
        let outside: Vec<_> = places.iter().filter(|m| !m.is_locked()).map(|m| (&m.name, &m.flags)).collect();
        match key.held {
            Held::Locked => assert!(!places.is_empty(), "{} is not in an unlocked daemon", key.name),
            Held::Prepared => continue,
            Held::Briefly => assert!(places.is_empty(), "{} is still there: {outside:?}", key.name),
        }
        assert!(outside.is_empty(), "{} outside locked memory: {outside:?}", key.name);
    }

    owner(&home, &["lock"]).ok();
    let locked = planted.must_go(&home, &server, "after lock");
    let public = std::fs::read(home.vault_file("ca.pem")).unwrap();
    assert!(
        !locked.with(&public[..60]).is_empty(),
        "{} bytes were seen, ca.pem not among them",
        locked.len()
    );
    no_key(&locked, &keys, "after lock");

    // What comes to a locked daemon is not kept either: credentials, and a wrong passphrase.
    for client in &mut held {
        assert!(runtime.block_on(client.get("app/value", None)).is_err());
    }
    drop((held, runtime));
    let wrong = home.write("wrong", WRONG, 0o600);
    home.cli(["unlock"]).env("HQ_VAULT_PASSPHRASE_FILE", wrong).run().exits(4);
    planted.must_go(&home, &server, "after requests while locked");

    // Once more: an unlock and a lock leave as little.
    owner(&home, &["unlock"]).ok();
    assert_eq!(owner(&home, &["get", "app/value"]).ok().out(), VALUE);
    owner(&home, &["lock"]).ok();
    let locked = planted.must_go(&home, &server, "after the second lock");
    no_key(&locked, &keys, "after the second lock");
    server.stop();
}

#[track_caller]
fn no_key(memory: &Memory, keys: &[keys::Key], when: &str) {
    for key in keys {
        let places: Vec<_> = memory.with(&key.bytes).iter().map(|m| &m.name).collect();
        assert!(places.is_empty(), "{} {when}: {places:?}", key.name);
        let found = memory.search(&Canary::new(&key.bytes));
        assert!(found.is_empty(), "{} {when}: {found:?}", key.name);
    }
}

/// Stores and reads in every way; gives what was planted, and clients whose connections are still open.
fn use_everything(
    home: &Home,
    server: &TestServer<'_>,
    runtime: &tokio::runtime::Runtime,
) -> (Planted, Vec<hqv_client::Client>) {
    let mut binary = [0u8; 64];
    TestRng::seeded(11).fill(&mut binary);
    values(home, &binary);
    let unlimited = token(home, &["--name", "memory-worker"]);
    let limited = token(home, &["--name", "memory-limited", "--max-uses", "3"]);
    home.cli(["get", "app/value"]).token(&limited).run().ok();
    owner(home, &["audit"]).ok();
    let session = std::fs::read_to_string(home.vault_file("session.cache")).unwrap();
    let ways = [(Way::Tls, &unlimited), (Way::Socket, &unlimited), (Way::Socket, &session)];
    let held = ways.map(|(way, credential)| {
        let mut client = connect(server, way, credential);
        let got = runtime.block_on(client.get("app/value", None)).unwrap();
        assert_eq!(got.value.reveal(), VALUE.as_bytes());
        runtime.block_on(client.get("app/large", None)).unwrap();
        client
    });
    let mut planted: Vec<_> = [
        ("the passphrase", PASSPHRASE),
        ("a wrong passphrase", WRONG),
        ("a value", VALUE),
        ("a large value", LARGE),
        ("a description", DESCRIPTION),
        ("a token's name", "memory-worker"),
    ]
    .map(|(name, text)| (name, Canary::new(text.as_bytes())))
    .into();
    planted.push(("a binary value", Canary::new(&binary)));
    for (name, text) in [("the session", &session), ("a token", &unlimited), ("a limited token", &limited)] {
        let text = text.trim_end();
        planted.push((name, Canary::new(text.as_bytes())));
        planted.push((name, Canary::new(wire::parse(text).unwrap().secret.as_slice())));
    }
    (Planted(planted), held.into())
}

/// Values short, long, random and in bulk go in and come out.
fn values(home: &Home, binary: &[u8]) {
    let large = format!("{}{LARGE}{}", "x".repeat(50_000), "y".repeat(50_000));
    for (path, value) in
        [("app/value", VALUE.as_bytes()), ("app/large", large.as_bytes()), ("bin/key", binary)]
    {
        store(home, path, value);
        assert_eq!(owner(home, &["get", path]).ok().stdout, value);
        owner(home, &["get", path, "--json"]).ok();
    }
    owner(home, &["store", "app/note", "--generate", "--description", DESCRIPTION]).ok();
    owner(home, &["env-file", "app/", "--format", "json"]).ok();
}

#[test]
fn mm1_a_daemon_that_dies_leaves_no_core() {
    let home = ordinary_home();
    vault(&home).stop();
    let mut daemon = crate::support::program(&home, "/bin/sh");
    daemon.args(["-c", "ulimit -c unlimited; exec \"$HQ\" serve --port 0"]);
    let mut daemon = crate::life::Foreground::start(daemon);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    owner(&home, &["unlock"]).ok();
    signal(daemon.pid(), Signal::ABORT);
    let status = daemon.wait();
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
    assert!(!status.core_dumped());
    let left = std::fs::read_dir(home.path()).unwrap().flatten();
    assert!(!left.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("core")));
}

/// Each line of the answer names a door that was open.
const DOORS: &str = r#"
for name in mem environ maps auxv io; do
  ( : < "/proc/$PID/$name" ) 2> /dev/null && echo "$name"
done
ls "/proc/$PID/fd" > /dev/null 2>&1 && echo fd
if command -v gcore > /dev/null; then
  gcore -o tmp/core "$PID" > tmp/gcore.out 2>&1 && echo gcore
fi
ls tmp/core.* 2> /dev/null
kill -0 "$PID" || echo "not ours at all"
"#;

#[test]
fn mm3_the_same_user_can_neither_read_nor_trace_the_daemon_or_a_client() {
    let home = ordinary_home();
    let server = vault(&home);
    let mut prompt = home.cli(["unlock"]).on_terminal();
    prompt.wait_for("Passphrase");
    for pid in [server.pid(), prompt.pid()] {
        let output = shell(&home, &DOORS.replace("$PID", &pid.to_string()));
        assert!(output.stdout.is_empty() && output.status.success(), "{}", told(&output));
    }
    // The same look at a process without our hardening sees everything.
    let output = shell(&home, &format!("sleep 60 > /dev/null & PID=$!\n{DOORS}\nkill $PID"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("environ\nmaps\nauxv\n"), "{}", told(&output));
    prompt.keys(b"\x03");
    let _ = prompt.finish();
}
