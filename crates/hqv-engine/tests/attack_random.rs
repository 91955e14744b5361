//! A random walk through a vault that stops, fails, dies, locks and starts again, held against a small model.
//!
//! A change that was not confirmed may have happened or not, so the model is a set of vaults that are possible;
//! once the shelf works again, what is seen must be one of them. HQV_LONG=1 walks longer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kit;
mod random;

use hqv_engine::ops::audit_read::{AuditFilter, AuditRead};
use hqv_engine::ops::copy::Copy;
use hqv_engine::ops::delete::Delete;
use hqv_engine::ops::get::Get;
use hqv_engine::ops::mv::Move;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::ops::token_show::TokenShow;
use hqv_engine::{Begun, Engine, Operation, SlotSecret};
use hqv_model::{Clock, Code, Error, TokenId, TokenRef, Ttl};
use hqv_store::StoreError;
use hqv_store::faults::{Fault, FaultShelf};
use hqv_store::memory::{MemoryDisk, MemoryShelf};
use kit::{PASSPHRASE, TestClock, caller, create, passphrase, path, peer, put, start};
use proptest::prelude::*;
use proptest::test_runner::Config;
use random::steps::{Step, steps};
use random::{Action, Told, Vault};
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Paths 0 to 3 are the model's; this one is only written to, to know that the writer works.
const ASIDE: u8 = 9;

type Answer = Pin<Box<dyn Future<Output = Result<Told, Error>>>>;

struct World {
    disk: MemoryDisk,
    faults: Arc<FaultShelf>,
    dir: tempfile::TempDir,
    clock: Arc<TestClock>,
    engine: Engine,
    owner: String,
    opened: Duration,
    vaults: Vec<Vault>,
    faulty: bool,
    tokens: Vec<(u32, String, TokenId)>,
    next: u32,
    given: u64,
    /// The highest time of a confirmed change.
    floor: i64,
    seen: Option<(i64, Duration)>,
}

fn value(tag: u32) -> Vec<u8> {
    // Some values are held in memory, some are not.
    let text = format!("value {tag};");
    if tag.is_multiple_of(3) { text.repeat(900).into_bytes() } else { text.into_bytes() }
}

fn tag_of(bytes: &[u8]) -> u32 {
    let text = std::str::from_utf8(bytes).unwrap();
    let tag = text.split_once(';').unwrap().0.strip_prefix("value ").unwrap().parse().unwrap();
    assert_eq!(bytes, value(tag), "a value of another shape");
    tag
}

/// A token that has expired and is being revoked meanwhile may be told either.
fn ended(code: Code) -> Code {
    match code {
        // Also one that ended so long ago that its row has gone.
        Code::TokenExpired | Code::Unauthorized => Code::TokenRevoked,
        code => code,
    }
}

fn at(n: u8) -> hqv_model::SecretPath {
    path(&format!("p/{n}"))
}

/// Whether a jump of years may have ended it so long ago that its row has gone.
fn is_swept(vault: &Vault, token: u32, now: i64) -> bool {
    vault.tokens[&token].end + i64::try_from(hqv_engine::sweep::KEPT.as_millis()).unwrap() <= now
}

impl World {
    async fn new() -> World {
        let disk = MemoryDisk::new();
        let faults = Arc::new(FaultShelf::new(Arc::new(MemoryShelf::open(&disk))));
        // In memory where there is such a place: this is not about the disk, and each tick syncs.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let clock = TestClock::new();
        let engine = start(faults.clone(), dir.path(), clock.clone()).unwrap();
        let made = engine.init(peer(), passphrase(PASSPHRASE), false).await.unwrap();
        World {
            owner: made.session.reveal().to_owned(),
            opened: clock.boot(),
            disk,
            faults,
            dir,
            clock,
            engine,
            vaults: vec![Vault::default()],
            faulty: false,
            tokens: Vec::new(),
            next: 1,
            given: 0,
            floor: 0,
            seen: None,
        }
    }

    /// Vault time, held against what it promises.
    fn now(&mut self) -> i64 {
        let (now, boot) = (self.engine.now().millis(), self.clock.boot());
        assert!(now >= self.clock.wall().millis(), "behind the wall clock");
        assert!(now >= self.floor, "behind a confirmed change");
        if let Some((last, at)) = self.seen {
            assert!(now >= last + (boot - at).as_millis() as i64, "time ran slower than the boot clock");
        }
        self.seen = Some((now, boot));
        now
    }

