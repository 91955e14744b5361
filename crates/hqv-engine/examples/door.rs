//! How long the door takes: one GET in process, and an unlock, by number of secrets.
//!
//! `cargo run --release -p hqv-engine --example door -- 10000`
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

#[path = "../tests/kit/mod.rs"]
mod kit;

use hqv_engine::Begun;
use hqv_engine::ops::get::Get;
use kit::{Kit, caller, path, put};
use std::time::Instant;

/// Time on a processor of this thread, in nanoseconds: what a busy machine does not stretch.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

#[tokio::main]
async fn main() {
    let n: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(10_000);
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    let started = Instant::now();
    let mut tasks = Vec::new();
    for i in 0..n {
        let (engine, owner) = (kit.engine.clone(), owner.clone());
        tasks.push(tokio::spawn(async move {
            engine.run(caller(&owner), put(&format!("app/{}/key-{i}", i % 100), &[b'x'; 64])).await.unwrap();
        }));
        if tasks.len() == 256 {
            for t in tasks.drain(..) {
                t.await.unwrap();
            }
        }
    }
    for t in tasks {
        t.await.unwrap();
    }
    println!("put      {:>8.2} us each", started.elapsed().as_secs_f64() * 1e6 / n as f64);
    let token = kit.token(&owner, "w", None, &["read on app/"]).await.unwrap().token.reveal().to_owned();
    let rounds = 200_000;
    let (started, on_cpu) = (Instant::now(), cpu());
    for i in 0..rounds {
        let k = i % n;
        let op = Get { path: path(&format!("app/{}/key-{k}", k % 100)), version: None };
        match kit.engine.begin(caller(&token), op).unwrap() {
            Begun::Done(got) => assert_eq!(got.value.len(), 64),
            Begun::Queued(_) => unreachable!(),
        }
    }
    let each = |ns: f64| ns / 1e3 / f64::from(rounds as u32);
    let wall = started.elapsed().as_nanos() as f64;
    println!("get      {:>8.2} us each, {:.2} us of a processor", each(wall), each(cpu() - on_cpu));
    kit.restart().await;
    let started = Instant::now();
    kit.unlock().await;
    println!("unlock   {:>8.2} ms (a slot without cost)", started.elapsed().as_secs_f64() * 1e3);
}
