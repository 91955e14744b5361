//! kill -9 of the daemon at random moments under load. Rows ST1, AU4, TK1.
//!
//! Each round: 8 writers and 8 readers with limited tokens over the socket and TLS; the daemon is killed
//! once a random number of answers came. After the next start, which needs no help: every confirmed write is
//! there and every other one whole or absent, no use was given twice, and each answer has its record.
//!
//! And one token between 64 clients, killed in the middle of its uses: exactly N of them succeed or are lost with their
//! answers, never one more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

use hqv_client::{Client, Condition, Options, Target, Trust};
use hqv_model::SecretText;
use hqv_test::{Home, TestRng, TestServer};
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const PASSPHRASE: &str = "correct horse battery staple";
const EACH: usize = 8;
const LIMIT: u64 = 200;

fn peer_uid(fd: BorrowedFd<'_>) -> std::io::Result<u32> {
    hqv_sys::peer::of(fd).map(|peer| peer.uid)
}

/// Every second client goes over TLS, verified by the pin in its token.
fn client(server: &TestServer<'_>, token: &str, n: usize) -> Client {
    let target = match (n % 2, server.port()) {
        (1, Some(port)) => Target::parse(&format!("https://127.0.0.1:{port}")).unwrap(),
        _ => Target::parse(&format!("unix:{}", server.socket().display())).unwrap(),
    };
    let mut options = Options::new(target, hqv_sys::process::uid(), peer_uid);
    options.credential = Some(SecretText::new(token.to_owned()));
    options.trust =
        Trust { pin: hqv_crypto::wire::parse(token).unwrap().pin.map(hqv_client::Pin), ..Trust::default() };
    Client::new(options).unwrap()
}

#[derive(Default)]
struct Writer {
    confirmed: Option<(u64, u64)>,
    attempted: u64,
}

fn value(writer: usize, n: u64) -> String {
    format!("writer {writer} value {n} {}", "x".repeat((n % 50) as usize * 200))
}

async fn write_until_killed(mut client: Client, writer: usize, from: u64, answers: Arc<AtomicU64>) -> Writer {
    let mut seen = Writer { confirmed: None, attempted: from };
    for n in from.. {
        seen.attempted = n;
        let body = serde_json::json!({ "value": value(writer, n) }).to_string();
        let request = serde_json::from_str(&body).unwrap();
        match client.put(&format!("w/{writer}"), &request, Condition::Any).await {
            Ok(done) => seen.confirmed = Some((n, done.version)),
            Err(_) => return seen,
        }
        answers.fetch_add(1, Ordering::SeqCst);
    }
    seen
}

async fn read_until_killed(mut client: Client, answers: Arc<AtomicU64>) -> u64 {
    let mut uses = 0;
    while client.get("k", None).await.is_ok() {
        uses += 1;
        answers.fetch_add(1, Ordering::SeqCst);
    }
    uses
}

struct Round {
    writers: Vec<Writer>,
    uses: Vec<u64>,
}

/// Runs the load and kills the daemon after `answers_before` answers.
fn load(
    server: TestServer<'_>,
    writer: &str,
    readers: &[String],
    from: &[u64],
    answers_before: u64,
) -> Round {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let answers = Arc::new(AtomicU64::new(0));
    runtime.block_on(async move {
        let write = |n: usize| write_until_killed(client(&server, writer, n), n, from[n], answers.clone());
        let writers: Vec<_> = (0..EACH).map(|n| tokio::spawn(write(n))).collect();
        let read = |n: usize| read_until_killed(client(&server, &readers[n], n), answers.clone());
        let readers: Vec<_> = (0..EACH).map(|n| tokio::spawn(read(n))).collect();
        while answers.load(Ordering::SeqCst) < answers_before {
            tokio::task::yield_now().await;
        }
        server.kill();
        let mut round = Round { writers: Vec::new(), uses: Vec::new() };
        for task in writers {
            round.writers.push(task.await.unwrap());
        }
        for task in readers {
            round.uses.push(task.await.unwrap());
        }
        round
    })
}