    /// Unlocked, with a session of the owner that stands; false where the shelf does not let it.
    async fn ready(&mut self) -> bool {
        if self.faults.is_stopped() {
            self.die().await;
        }
        let locked = !self.engine.healthy();
        if locked {
            let op = Get { path: at(0), version: None };
            let refused = self.engine.run(caller(&self.owner), op).await.err().unwrap();
            assert_eq!(refused.code(), Code::VaultLocked);
        }
        if !locked && self.clock.boot() - self.opened < Duration::from_secs(14 * 60) {
            return true;
        }
        match self.engine.unlock(peer(), SlotSecret::Passphrase(passphrase(PASSPHRASE))).await {
            Ok(opened) => {
                self.owner = opened.session.reveal().to_owned();
                self.opened = self.clock.boot();
                let status = self.engine.status(&caller(&self.owner)).unwrap();
                let odd = |w: &&String| w.contains("put back") || w.contains("cut") || w.contains("changed");
                assert_eq!(status.warnings.iter().find(odd), None);
                true
            }
            Err(e) => {
                assert!(self.faulty && e.code() == Code::Unavailable, "the vault does not unlock: {e:?}");
                false
            }
        }
    }

    fn pick(&self, n: usize) -> Option<usize> {
        (!self.tokens.is_empty()).then(|| n % self.tokens.len())
    }

    /// The action, and its answer to come. What needs a token is nothing while there is none.
    fn begin(&mut self, step: &Step) -> Option<(Action, Answer)> {
        let owner = self.owner.clone();
        Some(match *step {
            Step::Put(n) => {
                let tag = self.next;
                self.next += 1;
                let op = put(at(n).as_str(), &value(tag));
                let answer = self.queue(&owner, op, |done| Told::Version(done.meta.version));
                (Action::Put { at: n, tag }, answer)
            }
            Step::Read(n, version) => (Action::Read { at: n, version }, self.read(&owner, n, version)),
            Step::Use(t, n) => {
                let (token, credential, _) = self.tokens[self.pick(t)?].clone();
                (Action::Use { token, at: n }, self.read(&credential, n, None))
            }
            Step::Delete(n) => (Action::Delete { at: n }, self.delete(n, false)),
            Step::Purge(n) => (Action::Purge { at: n }, self.delete(n, true)),
            Step::Move(a, b) => {
                let (from, to) = (at(a), at(b));
                let answer = self.queue(&owner, Move { from, to }, |_| Told::Done);
                (Action::Move { from: a, to: b }, answer)
            }
            Step::Copy(a, b) => {
                let (from, to) = (at(a), at(b));
                let answer = self.queue(&owner, Copy { from, to }, |_| Told::Done);
                (Action::Copy { from: a, to: b }, answer)
            }
            Step::Revoke(t) => {
                let (token, _, id) = self.tokens[self.pick(t)?].clone();
                let who = TokenRef::Id(id);
                let answer = self.queue(&owner, TokenRevoke { who }, |_| Told::Done);
                (Action::Revoke { token }, answer)
            }
            _ => return None,
        })
    }

    fn read(&self, who: &str, n: u8, version: Option<u64>) -> Answer {
        let path = at(n);
        self.queue(who, Get { path, version }, |got| Told::Value(tag_of(got.value.reveal())))
    }

    fn delete(&self, n: u8, purge: bool) -> Answer {
        let path = at(n);
        self.queue(&self.owner, Delete { path, purge }, |_| Told::Done)
    }

    fn queue<O: Operation>(
        &self,
        who: &str,
        op: O,
        told: impl FnOnce(O::Answer) -> Told + 'static,
    ) -> Answer {
        let begun = self.engine.begin(caller(who), op);
        Box::pin(async move {
            let answer = match begun? {
                Begun::Done(answer) => Ok(answer),
                Begun::Queued(answer) => answer.await.unwrap(),
            };
            answer.map(told)
        })
    }

    async fn create(&mut self, by: Option<usize>, name: u8, max: Option<u64>, ttl: u32, delegate: bool) {
        let by = by.and_then(|n| self.pick(n)).map(|n| self.tokens[n].clone());
        let now = self.now();
        let number = self.next;
        self.next += 1;
        let rules: &[&str] = if delegate { &["read,delegate on /"] } else { &["read on /"] };
        let mut op = create(&format!("n{name}"), max, rules);
        op.ttl = Some(Ttl::parse(&format!("{ttl}s")).unwrap());
        let who = by.as_ref().map_or(self.owner.clone(), |(_, token, _)| token.clone());
        let made = self.engine.run(caller(&who), op).await;
        let by = by.map(|(n, _, _)| n);
        let action = Action::Create { number, by, name, max, ttl: i64::from(ttl) * 1000, delegate };
        let told = match made {
            Ok(made) => {
                self.tokens.push((number, made.token.reveal().to_owned(), made.view.id));
                Ok(Told::Made { max: made.view.max_uses, end: made.view.expires_at.millis() })
            }
            Err(error) => Err(error),
        };
        self.judge(&action, told, now);
    }

