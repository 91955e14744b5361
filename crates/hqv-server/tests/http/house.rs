//! A server with its vault, made for one test.

use hqv_engine::{Engine, Hooks, KdfParams, Parts, SlotSecret, Transport};
use hqv_model::{Clock, Entropy, RequestId, SecretBytes, Timestamp};
use hqv_server::{About, Handle, Leaf, Limits, Peer, Server, ServerConfig};
use hqv_store::memory::{MemoryDisk, MemoryShelf};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

pub const PASSPHRASE: &str = "correct horse battery";
pub const UID: u32 = 4242;

static SEED: AtomicU64 = AtomicU64::new(1);

pub struct Seeded(ChaCha20Rng);

impl Entropy for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }
}

pub fn entropy() -> Box<dyn Entropy> {
    Box::new(Seeded(ChaCha20Rng::seed_from_u64(SEED.fetch_add(1, Ordering::Relaxed))))
}

/// Stands still until a test moves it.
pub struct TestClock {
    wall: AtomicI64,
    boot: AtomicU64,
}

impl TestClock {
    pub fn pass(&self, time: Duration) {
        self.wall.fetch_add(time.as_millis() as i64, Ordering::SeqCst);
        self.boot.fetch_add(time.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(self.wall.load(Ordering::SeqCst))
    }
    fn boot(&self) -> Duration {
        Duration::from_millis(self.boot.load(Ordering::SeqCst))
    }
}

/// What the engine hands out at unlock: taken into use at once, as the daemon does.
#[derive(Default)]
struct TestHooks {
    handle: OnceLock<Handle>,
    ca: Mutex<Option<Vec<u8>>>,
}

impl Hooks for TestHooks {
    fn leaf_due(&self, _: Timestamp, _: &[String], _: &[u8]) -> bool {
        true
    }
    fn new_leaf(&self, ca_der: &[u8], leaf: hqv_engine::Leaf) {
        let handle = self.handle.get().expect("the server was started first");
        let leaf =
            Leaf { chain: vec![leaf.cert_der.clone()], key: leaf.key_der.clone(), not_after: leaf.not_after };
        handle.tls().install(leaf).unwrap();
        *self.ca.lock().unwrap() = Some(ca_der.to_vec());
        if handle.addresses().is_empty() {
            handle.set_ca("the CA".into(), "sha256:00".into());
            handle.listen_tcp(vec![TcpListener::bind("127.0.0.1:0").unwrap()]).unwrap();
        }
    }
}

pub struct House {
    pub engine: Engine,
    pub server: Server,
    pub clock: Arc<TestClock>,
    pub owner: String,
    pub socket: PathBuf,
    pub log: Arc<Mutex<Vec<String>>>,
    hooks: Arc<TestHooks>,
    _dir: tempfile::TempDir,
}

impl House {
    /// Unlocked, listening on both ways in.
    pub async fn new() -> House {
        Self::with(Limits::default(), UID).await
    }

    pub async fn with(limits: Limits, peer_uid: u32) -> House {
        let mut house = Self::empty(limits, peer_uid);
        let made = house.engine.init(peer(), secret(PASSPHRASE), false).await.unwrap();
        house.owner = made.session.reveal().to_owned();
        house
    }

    /// Listening on the socket; no vault yet.
    pub fn empty(limits: Limits, peer_uid: u32) -> House {
        let dir = tempfile::tempdir().unwrap();
        let clock =
            Arc::new(TestClock { wall: AtomicI64::new(1_800_000_000_000), boot: AtomicU64::new(1_000_000) });
        let hooks = Arc::new(TestHooks::default());
        let engine = Engine::open(Parts {
            shelf: Arc::new(MemoryShelf::open(&MemoryDisk::new())),
            log_dir: dir.path().to_owned(),
            clock: clock.clone(),
            entropy: Arc::new(entropy),
            kdf: KdfParams { mem_kib: 8, t: 1, p: 1 },
            hooks: hooks.clone(),
            idle_minutes: None,
            extra_names: Vec::new(),
            pin_tokens: true,
        })
        .unwrap();
        let socket = dir.path().join("vault.sock");
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = log.clone();
        let server = Server::start(ServerConfig {
            engine: engine.clone(),
            unix: Some(std::os::unix::net::UnixListener::bind(&socket).unwrap()),
            owner: UID,
            peer_of: Arc::new(move |_| {
                Some(Peer { uid: peer_uid, pid: Some(7), program: Some("test".into()) })
            }),
            hostnames: vec!["vault.internal".into()],
            limits,
            about: About { version: "9.9.9", vault_dir: dir.path().to_owned(), ..About::default() },
            clock: clock.clone(),
            rng: entropy(),
            log: Arc::new(move |line: &str| lines.lock().unwrap().push(line.to_owned())),
        })
        .unwrap();
        assert!(hooks.handle.set(server.handle()).is_ok());
        House { engine, server, clock, owner: String::new(), socket, log, hooks, _dir: dir }
    }

    pub fn handle(&self) -> Handle {
        self.server.handle()
    }

    pub fn address(&self) -> SocketAddr {
        self.handle().addresses()[0]
    }

    pub fn ca_der(&self) -> Vec<u8> {
        self.hooks.ca.lock().unwrap().clone().unwrap()
    }

    pub async fn unlock(&mut self) {
        let opened = self.engine.unlock(peer(), SlotSecret::Passphrase(secret(PASSPHRASE))).await.unwrap();
        self.owner = opened.session.reveal().to_owned();
    }

    /// A token, made over the wire by whoever holds `by`.
    pub async fn token(&self, by: &str, body: &str) -> String {
        let reply = self.tls().send("POST", "/v1/tokens", by, Some(body)).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.json()["token"].as_str().unwrap().to_owned()
    }

    pub async fn put(&self, path: &str, value: &str) {
        let body = serde_json::json!({ "value": value }).to_string();
        let owner = self.owner.clone();
        let reply = self.tls().send("PUT", &format!("/v1/secrets/{path}"), &owner, Some(&body)).await;
        assert!(reply.status == 200 || reply.status == 201, "{}", reply.text);
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // Ends the engine's writer thread; a test that wants the answers of a stop does it itself.
        self.engine.stop();
    }
}

pub fn secret(text: &str) -> SecretBytes {
    SecretBytes::from_slice(text.as_bytes())
}

/// A process of the same user, without credential.
pub fn peer() -> hqv_engine::Caller {
    hqv_engine::Caller {
        credential: None,
        transport: Transport::Socket { uid: UID, pid: None, program: None },
        request: RequestId::from_bytes([9; 16]),
        agent: None,
        claim: None,
        reason: None,
    }
}
