//! The record: sealing, reading its end, verifying it.

use super::Bench;
use crate::Result;
use crate::report::{Goal, Section, thousands};
use crate::stats::median;
use crate::subject::program;
use crate::subject::vault::Vault;
use crate::subject::vault::target;
use crate::wire::drive::{Lanes, Once};
use crate::wire::http::get;
use std::process::Command;
use std::time::{Duration, Instant};

const ABOUT: &str = "In process on one thread: the example `speed` of hqv-audit. `hq-vault audit --limit 50` and \
    `hq-vault audit verify` as whole processes against the running daemon, after its record has been filled by reads.";

/// Runs the part.
pub fn run(bench: &mut Bench) -> Result<Section> {
    let options = bench.options.clone();
    let wanted: u64 = if options.quick { 100_000 } else { 1_000_000 };
    let mut section = Section::new("The record", ABOUT);
    let said = Command::new(program("examples/speed")?).arg(wanted.to_string()).output()?;
    let said = String::from_utf8(said.stdout)?;
    let rate = |what: &str| {
        let line = said.lines().find(|line| line.starts_with(what)).unwrap_or_default();
        line.get(what.len()..)
            .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok())
            .unwrap_or_default()
    };
    section.add(
        "sealed and chained a second, in memory",
        Goal::AtLeast(300_000.0),
        rate("seal and chain, in memory"),
        "",
        "",
    );
    section.add("the same, written one by one", Goal::None, rate("append to a file, write(2) each"), "", "");

    let small = bench.small()?;
    let records = fill(small, wanted)?;
    let beside = format!("{} records", thousands(records as f64));
    let page = timed(small, &["audit", "--limit", "50"], options.times(9))?;
    section.add("audit --limit 50", Goal::AtMost(100.0), page, "ms", beside.clone());
    let verify = timed(small, &["audit", "verify"], options.times(3))?;
    let rate = records as f64 / verify * 1e3;
    section.add(
        "audit verify, records a second",
        Goal::AtLeast(200_000.0),
        rate,
        "",
        format!("{beside} in {verify:.0} ms"),
    );
    Ok(section)
}

/// Reads until the record holds `wanted`; how many it holds then.
fn fill(vault: &Vault, wanted: u64) -> Result<u64> {
    let held = newest(vault)?;
    if held < wanted {
        let token = vault.token("bench-record", &[])?;
        let missing = usize::try_from(wanted - held)?;
        let mut work = Once::new((0..missing).map(|i| get(&target(i % vault.count()), &token)));
        Lanes::open(&vault.tls()?, 64)?.run(&mut work, Duration::from_secs(3600))?;
    }
    newest(vault)
}

/// The number of the newest record.
pub(super) fn newest(vault: &Vault) -> Result<u64> {
    let said = vault.ask("/v1/audit?limit=1")?;
    let first = said.get("records").and_then(|records| records.get(0));
    Ok(first.and_then(|record| record.get("sequence")?.as_u64()).ok_or("the record has no newest line")?)
}

/// The median of some runs, milliseconds.
pub(super) fn timed(vault: &Vault, words: &[&str], rounds: usize) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        vault.run(words)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(&times))
}
