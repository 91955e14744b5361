//! Everything at once: uses, failing reads, changes, locks, ticks and a shelf that fails now and then.
//!
//! The order is the scheduler's, so only what must hold in every order is asked.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod hold;
mod kit;

use hold::{End, HoldShelf};
use hqv_engine::ops::delete::Delete;
use hqv_engine::ops::get::Get;
use hqv_engine::ops::mv::Move;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::ops::token_show::TokenShow;
use hqv_engine::{Engine, SlotSecret};
use hqv_model::{Code, TokenRef};
use hqv_store::memory::MemoryDisk;
use kit::{Kit, PASSPHRASE, caller, create, passphrase, path, peer, put};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

const TOKENS: usize = 4;
const MAX: u64 = 60;

struct Storm {
    engine: Engine,
    owner: Mutex<String>,
    over: AtomicBool,
    given: [AtomicU64; TOKENS],
    revoked: AtomicBool,
}

impl Storm {
    fn owner(&self) -> hqv_engine::Caller {
        caller(&self.owner.lock().unwrap())
    }

    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::SeqCst)
    }
}

/// Ends the storm however its holder ends.
struct Ends(Arc<Storm>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
    }
}

async fn uses(storm: Arc<Storm>, n: usize, token: String) {
    let _end = Ends(storm.clone());
    while storm.goes_on() {
        let ended = storm.revoked.load(Ordering::SeqCst);
        match storm.engine.run(caller(&token), Get { path: path("k"), version: None }).await {
            Ok(got) => {
                assert_eq!(got.value.reveal(), b"v");
                storm.given[n].fetch_add(1, Ordering::SeqCst);
                assert!(!(n == 0 && ended), "used after its revocation was answered");
            }
            Err(e) => {
                let known = [Code::TokenExhausted, Code::TokenRevoked, Code::VaultLocked, Code::Unavailable];
                assert!(known.contains(&e.code()), "{e:?}");
            }
        }
        tokio::task::yield_now().await;
    }
}

async fn fails(storm: Arc<Storm>) {
    let _end = Ends(storm.clone());
    while storm.goes_on() {
        let answer = storm.engine.run(storm.owner(), Get { path: path("none"), version: None }).await;
        // Not there, or not reached: locked with its sessions gone, or the shelf out of order.
        let known = [Code::NotFound, Code::Unauthorized, Code::VaultLocked, Code::Unavailable];
        let code = answer.err().map(|error| error.code());
        assert!(code.is_some_and(|code| known.contains(&code)), "{code:?}");
        tokio::task::yield_now().await;
    }
}

async fn changes(storm: Arc<Storm>) {
    let mut n = 0u32;
    while storm.goes_on() {
        n += 1;
        let (a, b) = (path(&format!("c/{}", n % 3)), path(&format!("c/{}", (n + 1) % 3)));
        // Each may be refused for many reasons; what matters is what is left in the end.
        let _ = match n % 5 {
            0 | 1 => storm
                .engine
                .run(storm.owner(), put(a.as_str(), &vec![7; 3000 * (n as usize % 3)]))
                .await
                .map(drop),
            2 => storm.engine.run(storm.owner(), Move { from: a, to: b }).await.map(drop),
            3 => storm
                .engine
                .run(storm.owner(), Delete { path: a, purge: n.is_multiple_of(2) })
                .await
                .map(drop),
            _ => storm.engine.run(storm.owner(), create("again", Some(3), &["read on /"])).await.map(drop),
        };
        tokio::task::yield_now().await;
    }
}

async fn trouble(storm: Arc<Storm>, shelf: Arc<HoldShelf>) {
    let _end = Ends(storm.clone());
    for round in 0u32..40 {
        shelf.end([End::Done, End::Refused, End::Done, End::Unconfirmed][round as usize % 4]);
        shelf.blind(round % 3);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        storm.engine.tick();
        if round % 5 == 4 {
            shelf.end(End::Done);
            shelf.blind(0);
            let _ = storm.engine.lock(&storm.owner());
            let opened = storm.engine.unlock(peer(), SlotSecret::Passphrase(passphrase(PASSPHRASE))).await;
            *storm.owner.lock().unwrap() = opened.unwrap().session.reveal().to_owned();
        }
        if round == 25 {
            let who = TokenRef::parse("w0").unwrap();
            let told = storm.engine.run(storm.owner(), TokenRevoke { who }).await;
            // In force either way.
            assert!(told.is_ok() || told.err().unwrap().code() == Code::Unavailable);
            storm.revoked.store(true, Ordering::SeqCst);
        }
    }
    shelf.end(End::Done);
    shelf.blind(0);
}

fn limit(n: usize) -> u64 {
    MAX * (1 + n as u64)
}

/// What was given is counted, never beyond the limit, and nothing is given after a revocation.
async fn look(kit: &Kit, storm: &Storm, tokens: &[String]) {
    for (n, token) in tokens.iter().enumerate() {
        let who = TokenRef::parse(&format!("w{n}")).unwrap();
        let seen = kit.run(&kit.owner, TokenShow { who }).await.unwrap().use_count;
        let (given, max) = (storm.given[n].load(Ordering::SeqCst), limit(n));
        assert!(given <= seen && seen <= max, "{given} {seen} {max}");
        let refused = kit.get(token, "k").await.err().map(|e| e.code());
        assert_eq!(n == 0, refused == Some(Code::TokenRevoked));
        if n > 0 && seen < max {
            storm.given[n].fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn st1_tk1_tk3_nothing_is_lost_or_given_twice_in_a_storm() {
    let disk = MemoryDisk::new();
    let shelf = HoldShelf::on(&disk);
    let mut kit = Kit::on(shelf.clone(), disk).await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let mut tokens = Vec::new();
    for n in 0..TOKENS {
        let made = kit.token(&owner, &format!("w{n}"), Some(limit(n)), &["read on k"]).await;
        tokens.push(made.unwrap().token.reveal().to_owned());
    }
    let storm = Arc::new(Storm {
        engine: kit.engine.clone(),
        owner: Mutex::new(owner),
        over: AtomicBool::new(false),
        given: Default::default(),
        revoked: AtomicBool::new(false),
    });
    let mut tasks = vec![tokio::spawn(trouble(storm.clone(), shelf))];
    for (n, token) in tokens.iter().enumerate() {
        tasks.push(tokio::spawn(uses(storm.clone(), n, token.clone())));
    }
    tasks.push(tokio::spawn(fails(storm.clone())));
    tasks.push(tokio::spawn(changes(storm.clone())));
    for task in tasks {
        task.await.unwrap();
    }
    let given: u64 = storm.given.iter().map(|n| n.load(Ordering::SeqCst)).sum();
    assert!(given > 0, "nothing was ever given");
    kit.owner = storm.owner.lock().unwrap().clone();
    kit.engine.tick();
    let owner = kit.owner.clone();
    kit.put(&owner, "z", b"behind the flush").await.unwrap();
    for _ in 0..2 {
        look(&kit, &storm, &tokens).await;
        kit.restart().await;
        kit.unlock().await;
        let report = kit.engine.audit_verify(caller(&kit.owner), None).await.unwrap();
        assert!(report.is_ok(), "{:?}", report.findings);
    }
}
