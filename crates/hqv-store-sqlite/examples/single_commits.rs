//! The rate of single fsynced commits of one 100-byte row on the disk of a directory: the baseline against which
//! `scripts/bench` sets the vault's durable work.
//!
//! `cargo run -p hqv-store-sqlite --release --example single_commits -- DIR SECONDS`
//!
//! One thread, one commit at a time, each on the disk before the next begins. A file of its own is made in DIR and
//! removed again. Prints one JSON object.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods)] // a measurement has to read the clock

use hqv_model::{Kind, Row, RowHeader, RowId, VaultId};
use hqv_store::{Batch, Shelf, StoreError};
use hqv_store_sqlite::{OpenOptions, SqliteShelf};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const BODY: usize = 100;

fn row(number: u64) -> Option<Row> {
    let mut id = [0; 16];
    // Scattered, as random ids are.
    id[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    let header = RowHeader { kind: Kind::Version, id: RowId::new(&id)?, revision: 1, epoch: 1, term: 1 };
    Some(Row { header, lookup: None, nonce: [1; 24], tag: [2; 16], body: Box::new([3; BODY]) })
}

fn measure(file: &Path, length: Duration) -> Result<(u64, Duration), StoreError> {
    let shelf = SqliteShelf::open(file, OpenOptions { create: true })?;
    shelf.create(VaultId::from_bytes([1; 16]), Batch::new())?;
    let start = Instant::now();
    let mut commits = 0;
    while start.elapsed() < length {
        shelf.commit(Batch::from(row(commits).into_iter().collect::<Vec<_>>()))?;
        commits += 1;
    }
    Ok((commits, start.elapsed()))
}

fn arguments() -> Option<(PathBuf, Duration)> {
    let mut words = std::env::args_os().skip(1);
    let dir = PathBuf::from(words.next()?);
    let seconds: f64 = words.next()?.to_str()?.parse().ok()?;
    let length = Duration::try_from_secs_f64(seconds).ok()?;
    words.next().is_none().then_some((dir, length))
}

fn main() -> ExitCode {
    let Some((dir, length)) = arguments() else {
        eprintln!("usage: single_commits DIR SECONDS");
        return ExitCode::from(2);
    };
    let name = format!("single-commits-{}.db", std::process::id());
    let measured = measure(&dir.join(&name), length);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(dir.join(format!("{name}{suffix}")));
    }
    match measured {
        Ok((commits, spent)) => {
            let (seconds, rate) = (spent.as_secs_f64(), commits as f64 / spent.as_secs_f64());
            println!(
                "{{\"commits\":{commits},\"seconds\":{seconds:.3},\"per_second\":{rate:.1},\"bytes\":{BODY}}}"
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("single_commits: {error}");
            ExitCode::FAILURE
        }
    }
}
