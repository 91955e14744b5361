//! What the record costs: sealing and chaining in memory, writing, verifying, reading the end.
//!
//! `cargo run -p hqv-audit --release --example speed [RECORDS]`, default 1,000,000. Goals: 300,000 records
//! a second sealed and chained, 200,000 a second verified, the last 50 in under 100 ms.

#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::{
    error::Error,
    time::{Duration, Instant},
};

use hqv_audit::{
    AuditIdentity, Identity, Item, ItemKind, Log, LogConfig, MAX_SEGMENT, Reader, Record,
    verify::{Level, Options, verify_dir},
};
use hqv_model::{Entropy, OpKind, Outcome, RequestId, SecretId, Timestamp, TokenId, VaultId};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};

struct Seeded(ChaCha20Rng);

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

fn rng(seed: u64) -> Box<Seeded> {
    Box::new(Seeded(ChaCha20Rng::seed_from_u64(seed)))
}

/// As a get by a worker's token is recorded.
fn record(i: u64) -> Record<'static> {
    let id = |n: u8| {
        let mut bytes = [n; 16];
        bytes[8..].copy_from_slice(&i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        bytes
    };
    let worker = Identity::Token {
        id: TokenId::from_bytes(id(1)),
        ancestry: format!("orchestrator/worker-{}", i % 50).into(),
        ancestors: vec![TokenId::from_bytes([7; 16])].into(),
    };
    let mut record = Record::new(time(i), OpKind::Get, Outcome::Ok, worker);
    record.source = "127.0.0.1:51234".into();
    record.request = Some(RequestId::from_bytes(id(2)));
    record.agent = Some("node-fetch/1.0 (+https://github.com/bitinn/node-fetch)".into());
    record.items = vec![Item {
        secret: Some(SecretId::from_bytes(id(3))),
        version: Some(1 + i % 3),
        path: format!("deploy/prod/service-{}/database-url", i % 1000).into(),
        kind: ItemKind::Exposed,
        channel: "get".into(),
    }];
    record
}

fn time(i: u64) -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000 + i64::try_from(i / 100).unwrap_or(0))
}

fn rate(what: &str, n: u64, took: Duration) {
    let per_second = n as f64 / took.as_secs_f64();
    println!("{what:<34} {per_second:>12.0} records/s  ({n} in {took:.2?})");
}

fn main() -> Result<(), Box<dyn Error>> {
    let n: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse())?;
    let id = AuditIdentity::generate(&mut *rng(1));
    let dir = tempfile::tempdir()?;
    let cfg = LogConfig {
        dir: dir.path().to_owned(),
        vault: VaultId::from_bytes([9; 16]),
        epoch: 1,
        public: id.public(),
        max_segment: MAX_SEGMENT,
    };

    let records: Vec<Record> = (0..1000).map(record).collect();
    let mut log = Log::in_memory(cfg.clone(), rng(2))?;
    log.adopt(&id, time(0), 1)?;
    let started = Instant::now();
    for i in 0..n {
        let at = usize::try_from(i % 1000)?;
        if let Some(record) = records.get(at) {
            log.append(record, i)?;
        }
    }
    rate("seal and chain, in memory", n, started.elapsed());

    let (mut log, _) = Log::start(cfg, None, time(0), rng(3))?;
    log.adopt(&id, time(0), 1)?;
    let started = Instant::now();
    for i in 0..n {
        log.append(&record(i), i)?;
    }
    rate("append to a file, write(2) each", n, started.elapsed());
    log.close(time(n), n)?;
    let size = std::fs::metadata(dir.path().join("audit.log"))?.len();
    println!("{:<34} {:>12} bytes/record", "file", size / n.max(1));

    for level in [Level::Chain, Level::Signatures(&id.public()), Level::Everything(&id)] {
        let started = Instant::now();
        let report = verify_dir(dir.path(), level, &Options::default(), &mut |_| ())?;
        let took = started.elapsed();
        if let Some(bad) = &report.first_bad {
            return Err(format!("the log does not verify: {bad}").into());
        }
        rate(&format!("verify: {}", report.level.as_str()), report.records, took);
    }

    last_fifty(&Reader::open(dir.path(), &id)?)
}

fn last_fifty(reader: &Reader<'_>) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let page = reader.last(50, &|_| true, None)?;
    let json: usize = page.records.iter().map(|view| view.to_json().len()).sum();
    println!(
        "{:<34} {:>12.2?} ({} records, {json} bytes of JSON)",
        "last 50",
        started.elapsed(),
        page.records.len()
    );
    Ok(())
}