    /// Holds an answer against every vault that is possible, and keeps those it fits.
    fn judge(&mut self, action: &Action, answer: Result<Told, Error>, now: i64) {
        let answer = answer.map_err(|e| ended(e.code()));
        let unknown = self.faulty && answer == Err(Code::Unavailable);
        let mut fitting = Vec::new();
        let mut fits = false;
        for vault in &self.vaults {
            let mut after = vault.clone();
            let expected = after.apply(action, now).map_err(ended);
            if unknown {
                if let (Action::Revoke { token }, Ok(_)) = (action, &expected) {
                    // In force at once; whether it is stored is not known.
                    let token = after.tokens.get_mut(token).unwrap();
                    token.stored = vault.tokens.values().any(|t| t == token);
                    fitting.push(after);
                    continue;
                }
                fitting.push(vault.clone());
                if expected.is_ok() {
                    fitting.push(after);
                }
            } else if expected == answer {
                fits = true;
                fitting.push(after);
            } else if let Action::Revoke { token } = action
                && answer == Err(Code::NotFound)
                && is_swept(vault, *token, now)
            {
                fits = true;
                fitting.push(vault.clone());
            }
        }
        assert!(unknown || fits, "{action:?} was answered {answer:?}; possible were {:#?}", self.vaults);
        let limited = |token: &u32| self.vaults.iter().any(|v| v.limited(*token));
        let durable = match action {
            Action::Read { .. } => false,
            Action::Use { token, .. } => limited(token),
            _ => true,
        };
        // A doubt ends only with a change that is confirmed; what is read meanwhile may be either side of it.
        if self.faulty && !unknown && (answer.is_err() || !durable) {
            if let (Action::Use { token, .. }, Ok(_)) = (action, &answer) {
                self.vaults.iter_mut().for_each(|v| v.spend(*token));
            }
            return;
        }
        let stored = match action {
            // Ending what has ended writes nothing.
            Action::Revoke { token } => self.vaults.iter().all(|v| !v.tokens[token].revoked),
            _ => durable,
        };
        if answer.is_ok() && stored {
            self.floor = self.floor.max(now);
            self.given += u64::from(matches!(action, Action::Use { .. }));
        }
        self.replace(fitting);
    }

    fn replace(&mut self, vaults: Vec<Vault>) {
        self.vaults = BTreeSet::from_iter(vaults).into_iter().collect();
    }

    /// The process dies: what it did not store is gone, what it wrote to the record stays.
    async fn die(&mut self) {
        let log = self.dir.path().join("audit.log");
        let (disk, lines) = (self.disk.image(), std::fs::read(&log).unwrap());
        self.engine.stop();
        self.disk.put_back(&disk);
        std::fs::write(&log, lines).unwrap();
        self.begin_again();
        let after = self.vaults.iter().flat_map(Vault::after_death).collect();
        self.replace(after);
    }

    async fn restart(&mut self) {
        let now = if self.engine.healthy() { self.now() } else { self.floor };
        self.engine.stop();
        let mut after: Vec<Vault> = self.vaults.iter().flat_map(|v| v.after_flush(now)).collect();
        // A stop stores what it can; what was not stored at a lock or on a broken shelf may be gone.
        after = after.iter().flat_map(Vault::after_death).collect();
        self.replace(after);
        self.begin_again();
    }

    fn begin_again(&mut self) {
        self.faults = Arc::new(FaultShelf::new(Arc::new(MemoryShelf::open(&self.disk))));
        self.faulty = false;
        self.engine = start(self.faults.clone(), self.dir.path(), self.clock.clone()).unwrap();
        self.seen = None;
    }

    /// The shelf works again: what is there now is told, and must be possible.
    async fn heal(&mut self) {
        if self.faults.is_stopped() {
            self.die().await;
        }
        self.faults.heal();
        self.faulty = false;
        assert!(self.ready().await);
        self.tick().await;
        assert!(self.ready().await);
        self.engine.run(caller(&self.owner), put(at(ASIDE).as_str(), b"aside")).await.unwrap();
        for vault in &mut self.vaults {
            vault.tokens.values_mut().for_each(|t| t.stored = t.revoked);
        }
        let now = self.now();
        for n in 0..4 {
            for version in [None, Some(1), Some(2)] {
                let (action, answer) = self.begin(&Step::Read(n, version)).unwrap();
                let answer = answer.await;
                self.judge(&action, answer, now);
            }
        }
        for (number, _, id) in self.tokens.clone() {
            let who = TokenRef::Id(id);
            let shown = match self.engine.run(caller(&self.owner), TokenShow { who }).await {
                Ok(shown) => shown,
                // A jump of years ended it so long ago that its row has gone.
                Err(gone) => {
                    assert_eq!(gone.code(), Code::NotFound);
                    assert!(self.vaults.iter().any(|v| is_swept(v, number, now)), "{number}");
                    continue;
                }
            };
            let fits = |v: &Vault| {
                let token = &v.tokens[&number];
                let uses = if v.limited(number) {
                    shown.use_count == token.spent
                } else {
                    shown.use_count <= token.spent
                };
                uses && v.revoked(number) == (shown.state == "revoked") && shown.max_uses == token.max
            };
            let fitting: Vec<Vault> = self.vaults.iter().filter(|v| fits(v)).cloned().collect();
            assert!(!fitting.is_empty(), "token {number} is {shown:?}; possible were {:#?}", self.vaults);
            self.vaults = fitting;
        }
    }

