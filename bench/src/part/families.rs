//! Families of tokens: budgets, delegation, the end of a large family, and many tokens at once.

use super::alternate::{Contender, alternate};
use super::durable::in_turn;
use super::{Bench, reads};
use crate::Result;
use crate::options::Options;
use crate::report::{Goal, Section, thousands};
use crate::stats::median;
use crate::subject::process::rss_mib;
use crate::subject::vault::{Vault, target};
use crate::wire::drive::{Lanes, Once, once};
use crate::wire::http::{get, json};
use std::time::{Duration, Instant};

const ABOUT: &str = "Over keep-alive TLS at 64 connections: GET with a token three levels deep, reserved at each, in slices \
    that alternate with a root token's that has a limit; tokens made by tokens, in slices that alternate with single fsynced \
    commits. The end of a family is the time from the request that revokes its parent until the last child's own request is \
    refused. Memory is VmRSS of a daemon just started and unlocked, of two vaults alike but for the tokens.";

/// Children of the family that is ended.
const FAMILY: usize = 10_000;
/// Live tokens of the large vault.
const MANY: usize = 100_000;
/// No parent has more children than a family may.
const EACH: usize = 10_000;

/// Runs the part.
pub fn run(bench: &mut Bench) -> Result<Section> {
    let options = bench.options.clone();
    let mut section = Section::new("Families", ABOUT);
    eprintln!("two vaults with 1,000 secrets");
    let few = Vault::make(&options.dir, 1_000)?;
    let mut many = Vault::make(&options.dir, 1_001)?;
    budgets(&few, &options, &mut section)?;
    delegation(&many, &options, &mut section)?;
    ends(&few, &options, &mut section)?;
    drop((few, many));
    let mut few = Vault::make(&options.dir, 1_000)?;
    many = Vault::make(&options.dir, 1_001)?;
    live(&mut few, &mut many, &options, &mut section)?;
    Ok(section)
}

/// Makes a token by another one, over the socket.
fn child(vault: &Vault, parent: &str, body: &str) -> Result<String> {
    let (bytes, framed) = once(&vault.socket(), &json("POST", "/v1/tokens", parent, body))?;
    let answer: serde_json::Value =
        serde_json::from_slice(bytes.get(framed.body..framed.end).unwrap_or_default())?;
    let token = answer.get("token").and_then(serde_json::Value::as_str);
    Ok(token.ok_or("no token in the answer")?.to_owned())
}

fn budgets(vault: &Vault, options: &Options, section: &mut Section) -> Result<()> {
    let root = vault.token("bench-root", &["--max-uses", "1000000000"])?;
    let top =
        vault.token("bench-top", &["--max-uses", "1000000000", "--allow", "read,delegate on deploy/"])?;
    let reserved = |name: &str, uses: u64, rule: &str| {
        format!("{{\"name\":\"{name}\",\"max_uses\":{uses},\"reserve\":{uses},\"allow\":[\"{rule}\"]}}")
    };
    let mid = child(vault, &top, &reserved("mid", 500_000_000, "read,delegate on deploy/"))?;
    let low = child(vault, &mid, &reserved("low", 250_000_000, "read on deploy/"))?;
    let place = vault.tls()?;
    let contender = |token: &str| Contender::new(vault.pid()?, &place, 64, reads(vault, token, 100));
    let measured = alternate(&mut [contender(&root)?, contender(&low)?], options)?;
    if let [root, low] = measured.as_slice() {
        let beside = format!("{} against {}", low.words(), root.words());
        let what = "a limited token three levels deep with reserves, against a root token with a limit";
        section.add(what, Goal::AtLeast(0.8), low.rate_against(root), "x", beside);
    }
    Ok(())
}

/// The bodies of new tokens' requests, for ever: the parents take turns.
fn births(parents: Vec<String>, prefix: &'static str) -> impl Iterator<Item = Vec<u8>> {
    (0_usize..).map(move |n| {
        let parent = parents.get(n % parents.len()).map_or("", String::as_str);
        json("POST", "/v1/tokens", parent, &format!("{{\"name\":\"{prefix}-{n}\"}}"))
    })
}