fn owner_json(home: &Home, args: &[&str]) -> serde_json::Value {
    home.cli(args).arg("--json").owner().run().ok().json()
}

fn token(home: &Home, name: &str, rules: &[&str], limit: Option<u64>) -> String {
    let mut cli = home.cli(["token", "create", "--quiet", "--ttl", "1d", "--name", name]).owner();
    for rule in rules {
        cli = cli.arg("--allow").arg(rule);
    }
    if let Some(limit) = limit {
        cli = cli.arg("--max-uses").arg(limit.to_string());
    }
    cli.run().ok().out().trim().to_owned()
}

#[test]
fn st1_au4_tk1_killed_at_random_under_writers_and_readers() {
    let rounds = if std::env::var_os("HQV_LONG").is_some() { 300 } else { 20 };
    let home = Home::new();
    let mut server = TestServer::with_vault(&home, PASSPHRASE);
    home.cli(["store", "k"]).stdin("the value").owner().run().ok();
    let mut rng = TestRng::seeded(7);
    let mut from = [0u64; EACH];
    for round in 0..rounds {
        let writer = token(&home, &format!("writer-{round}"), &["write on w/"], None);
        let names: Vec<String> = (0..EACH).map(|n| format!("reader-{round}-{n}")).collect();
        let readers: Vec<String> =
            names.iter().map(|n| token(&home, n, &["read on k"], Some(LIMIT))).collect();
        let seen = load(server, &writer, &readers, &from, 1 + rng.below(400));
        server = TestServer::start(&home);
        home.cli(["unlock"]).owner().run().ok();
        check_writers(&home, &seen, &mut from);
        check_readers(&home, &names, &seen);
        check_record(&home, round, &names, &seen);
    }
    let verified = home.cli(["audit", "verify"]).owner().run();
    assert_eq!(verified.code, Some(0), "{}{}", verified.out(), verified.err());
    server.stop();
}

/// Clients of one token, half of them over TLS.
const CROWD: usize = 64;

/// What one client got: answers, and whether it was told at last that nothing is left.
async fn use_up(mut client: Client, answers: Arc<AtomicU64>) -> bool {
    loop {
        match client.get("k", None).await {
            Ok(_) => drop(answers.fetch_add(1, Ordering::SeqCst)),
            Err(error) => return error.code == "TOKEN_EXHAUSTED",
        }
    }
}

/// The whole crowd at once until each is refused; how many answers came. With `kill` the daemon dies once so many came.
fn crowd(server: TestServer<'_>, token: &str, kill: Option<u64>) -> (u64, bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let answers = Arc::new(AtomicU64::new(0));
    runtime.block_on(async move {
        let one = |n: usize| tokio::spawn(use_up(client(&server, token, n), answers.clone()));
        let mut crowd: Vec<_> = (0..CROWD).map(one).collect();
        while let Some(before) = kill
            && answers.load(Ordering::SeqCst) < before
            && crowd.iter().any(|one| !one.is_finished())
        {
            tokio::task::yield_now().await;
        }
        if kill.is_some() {
            server.kill();
        }
        let mut told = true;
        for one in crowd.drain(..) {
            told &= one.await.unwrap();
        }
        (answers.load(Ordering::SeqCst), told)
    })
}