    async fn tick(&mut self) {
        let now = if self.engine.healthy() { self.now() } else { self.floor };
        self.engine.tick();
        let after = self.vaults.iter().flat_map(|v| v.after_flush(now)).collect();
        self.replace(after);
    }

    async fn together(&mut self, steps: &[Step]) {
        let now = self.now();
        // A token without limit reads at once, and so not behind what is queued.
        let queued = |w: &World, s: &Step| match s {
            Step::Use(t, _) => w.pick(*t).is_some_and(|t| w.vaults[0].limited(w.tokens[t].0)),
            _ => true,
        };
        let mut begun = Vec::new();
        for one in steps {
            if queued(self, one) {
                begun.extend(self.begin(one));
            }
        }
        // Readers that fail beside the commits.
        for _ in 0..3 {
            let (path, version) = (path("none"), None);
            let refused = self.engine.begin(caller(&self.owner), Get { path, version });
            assert_eq!(refused.err().map(|e| e.code()), Some(Code::NotFound));
            tokio::task::yield_now().await;
        }
        for (action, answer) in begun {
            let answer = answer.await;
            self.judge(&action, answer, now);
        }
    }

    async fn step(&mut self, step: &Step) {
        // Each doubt doubles what is possible; beyond some the shelf is made to work and asked.
        if self.vaults.len() > 32 || !self.ready().await {
            self.heal().await;
        }
        match step {
            Step::Together(steps) => self.together(steps).await,
            Step::Create(by, name, max, ttl, delegate) => {
                self.create(*by, *name, *max, *ttl, *delegate).await
            }
            Step::Lock => {
                self.engine.lock(&caller(&self.owner)).unwrap();
                self.seen = None;
            }
            Step::Restart => self.restart().await,
            Step::Die => self.die().await,
            Step::Pass(seconds) => self.clock.pass(Duration::from_secs(u64::from(*seconds))),
            Step::Jump(seconds) => self.clock.jump(i64::from(*seconds) * 1000),
            Step::Tick => self.tick().await,
            Step::Fault(n, how) => {
                let error = StoreError::Full;
                let fault = [Fault::Fail(error.clone()), Fault::FailFrom(error), Fault::Stop];
                self.faults.arm(*n, fault[usize::from(*how)].clone());
                self.faulty = true;
            }
            Step::Heal => self.heal().await,
            one => {
                let now = self.now();
                if let Some((action, answer)) = self.begin(one) {
                    let answer = answer.await;
                    self.judge(&action, answer, now);
                }
            }
        }
    }

    /// At the end all is found again, from the disk alone, and the record proves itself and lacks nothing.
    async fn end(mut self) {
        self.heal().await;
        self.restart().await;
        self.heal().await;
        let report = self.engine.audit_verify(caller(&self.owner), None).await.unwrap();
        assert!(report.is_ok(), "{:?}", report.findings);
        let read = AuditRead { filter: AuditFilter::default() };
        let read = self.engine.run(caller(&self.owner), read).await.unwrap();
        let records = read.last(10_000, None).unwrap().records;
        let gets = records.iter().filter(|r| {
            r.operation == "get" && r.outcome == "ok" && r.identity.kind == "token" && r.items.len() == 1
        });
        assert!(gets.count() as u64 >= self.given, "an answer without its line");
        self.engine.stop();
    }
}

#[allow(clippy::disallowed_methods)] // A test may ask how long it may take.
fn config() -> Config {
    let cases = if std::env::var_os("HQV_LONG").is_some() { 20_000 } else { 200 };
    Config { cases, failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn st1_tk1_whatever_happens_the_vault_is_one_that_is_possible(walk in prop::collection::vec(steps(), 1..32)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in &walk {
                world.step(step).await;
            }
            world.end().await;
        });
    }
}
