//! Row ST1 on the real file: a process that commits without pause is killed with SIGKILL at odd moments.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Dir, make, open};
use hqv_model::{Kind, Row};
use hqv_store::conformance::{all, row};
use hqv_store::{Batch, Shelf};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

/// The rows of one batch: several kinds, bodies of several pages, so that a torn one would show.
fn batch(revision: u64) -> Batch {
    let body = vec![revision as u8; 900 + (revision % 7) as usize * 1500];
    let rows = (0..6).map(|number| {
        row(if number % 2 == 0 { Kind::Secret } else { Kind::Version }, number, revision, &body)
    });
    // One row comes and goes with each batch.
    let extra = row(Kind::Token, 1 + revision % 2, revision, b"t");
    Batch {
        put: rows.chain([extra]).collect(),
        delete: vec![(Kind::Token, hqv_store::conformance::id(2 - revision % 2))],
    }
}

/// The revision that all rows agree on.
fn agreed(shelf: &dyn Shelf, after: &str) -> u64 {
    let rows: Vec<Row> = [Kind::Secret, Kind::Version, Kind::Token]
        .into_iter()
        .flat_map(|kind| all(shelf, kind).unwrap())
        .collect();
    let revision = rows.first().map_or(0, |row| row.header.revision);
    assert!(rows.iter().all(|row| row.header.revision == revision), "{after}: a batch is whole or absent");
    assert_eq!(rows.len(), if revision == 0 { 0 } else { 7 }, "{after}");
    revision
}

#[test]
fn child_commits_for_ever() {
    let Some(dir) = common::child_dir() else { return };
    let shelf = open(&dir.join("vault.db")).unwrap();
    let mut out = std::io::stdout();
    for revision in agreed(&shelf, "at the start") + 1.. {
        shelf.commit(batch(revision)).unwrap();
        // One write, so that a line is whole or absent too.
        out.write_all(format!("\n{revision}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    }
}

/// Starts the child, kills it some time after `lines` confirmations, and returns the last one it gave.
fn killed_after(dir: &Path, lines: u64, spin: u64) -> u64 {
    let mut child = common::child("child_commits_for_ever", dir).stdout(Stdio::piped()).spawn().unwrap();
    let mut numbers =
        BufReader::new(child.stdout.take().unwrap()).lines().filter_map(|line| line.ok()?.parse().ok());
    let mut last = 0;
    for _ in 0..lines {
        last = numbers.next().expect("the child goes on");
    }
    for _ in 0..spin {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    numbers.last().unwrap_or(last)
}

#[test]
fn st1_killed_at_odd_moments() {
    let rounds = if common::long() { 300 } else { 20 };
    let dir = Dir::new();
    let path = dir.file("vault.db");
    drop(make(&path));
    let mut odd: u64 = 0x9E37_79B9_7F4A_7C15;
    for round in 0..rounds {
        odd = odd.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let confirmed = killed_after(dir.path(), 1 + (odd >> 33) % 25, (odd >> 40) % 400_000);
        let after = format!("round {round}");
        let shelf = open(&path).unwrap();
        let found = agreed(&shelf, &after);
        assert!(
            found == confirmed || found == confirmed + 1,
            "{after}: confirmed {confirmed}, found {found}"
        );
        shelf.quick_check().unwrap();
    }
}

/// A power cut is a kill after which the system forgets what was not synced. What was synced is known here: the
/// log as it stood at each confirmation.
#[test]
fn st1_power_cut_keeps_what_was_confirmed() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    let shelf = make(&path);
    let mut synced = Vec::new();
    for revision in 1..=30 {
        shelf.commit(batch(revision)).unwrap();
        synced.push(std::fs::metadata(dir.file("vault.db-wal")).unwrap().len());
    }
    let (file, log) = (std::fs::read(&path).unwrap(), std::fs::read(dir.file("vault.db-wal")).unwrap());
    drop(shelf);
    for (length, revision) in synced.into_iter().zip(1..) {
        let copy = dir.file("copy.db");
        common::write_private(&copy, &file);
        // What follows the synced part is lost, or is there as bytes that were never written.
        for tail in [&[][..], &[0; 3000], &[0xEE; 9000]] {
            let end = usize::try_from(length).unwrap();
            common::write_private(&dir.file("copy.db-wal"), &[&log[..end], tail].concat());
            let _ = std::fs::remove_file(dir.file("copy.db-shm"));
            let shelf = open(&copy).unwrap();
            assert_eq!(agreed(&shelf, "after the cut"), revision);
            drop(shelf);
            common::write_private(&copy, &file);
        }
    }
}