#[test]
fn tk1_exactly_n_uses_between_64_clients_and_kills() {
    let rounds = if std::env::var_os("HQV_LONG").is_some() { 200 } else { 2 };
    let home = Home::new();
    let mut server = TestServer::with_vault(&home, PASSPHRASE);
    home.cli(["store", "k"]).stdin("the value").owner().run().ok();
    let mut rng = TestRng::seeded(64);
    for round in 0..rounds {
        for limit in [1, 10, 1_000] {
            let name = format!("worker-{round}-{limit}");
            let spent = || owner_json(&home, &["token", "show", &name])["useCount"].as_u64().unwrap();
            let worker = token(&home, &name, &["read on k"], Some(limit));
            let (first, _) = crowd(server, &worker, Some(rng.below(limit + 1)));
            let again = || {
                let server = TestServer::start(&home);
                home.cli(["unlock"]).owner().run().ok();
                server
            };
            server = again();
            let after_kill = spent();
            let lost = after_kill.checked_sub(first).expect("a use that was answered was forgotten");
            assert!(
                after_kill <= limit && lost <= CROWD as u64,
                "{name}: {first} answers, {after_kill} uses"
            );
            // What is left, to the last, and every client is told that it was the last.
            let (rest, told) = crowd(server, &worker, None);
            assert_eq!(
                (after_kill + rest, told),
                (limit, true),
                "{name}: {after_kill} uses before, {rest} after"
            );
            server = again();
            assert_eq!(spent(), limit);
        }
    }
    let verified = home.cli(["audit", "verify"]).owner().run();
    assert_eq!(verified.code, Some(0), "{}{}", verified.out(), verified.err());
    server.stop();
}

/// Confirmed is there; what was under way is whole or absent.
fn check_writers(home: &Home, seen: &Round, from: &mut [u64; EACH]) {
    for (n, writer) in seen.writers.iter().enumerate() {
        let ran = home.cli(["get", &format!("w/{n}")]).owner().run();
        let is = ran.stdout.clone();
        let mut allowed: BTreeSet<String> = [value(n, writer.attempted)].into();
        match writer.confirmed {
            Some((last, _)) => allowed.insert(value(n, last)),
            None if from[n] > 0 => allowed.insert(value(n, from[n] - 1)),
            None => {
                from[n] = writer.attempted + 1;
                continue;
            }
        };
        assert!(allowed.iter().any(|v| v.as_bytes() == is), "writer {n}: neither before nor after");
        // The next round goes on from what is there.
        from[n] =
            if is == value(n, writer.attempted).as_bytes() { writer.attempted + 1 } else { writer.attempted };
    }
}

/// A use that was answered was counted, and never more than were asked for.
fn check_readers(home: &Home, names: &[String], seen: &Round) {
    for (name, uses) in names.iter().zip(&seen.uses) {
        let shown = owner_json(home, &["token", "show", name]);
        let counted = shown["useCount"].as_u64().unwrap();
        assert!(*uses <= LIMIT, "{name} was used {uses} times");
        assert!(counted >= *uses && counted <= uses + 1, "{name}: {uses} answers, {counted} uses");
    }
}

/// Each answer has its line.
fn check_record(home: &Home, round: usize, names: &[String], seen: &Round) {
    let ran = home.cli(["audit", "--limit", "10000", "--json"]).owner().run().ok();
    let mut gets: BTreeMap<String, u64> = BTreeMap::new();
    let mut puts: BTreeSet<(String, u64)> = BTreeSet::new();
    for line in ran.out().lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        if record["outcome"] != "ok" {
            continue;
        }
        let who = record["identity"]["name"].as_str().unwrap_or_default().to_owned();
        match record["operation"].as_str() {
            Some("get") => *gets.entry(who).or_default() += 1,
            Some("put") => {
                for item in record["items"].as_array().unwrap() {
                    puts.insert((item["path"].as_str().unwrap().into(), item["version"].as_u64().unwrap()));
                }
            }
            _ => {}
        }
    }
    for (name, uses) in names.iter().zip(&seen.uses) {
        assert!(gets.get(name).copied().unwrap_or(0) >= *uses, "{name}: an answer without its record");
    }
    for (n, writer) in seen.writers.iter().enumerate() {
        if let Some((_, version)) = writer.confirmed {
            assert!(puts.contains(&(format!("w/{n}"), version)), "round {round}, writer {n}: no record");
        }
    }
}