fn parents(vault: &Vault, prefix: &str, count: usize) -> Result<Vec<String>> {
    (0..count)
        .map(|n| vault.token(&format!("{prefix}-{n}"), &["--allow", "read,delegate on deploy/"]))
        .collect()
}

fn delegation(vault: &Vault, options: &Options, section: &mut Section) -> Result<()> {
    let work = Once::new(births(parents(vault, "bench-boss", 20)?, "born"));
    let contender = Contender::new(vault.pid()?, &vault.tls()?, 64, work)?;
    let (ours, single, words) = in_turn(contender, options)?;
    let beside = format!("{words}; single commits {}/s", thousands(median(&single)));
    section.add(
        "tokens made by tokens",
        Goal::AtLeast(3.0),
        super::alternate::against(&ours, &single),
        "x",
        beside,
    );
    Ok(())
}

fn ends(vault: &Vault, options: &Options, section: &mut Section) -> Result<()> {
    let mut times = Vec::new();
    let size = options.times(FAMILY);
    for round in 0..options.times(5) {
        let name = format!("bench-family-{round}");
        let parent = vault.token(&name, &["--allow", "read,delegate on deploy/"])?;
        let mut work = Once::new(births(vec![parent.clone()], "w").take(size - 1));
        Lanes::open(&vault.tls()?, 64)?.run(&mut work, Duration::from_secs(3600))?;
        let last = child(vault, &parent, "{\"name\":\"last\"}")?;
        let read = get(&target(0), &last);
        once(&vault.socket(), &read)?;
        let start = Instant::now();
        vault.delete(&format!("/v1/tokens/{name}"))?;
        match once(&vault.socket(), &read) {
            Err(refused) if refused.to_string().starts_with("answer 401") => {}
            Err(other) => return Err(other),
            Ok(_) => return Err("a child of a revoked token was answered".into()),
        }
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let worst = times.iter().copied().fold(0.0, f64::max);
    let beside = format!("median {:.1} ms of {}", median(&times), times.len());
    section.add(
        format!("the end of a family of {}, the slowest", thousands(size as f64)),
        Goal::AtMost(50.0),
        worst,
        "ms",
        beside,
    );
    Ok(())
}

/// Memory and reads beside many live tokens, against ten.
fn live(few: &mut Vault, many: &mut Vault, options: &Options, section: &mut Section) -> Result<()> {
    let token = few.token("bench", &[])?;
    for n in 1..10 {
        few.token(&format!("other-{n}"), &[])?;
    }
    let count = options.times(MANY);
    let parents = parents(many, "bench-boss", MANY / EACH)?;
    let mut work = Once::new(births(parents, "w").take(count));
    Lanes::open(&many.tls()?, 64)?.run(&mut work, Duration::from_secs(3600))?;
    let other = many.token("bench", &[])?;
    let made = rss_mib(many.pid()?)?;
    let before = fresh(few)?;
    let after = fresh(many)?;
    let beside =
        format!("{after:.1} MiB against {before:.1} MiB; {made:.1} MiB in the daemon that made them");
    let what = format!("memory of {} live tokens", thousands(count as f64));
    section.add(what, Goal::AtMost(64.0), after - before, "MiB", beside);

    let contender = |vault: &Vault, token: &str| {
        Contender::new(vault.pid()?, &vault.tls()?, 64, reads(vault, token, 100))
    };
    let measured = alternate(&mut [contender(few, &token)?, contender(many, &other)?], options)?;
    if let [few, many] = measured.as_slice() {
        let beside = format!("{} against {}", many.words(), few.words());
        section.add(
            "GET beside them, against ten tokens",
            Goal::AtLeast(0.95),
            many.rate_against(few),
            "x",
            beside,
        );
    }
    Ok(())
}

fn fresh(vault: &mut Vault) -> Result<f64> {
    vault.stop()?;
    vault.serve()?;
    vault.unlock()?;
    rss_mib(vault.pid()?)
}
