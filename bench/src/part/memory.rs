//! Resident memory of the unlocked daemon, and whether load makes it grow.

use super::{Bench, reads};
use crate::Result;
use crate::report::{Goal, Section};
use crate::subject::process::rss_mib;
use crate::subject::vault::Vault;
use crate::wire::drive::Lanes;
use std::time::Duration;

const ABOUT: &str = "VmRSS of a daemon just started and unlocked (so the memory of the key derivation has been given back) \
    after each of its secrets has been read once, and its growth between the first tenth and the end of a load of reads at \
    64 connections.";

/// Runs the part.
pub fn run(bench: &mut Bench) -> Result<Section> {
    let options = bench.options.clone();
    let mut section = Section::new("Memory", ABOUT);
    let after = resident(bench.large()?)?;
    section.add(
        "100,000 secrets",
        Goal::AtMost(100.0),
        after.1,
        "MiB",
        format!("{:.1} MiB before the reads", after.0),
    );
    let small = bench.small()?;
    let after = resident(small)?;
    section.add(
        "10,000 secrets",
        Goal::AtMost(24.0),
        after.1,
        "MiB",
        format!("{:.1} MiB before the reads", after.0),
    );

    let total = if options.long { 600 } else { options.times(30) };
    let (first, last) = grown(small, Duration::from_secs(total as u64))?;
    let beside = format!("{first:.1} MiB, then {last:.1} MiB after {total} s");
    section.add("growth over load", Goal::AtMost(1.05), last / first, "x", beside);
    Ok(section)
}

/// After the unlock, and after every secret has been read.
fn resident(vault: &mut Vault) -> Result<(f64, f64)> {
    vault.stop()?;
    vault.serve()?;
    vault.unlock()?;
    let fresh = rss_mib(vault.pid()?)?;
    let token = vault.token("bench-memory", &[])?;
    let requests: Vec<Vec<u8>> = (0..vault.count())
        .map(|i| crate::wire::http::get(&crate::subject::vault::target(i), &token))
        .collect();
    let mut work = crate::wire::drive::Once::new(requests.into_iter());
    Lanes::open(&vault.tls()?, 8)?.run(&mut work, Duration::from_secs(3600))?;
    vault.run(&["token", "revoke", "bench-memory"])?;
    Ok((fresh, rss_mib(vault.pid()?)?))
}

fn grown(vault: &Vault, length: Duration) -> Result<(f64, f64)> {
    let token = vault.token("bench-growth", &[])?;
    let mut work = reads(vault, &token, vault.count());
    let mut lanes = Lanes::open(&vault.tls()?, 64)?;
    lanes.run(&mut work, length / 10)?;
    let first = rss_mib(vault.pid()?)?;
    lanes.run(&mut work, length - length / 10)?;
    let last = rss_mib(vault.pid()?)?;
    Ok((first, last))
}
