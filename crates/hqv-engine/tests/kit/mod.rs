//! A vault in memory with a clock and randomness that the test holds.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use hqv_engine::ops::get::{Get, Got};
use hqv_engine::ops::put::{Put, PutCondition, PutDone};
use hqv_engine::ops::token_create::{TokenCreate, TokenMade};
use hqv_engine::{Caller, Engine, Hooks, KdfParams, NoHooks, Operation, Parts, SlotSecret, Transport, wire};
use hqv_model::*;
use hqv_store::Shelf;
use hqv_store::memory::{MemoryDisk, MemoryShelf};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const PASSPHRASE: &str = "correct horse battery";
/// As cheap as a passphrase slot can be; only tests can make such a one.
pub const CHEAP: KdfParams = KdfParams { mem_kib: 8, t: 1, p: 1 };

pub struct TestClock {
    pub wall: AtomicI64,
    pub boot_ms: AtomicU64,
}

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(TestClock { wall: AtomicI64::new(1_800_000_000_000), boot_ms: AtomicU64::new(1_000_000) })
    }
    /// Time passes.
    pub fn pass(&self, d: Duration) {
        let ms = d.as_millis() as i64;
        self.wall.fetch_add(ms, Ordering::SeqCst);
        self.boot_ms.fetch_add(ms as u64, Ordering::SeqCst);
    }
    /// Somebody sets the wall clock.
    pub fn jump(&self, ms: i64) {
        self.wall.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(self.wall.load(Ordering::SeqCst))
    }
    fn boot(&self) -> Duration {
        Duration::from_millis(self.boot_ms.load(Ordering::SeqCst))
    }
}

pub struct Seeded(ChaCha20Rng);

impl Entropy for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }
}

/// Randomness that is the same each time.
pub fn seeded(seed: u64) -> Seeded {
    Seeded(ChaCha20Rng::seed_from_u64(seed))
}

/// A vault that can be stopped, killed and started again.
pub struct Kit {
    pub disk: MemoryDisk,
    pub dir: tempfile::TempDir,
    pub clock: Arc<TestClock>,
    pub engine: Engine,
    pub owner: String,
    pub recovery: String,
}

static SEED: Mutex<u64> = Mutex::new(1);

pub fn start(shelf: Arc<dyn Shelf>, dir: &Path, clock: Arc<TestClock>) -> Result<Engine> {
    start_with(shelf, dir, clock, Arc::new(NoHooks))
}

pub fn start_with(
    shelf: Arc<dyn Shelf>,
    dir: &Path,
    clock: Arc<TestClock>,
    hooks: Arc<dyn Hooks>,
) -> Result<Engine> {
    Engine::open(Parts {
        shelf,
        log_dir: dir.to_owned(),
        clock,
        entropy: Arc::new(|| {
            let mut seed = SEED.lock().unwrap();
            *seed += 1;
            Box::new(Seeded(ChaCha20Rng::seed_from_u64(*seed)))
        }),
        kdf: CHEAP,
        hooks,
        idle_minutes: None,
        extra_names: Vec::new(),
        pin_tokens: true,
    })
}

impl Kit {
    pub async fn new() -> Kit {
        let disk = MemoryDisk::new();
        Kit::on(Arc::new(MemoryShelf::open(&disk)), disk).await
    }

    /// A vault behind a shelf of the test's choice.
    pub async fn on(shelf: Arc<dyn Shelf>, disk: MemoryDisk) -> Kit {
        Kit::made(shelf, disk, Arc::new(NoHooks)).await
    }

    /// A vault whose daemon is the test.
    pub async fn with_hooks(hooks: Arc<dyn Hooks>) -> Kit {
        let disk = MemoryDisk::new();
        Kit::made(Arc::new(MemoryShelf::open(&disk)), disk, hooks).await
    }

    async fn made(shelf: Arc<dyn Shelf>, disk: MemoryDisk, hooks: Arc<dyn Hooks>) -> Kit {
        let dir = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let engine = start_with(shelf, dir.path(), clock.clone(), hooks).unwrap();
        let made = engine.init(peer(), passphrase(PASSPHRASE), false).await.unwrap();
        let owner = made.session.reveal().to_owned();
        let recovery = made.recovery.reveal().to_owned();
        Kit { disk, dir, clock, engine, owner, recovery }
    }

    /// A clean stop and a start.
    pub async fn restart(&mut self) {
        self.engine.stop();
        self.engine =
            start(Arc::new(MemoryShelf::open(&self.disk)), self.dir.path(), self.clock.clone()).unwrap();
    }

    /// A start without a stop: what a killed process leaves.
    pub async fn crash(&mut self) {
        self.engine =
            start(Arc::new(MemoryShelf::open(&self.disk)), self.dir.path(), self.clock.clone()).unwrap();
    }

    pub async fn unlock(&mut self) {
        let opened =
            self.engine.unlock(peer(), SlotSecret::Passphrase(passphrase(PASSPHRASE))).await.unwrap();
        self.owner = opened.session.reveal().to_owned();
    }

    pub async fn run<O: Operation>(&self, credential: &str, op: O) -> Result<O::Answer> {
        self.engine.run(caller(credential), op).await
    }

    pub async fn put(&self, who: &str, at: &str, value: &[u8]) -> Result<PutDone> {
        self.run(who, put(at, value)).await
    }

    pub async fn get(&self, who: &str, at: &str) -> Result<Got> {
        self.run(who, Get { path: path(at), version: None }).await
    }

    pub async fn value(&self, at: &str) -> Result<Vec<u8>> {
        let owner = self.owner.clone();
        Ok(self.get(&owner, at).await?.value.reveal().to_vec())
    }

    pub async fn token(&self, by: &str, name: &str, max: Option<u64>, rules: &[&str]) -> Result<TokenMade> {
        self.run(by, create(name, max, rules)).await
    }
}

pub fn create(name: &str, max: Option<u64>, rules: &[&str]) -> TokenCreate {
    let rules: Vec<String> = rules.iter().map(|r| (*r).to_owned()).collect();
    TokenCreate {
        name: TokenName::parse(name).unwrap(),
        ttl: None,
        reserve: None,
        max_uses: max.map(|n| UseLimit::new(n).unwrap()),
        scope: (!rules.is_empty()).then(|| Scope::parse_rules(&rules).unwrap()),
        max_ttl: None,
    }
}

pub fn put(at: &str, value: &[u8]) -> Put {
    Put {
        path: path(at),
        value: SecretBytes::from_slice(value),
        kind: None,
        description: None,
        tags: None,
        expires: None,
        env: None,
        route: EntryRoute::Api,
        condition: PutCondition::Any,
    }
}

pub fn path(text: &str) -> SecretPath {
    SecretPath::parse(text).unwrap()
}

pub fn passphrase(text: &str) -> SecretBytes {
    SecretBytes::from_slice(text.as_bytes())
}

fn anyone(credential: Option<&str>, transport: Transport) -> Caller {
    Caller {
        credential: credential.map(|text| wire::parse(text).unwrap()),
        transport,
        request: RequestId::from_bytes([9; 16]),
        agent: Some("test".into()),
        claim: None,
        reason: None,
    }
}

/// A process of the same user on the socket.
pub fn peer() -> Caller {
    anyone(None, socket())
}

pub fn caller(credential: &str) -> Caller {
    anyone(Some(credential), socket())
}

/// Somebody on the network.
pub fn remote(credential: Option<&str>) -> Caller {
    anyone(credential, Transport::Tcp { addr: "127.0.0.1".into() })
}

fn socket() -> Transport {
    Transport::Socket { uid: 1000, pid: Some(42), program: Some("test".into()) }
}
