//! The ledger equals a model that folds every answered operation, whatever locks, ticks, restarts and kills stand
//! between. `HQV_LONG=1` walks further.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod kit;

use hqv_engine::ops::batch::{Batch, BatchWhich};
use hqv_engine::ops::copy::Copy;
use hqv_engine::ops::delete::Delete;
use hqv_engine::ops::exposed::ExposedFilter;
use hqv_engine::ops::get::Get;
use hqv_engine::ops::mv::Move;
use hqv_engine::ops::show::Show;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_model::TokenRef;
use hqv_store::Shelf;
use hqv_store::faults::{Fault, FaultShelf};
use hqv_store::memory::{MemoryDisk, MemoryShelf};
use kit::{Kit, caller, path};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// One step. Tokens are counted among those made so far; 0 is the owner.
#[derive(Clone, Debug)]
enum Step {
    Put(usize, u8),
    Get(usize, u8, Option<u64>),
    Batch(usize, u8, u8),
    Copy(usize, u8, u8),
    Move(usize, u8, u8),
    Delete(u8, bool),
    Child(usize),
    Revoke(usize),
    Ask,
    Lock,
    Restart,
    Die,
    Tick,
    Pass(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (t, p) = (0usize..5, 0u8..3);
    let one = prop_oneof![
        4 => (t.clone(), p.clone()).prop_map(|(t, p)| Step::Put(t, p)),
        8 => (t.clone(), p.clone(), prop::option::of(1u64..4)).prop_map(|(t, p, v)| Step::Get(t, p, v)),
        2 => (t.clone(), p.clone(), p.clone()).prop_map(|(t, a, b)| Step::Batch(t, a, b)),
        1 => (t.clone(), p.clone(), p.clone()).prop_map(|(t, a, b)| Step::Copy(t, a, b)),
        1 => (t.clone(), p.clone(), p.clone()).prop_map(|(t, a, b)| Step::Move(t, a, b)),
        1 => (p, any::<bool>()).prop_map(|(p, purge)| Step::Delete(p, purge)),
        2 => t.clone().prop_map(Step::Child),
        1 => t.prop_map(Step::Revoke),
        1 => Just(Step::Ask),
        1 => Just(Step::Lock),
        1 => Just(Step::Restart),
        2 => Just(Step::Die),
        2 => Just(Step::Tick),
        2 => prop_oneof![Just(1u32), Just(61), Just(700)].prop_map(Step::Pass),
    ];
    prop::collection::vec(one, 1..60)
}

/// Who, secret, version, access.
type Line = (String, String, u64, &'static str);
/// First and last time, ways.
type How = (i64, i64, Vec<&'static str>);

#[derive(Default)]
struct Model {
    lines: BTreeMap<Line, How>,
}

impl Model {
    fn note(
        &mut self,
        now: i64,
        who: &str,
        secret: String,
        version: u64,
        access: &'static str,
        way: &'static str,
    ) {
        let how =
            self.lines.entry((who.to_owned(), secret, version, access)).or_insert((now, now, Vec::new()));
        how.1 = now;
        if !how.2.contains(&way) {
            how.2.push(way);
            how.2.sort_unstable();
        }
    }
}

struct Walk {
    kit: Kit,
    shelf: Arc<FaultShelf>,
    /// Name and credential; the owner's is looked up, since it changes.
    tokens: Vec<(String, String)>,
    model: Model,
}

fn at(place: u8) -> String {
    format!("p/{place}")
}

impl Walk {
    async fn new() -> Walk {
        let disk = MemoryDisk::new();
        let shelf = Arc::new(FaultShelf::new(Arc::new(MemoryShelf::open(&disk))));
        let kit = Kit::on(shelf.clone() as Arc<dyn Shelf>, disk).await;
        Walk { kit, shelf, tokens: vec![("session".into(), String::new())], model: Model::default() }
    }

    fn now(&self) -> i64 {
        self.kit.engine.now().millis()
    }

    fn actor(&self, token: usize) -> (String, String) {
        let (name, credential) = self.tokens[token % self.tokens.len()].clone();
        if credential.is_empty() { (name, self.kit.owner.clone()) } else { (name, credential) }
    }

    fn note(&mut self, who: &str, secret: String, version: u64, access: &'static str, way: &'static str) {
        let now = self.now();
        self.model.note(now, who, secret, version, access, way);
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Put(by, to) => {
                let (name, who) = self.actor(by);
                if let Ok(done) = self.kit.put(&who, &at(to), b"value").await {
                    self.note(&name, done.meta.id.to_string(), done.meta.version, "written", "put");
                }
            }
            Step::Get(by, from, version) => {
                let (name, who) = self.actor(by);
                if let Ok(got) = self.kit.run(&who, Get { path: path(&at(from)), version }).await {
                    self.note(&name, got.meta.id.to_string(), got.meta.version, "exposed", "get");
                }
            }
            Step::Batch(by, one, two) => {
                let (name, who) = self.actor(by);
                let which = BatchWhich::Paths(vec![path(&at(one)), path(&at(two))]);
                for got in self.kit.run(&who, Batch { which }).await.unwrap_or_default() {
                    self.note(&name, got.meta.id.to_string(), got.meta.version, "exposed", "batch");
                }
            }
            Step::Copy(..) | Step::Move(..) => self.relocate(step).await,
            Step::Child(parent) => self.child(parent).await,
            Step::Delete(place, purge) => {
                let _ = self.kit.run(&self.kit.owner, Delete { path: path(&at(place)), purge }).await;
            }
            Step::Revoke(token) => {
                let (name, credential) = self.tokens[token % self.tokens.len()].clone();
                if !credential.is_empty() {
                    let _ = self
                        .kit
                        .run(&self.kit.owner, TokenRevoke { who: TokenRef::parse(&name).unwrap() })
                        .await;
                }
            }
            Step::Ask => self.compare().await,
            Step::Lock => {
                self.kit.engine.lock(&caller(&self.kit.owner)).unwrap();
                self.kit.unlock().await;
            }
            Step::Restart => {
                self.kit.engine.stop();
                self.start().await;
            }
            Step::Die => {
                self.die().await;
                self.start().await;
            }
            Step::Tick => self.kit.engine.tick(),
            Step::Pass(seconds) => self.kit.clock.pass(Duration::from_secs(seconds.into())),
        }
        self.sign_in().await;
    }

    /// The store takes nothing more, whatever writer and ledger were about. Both are waited for: in one process the
    /// threads of the dead would live on beside the next run.
    async fn die(&mut self) {
        self.shelf.arm(1, Fault::Stop);
        let owner = self.kit.owner.clone();
        assert!(self.kit.token(&owner, "never", None, &["read on p/"]).await.is_err());
        let _ = self.kit.engine.exposed(caller(&owner), ExposedFilter::default()).await;
    }

    async fn start(&mut self) {
        self.shelf = Arc::new(FaultShelf::new(Arc::new(MemoryShelf::open(&self.kit.disk))));
        let shelf = self.shelf.clone() as Arc<dyn Shelf>;
        self.kit.engine = kit::start(shelf, self.kit.dir.path(), self.kit.clock.clone()).unwrap();
        self.kit.unlock().await;
    }

    /// An idle session ends; the owner signs in again.
    async fn sign_in(&mut self) {
        if self.kit.engine.holds(&caller(&self.kit.owner)).is_err() {
            self.kit.unlock().await;
        }
    }

    async fn relocate(&mut self, step: Step) {
        let (by, from, to, copied) = match step {
            Step::Copy(by, from, to) => (by, from, to, true),
            Step::Move(by, from, to) => (by, from, to, false),
            _ => return,
        };
        let (name, who) = self.actor(by);
        let (source, target) = (path(&at(from)), path(&at(to)));
        let old = self.kit.run(&self.kit.owner, Show { path: source.clone() }).await.ok();
        let done = match copied {
            true => self.kit.run(&who, Copy { from: source, to: target }).await,
            false => self.kit.run(&who, Move { from: source, to: target }).await,
        };
        if let (Ok(new), Some(old)) = (done, old) {
            let way = if copied { "copy" } else { "move" };
            self.note(&name, old.view.id.to_string(), old.view.version, "exposed", way);
            self.note(&name, new.id.to_string(), new.version, "written", way);
        }
    }

    async fn child(&mut self, parent: usize) {
        let (above, who) = self.actor(parent);
        let name = format!("t{}", self.tokens.len());
        let rules = ["read,list,write,delete,delegate on p/"];
        if let Ok(made) = self.kit.token(&who, &name, None, &rules).await {
            let full = if above == "session" { name } else { format!("{above}/{name}") };
            self.tokens.push((full, made.token.reveal().to_owned()));
        }
    }

    async fn compare(&mut self) {
        self.sign_in().await;
        let filter = ExposedFilter { limit: 10_000, ..ExposedFilter::default() };
        let page = self.kit.engine.exposed(caller(&self.kit.owner), filter).await.unwrap();
        let mut found: BTreeMap<Line, How> = BTreeMap::new();
        for line in page.lines {
            let who = if line.name.is_empty() { line.by.to_owned() } else { line.name.to_string() };
            let mut ways = line.channels;
            ways.sort_unstable();
            let key = (who, line.secret.to_string(), line.version, line.access.as_str());
            let how = (line.first.millis(), line.last.millis(), ways);
            // Each session has lines of its own; the model knows one owner.
            let all = found.entry(key).or_insert_with(|| how.clone());
            all.0 = all.0.min(how.0);
            all.1 = all.1.max(how.1);
            all.2.extend(how.2);
            all.2.sort_unstable();
            all.2.dedup();
        }
        assert_eq!(found, self.model.lines);
    }
}

#[test]
fn whatever_happens_it_equals_the_answered_operations() {
    let long = std::env::var_os("HQV_LONG").is_some();
    let config = ProptestConfig {
        cases: if long { 2_000 } else { 60 },
        failure_persistence: None,
        ..Default::default()
    };
    proptest!(config, |(steps in steps())| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut walk = Walk::new().await;
            for step in steps {
                walk.step(step).await;
            }
            walk.compare().await;
            let checked = walk.kit.engine.vault_check(caller(&walk.kit.owner)).await.unwrap();
            assert!(checked.faults.is_empty(), "{:?}", checked.faults);
        });
    });
}
