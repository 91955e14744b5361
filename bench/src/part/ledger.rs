//! The exposure ledger: what it costs each read, and how soon it answers.

use super::alternate::{Contender, alternate};
use super::record::{newest, timed};
use super::{Bench, reads};
use crate::Result;
use crate::report::{Goal, Section, thousands};
use crate::subject::vault::{Vault, target};
use crate::wire::drive::{Lanes, Once};
use crate::wire::http::get;
use std::time::{Duration, Instant};

const ABOUT: &str = "`hq-vault exposed` and `burn --dry-run` as whole processes against the running daemon, after a \
    million reads by 100 tokens of one family, each of a thousand secrets. With `--against BINARY` (such as a build without \
    the ledger) also GET over keep-alive TLS with an unlimited token, in slices that alternate between the two builds; \
    ratios are medians over pairs of slices.";

/// Workers of the family.
const WORKERS: usize = 100;

/// Runs the part.
pub fn run(bench: &mut Bench) -> Result<Section> {
    let options = bench.options.clone();
    let mut section = Section::new("The ledger", ABOUT);
    if let Some(other) = &options.against {
        let other = Vault::make_with(other, &options.dir, options.sizes().0)?;
        beside(bench, &other, &mut section)?;
    }
    let reads: usize = if options.quick { 100_000 } else { 1_000_000 };
    let vault = bench.small()?;
    fill(vault, reads)?;
    let records = format!("{} records", thousands(newest(vault)? as f64));
    vault.lock()?;
    vault.unlock()?;
    let one = |words: &[&str]| -> Result<f64> {
        let start = Instant::now();
        vault.run(words)?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    let worker = ["exposed", "--token", "ledger-7", "--json"];
    section.add(
        "exposed --token, the first after an unlock",
        Goal::None,
        one(&worker)?,
        "ms",
        records.clone(),
    );
    let path = target(42);
    let path = path.trim_start_matches("/v1/secrets/");
    let questions: [(&str, &[&str]); 4] = [
        ("exposed --token", &worker),
        ("exposed --path", &["exposed", "--path", path, "--json"]),
        ("exposed --since", &["exposed", "--since", "1s", "--json"]),
        ("burn --dry-run of the family", &["burn", "ledger-boss", "--dry-run", "--json"]),
    ];
    for (what, words) in questions {
        let took = timed(vault, words, options.times(9))?;
        section.add(what, Goal::AtMost(200.0), took, "ms", records.clone());
    }
    Ok(section)
}

/// The same reads of another build, in turn.
fn beside(bench: &mut Bench, other: &Vault, section: &mut Section) -> Result<()> {
    let options = bench.options.clone();
    let (many, _) = options.sizes();
    let vault = bench.small()?;
    for (paths, what) in [(1, "one path"), (many, "rotating paths")] {
        let mut contenders = Vec::new();
        for vault in [vault, other] {
            let token = vault.token(&format!("ledger-{paths}-paths"), &[])?;
            contenders.push(Contender::new(vault.pid()?, &vault.tls()?, 8, reads(vault, &token, paths))?);
        }
        if let [ours, theirs] = alternate(&mut contenders, &options)?.as_slice() {
            let said = format!("ours {}; the other {}", ours.words(), theirs.words());
            let (rate, cpu) = (ours.rate_against(theirs), theirs.cpu / ours.cpu);
            section.add(format!("GET, 8 connections, {what}: rate"), Goal::AtLeast(0.97), rate, "x", said);
            section.add(format!("GET, 8 connections, {what}: CPU"), Goal::AtLeast(0.97), cpu, "x", "");
        }
    }
    Ok(())
}

/// Reads by many tokens of one family.
fn fill(vault: &Vault, reads: usize) -> Result<()> {
    let boss = vault.token("ledger-boss", &["--allow", "read,list,delegate on deploy/"])?;
    let mut tokens = Vec::new();
    for worker in 0..WORKERS {
        let name = format!("ledger-{worker}");
        let mut command = vault.command(&["token", "create", "--name", &name, "--path", "deploy/"])?;
        command.env("HQ_VAULT_TOKEN", &boss);
        tokens.push(String::from_utf8(command.output()?.stdout)?.trim_end().to_owned());
    }
    let read = |i: usize| {
        let (worker, round) = (i % WORKERS, i / WORKERS);
        get(&target((worker * 37 + round % 1_000) % vault.count()), &tokens[worker])
    };
    Lanes::open(&vault.tls()?, 64)?.run(&mut Once::new((0..reads).map(read)), Duration::from_secs(3600))?;
    Ok(())
}
