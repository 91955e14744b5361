//! What an unlock costs beside its key derivation, by number of secrets, on the embedded shelf.
//!
//! `cargo run --release -p hqv-engine --example unlock -- 100000`
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

#[path = "../tests/kit/mod.rs"]
mod kit;

use hqv_store::memory::MemoryDisk;
use hqv_store_sqlite::{OpenOptions, SqliteShelf};
use kit::{Kit, caller, put, start};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Freed memory is wiped, as in the binary.
#[global_allocator]
static ALLOCATOR: hqv_sys::memory::WipingAllocator = hqv_sys::memory::WipingAllocator;

/// Writers whose commits are shared.
const WRITERS: usize = 256;
/// Unlocks, of which the median counts.
const ROUNDS: usize = 9;

#[tokio::main]
async fn main() {
    hqv_sys::memory::tune();
    let n: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(10_000);
    let place = tempfile::tempdir().unwrap();
    let mut kit = Kit::on(shelf(place.path(), true), MemoryDisk::new()).await;
    fill(&kit, n).await;
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        kit.engine.stop();
        kit.engine = start(shelf(place.path(), false), kit.dir.path(), kit.clock.clone()).unwrap();
        hqv_sys::memory::give_back();
        let (started, before) = (Instant::now(), processors());
        kit.unlock().await;
        all.push((started.elapsed().as_secs_f64() * 1e3, processors() - before));
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let wall = median(all.iter().map(|(wall, _)| *wall).collect());
    let busy = median(all.iter().map(|(_, busy)| *busy).collect());
    let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::MAX, f64::min);
    let (quick, idle) =
        (least(&mut all.iter().map(|(wall, _)| *wall)), least(&mut all.iter().map(|(_, b)| *b)));
    println!(
        "unlock of {n}: {wall:.1} ms, {busy:.1} ms of processors (medians of {ROUNDS}; least {quick:.1}, {idle:.1})"
    );
}

fn shelf(dir: &Path, create: bool) -> Arc<SqliteShelf> {
    Arc::new(SqliteShelf::open(&dir.join("vault.db"), OpenOptions { create }).unwrap())
}

/// Milliseconds on a processor, of all threads that were.
fn processors() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

async fn fill(kit: &Kit, n: usize) {
    let mut writers = tokio::task::JoinSet::new();
    for i in 0..n {
        let (engine, owner) = (kit.engine.clone(), kit.owner.clone());
        writers.spawn(async move {
            let path = format!("app/{}/key-{i}", i % 100);
            engine.run(caller(&owner), put(&path, &[b'x'; 40])).await.unwrap();
        });
        if writers.len() == WRITERS {
            while writers.join_next().await.is_some() {}
        }
    }
    while writers.join_next().await.is_some() {}
}
