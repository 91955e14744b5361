//! Row ST6, the store's part: 100,000 secrets, many versions, large values. Times are printed and held loosely,
//! since the machine may be busy; scripts/bench measures them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod common;

use common::{Dir, make, open};
use hqv_model::{Kind, Row};
use hqv_store::conformance::{id, row};
use hqv_store::{Batch, Scanned, Shelf};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

const SECRETS: u64 = 100_000;

fn timed<T>(what: &str, limit: Duration, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let answer = run();
    let spent = start.elapsed();
    println!("{what}: {:.1} ms", spent.as_secs_f64() * 1000.0);
    assert!(spent < limit, "{what} took {spent:?}, more than {limit:?}");
    answer
}

/// Ids in an order that has nothing to do with their sorting, as random ids are.
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn secret(number: u64) -> [Row; 2] {
    let number = scattered(number);
    [row(Kind::Secret, number, 1, &[1; 180]), row(Kind::Version, number, 1, &[2; 140])]
}

fn count(shelf: &dyn Shelf, kind: Kind, max_body: usize) -> u64 {
    let mut seen = 0;
    let visit = &mut |_| {
        seen += 1;
        ControlFlow::Continue(())
    };
    shelf.scan(kind, max_body, visit).unwrap();
    seen
}

#[test]
fn st6_a_hundred_thousand_secrets() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    let shelf = make(&path);
    timed("writing 100,000 secrets", Duration::from_secs(120), || {
        for chunk in 0..SECRETS / 5000 {
            let numbers = chunk * 5000..(chunk + 1) * 5000;
            shelf.commit(Batch::from(numbers.flat_map(secret).collect::<Vec<_>>())).unwrap();
        }
    });
    println!("size: {} bytes", shelf.size().unwrap());
    drop(shelf);
    let shelf = timed("opening it", Duration::from_secs(2), || open(&path).unwrap());
    for kind in [Kind::Secret, Kind::Version] {
        let what = format!("scanning every {kind:?}");
        assert_eq!(timed(&what, Duration::from_secs(5), || count(&shelf, kind, 4096)), SECRETS);
    }
    timed("one read among them", Duration::from_secs(1), || {
        assert!(shelf.get(Kind::Version, &id(scattered(77_777))).unwrap().is_some());
    });
    timed("the full check", Duration::from_secs(30), || shelf.quick_check().unwrap());
}

#[test]
fn st6_large_values_are_passed_over() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    let shelf = make(&path);
    // 1 GiB in the long form, 64 MiB otherwise, in values of 1 MiB.
    let values = if common::long() { 1024 } else { 64 };
    let body = vec![3; 1024 * 1024];
    for number in 0..values {
        shelf.commit(Batch::from(vec![row(Kind::Version, scattered(number), 1, &body)])).unwrap();
    }
    drop(shelf);
    let shelf = timed("opening large values", Duration::from_secs(2), || open(&path).unwrap());
    let mut bytes = 0;
    let visit = &mut |found| {
        let Scanned::Facts(facts) = found else { panic!("a long body is not read") };
        bytes += facts.body_len;
        ControlFlow::Continue(())
    };
    timed("scanning their facts", Duration::from_secs(1), || shelf.scan(Kind::Version, 4096, visit).unwrap());
    assert_eq!(bytes, values * 1024 * 1024);
}

#[test]
fn st6_a_thousand_versions_of_one() {
    let dir = Dir::new();
    let shelf = make(&dir.file("vault.db"));
    for version in 0..1000 {
        let rows =
            vec![row(Kind::Secret, 1, version + 1, b"meta"), row(Kind::Version, version, 1, &[4; 100])];
        shelf.commit(Batch::from(rows)).unwrap();
    }
    assert_eq!(count(&shelf, Kind::Version, 4096), 1000);
    assert_eq!(count(&shelf, Kind::Secret, 4096), 1);
}
