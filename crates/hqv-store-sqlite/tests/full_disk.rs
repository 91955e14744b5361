//! Row ST2 with real faults: a full tmpfs, a read-only mount, a limit on file sizes. The mounts are made in a
//! mount namespace of a child's own, so nothing of them is seen outside or left behind.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Dir, error_of, make, names, open, open_new};
use hqv_model::Kind;
use hqv_store::conformance::{self, all, row, vault};
use hqv_store::{Batch, Shelf, StoreError};
use hqv_store_sqlite::old_schema;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const SPACE: u64 = 2 * 1024 * 1024;

/// Runs a child test in a mount namespace of its own; `None` (with the reason printed) where that cannot be.
fn in_namespace(name: &str, dir: &Path) -> Option<Output> {
    let unshare = |args: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private"]).args(args);
        command
    };
    let probe = "mount -t tmpfs none /mnt && umount /mnt";
    let able =
        unshare(&["sh", "-c", probe]).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !able {
        println!("skipped: mounting in a namespace needs root");
        return None;
    }
    Some(common::child_under(unshare(&[]), name, dir).output().unwrap())
}

fn passes(output: Option<Output>) {
    let Some(output) = output else { return };
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("child was here"), "{text}");
}

/// The child's directory with a small tmpfs mounted on it.
fn small_disk() -> Option<std::path::PathBuf> {
    let dir = common::child_dir()?;
    mount(&["-t", "tmpfs", "-o", &format!("size={SPACE},mode=0700"), "none"], &dir);
    println!("child was here");
    Some(dir)
}

fn mount(args: &[&str], dir: &Path) {
    assert!(Command::new("mount").args(args).arg(dir).status().unwrap().success());
}

/// Takes all the space that is left but for `spare` bytes.
fn fill(dir: &Path, spare: u64) {
    let mut ballast = std::fs::File::create(dir.join("ballast")).unwrap();
    let filled = std::io::copy(&mut std::io::Read::take(std::io::repeat(1), SPACE * 2), &mut ballast);
    assert!(filled.is_err(), "the disk is full now");
    ballast.set_len(ballast.metadata().unwrap().len().saturating_sub(spare)).unwrap();
}

fn free(dir: &Path) {
    std::fs::remove_file(dir.join("ballast")).unwrap();
}

fn pair(number: u64) -> Batch {
    let body = vec![number as u8; 3000];
    Batch::from(vec![row(Kind::Secret, number, 1, &body), row(Kind::Version, number, 1, &body)])
}

/// Commits pairs until one is refused: how many were confirmed, and the refusal.
fn fill_with_rows(shelf: &dyn Shelf, from: u64) -> (u64, StoreError) {
    let mut number = from;
    loop {
        if let Err(error) = shelf.commit(pair(number)) {
            return (number, error);
        }
        number += 1;
    }
}

fn expect_pairs(shelf: &dyn Shelf, confirmed: u64) {
    for kind in [Kind::Secret, Kind::Version] {
        let found = all(shelf, kind).unwrap();
        let ids: Vec<_> = found.iter().map(|row| row.header.id).collect();
        assert_eq!(ids, (0..confirmed).map(conformance::id).collect::<Vec<_>>(), "{kind:?}");
    }
    shelf.quick_check().unwrap();
}

#[test]
fn child_fills_the_disk() {
    let Some(dir) = small_disk() else { return };
    let path = dir.join("vault.db");
    let shelf = make(&path);
    let (confirmed, error) = fill_with_rows(&shelf, 0);
    assert_eq!(error, StoreError::Full);
    assert!(confirmed > 10);
    // Full stays full, and nothing of what was refused is seen.
    assert_eq!(shelf.commit(pair(confirmed)), Err(StoreError::Full));
    expect_pairs(&shelf, confirmed);
    drop(shelf);
    // A start on the full disk: refused as full or served as far as it can be; never changed.
    match open(&path) {
        Ok(shelf) => expect_pairs(&shelf, confirmed),
        Err(error) => assert_eq!(error, StoreError::Full),
    }
    mount(&["-o", &format!("remount,size={}", SPACE * 4)], &dir);
    let shelf = open(&path).unwrap();
    shelf.commit(pair(confirmed)).unwrap();
    expect_pairs(&shelf, confirmed + 1);
}

#[test]
fn st2_enospc_on_a_commit() {
    let dir = Dir::new();
    passes(in_namespace("child_fills_the_disk", dir.path()));
}

#[test]
fn child_recovers_without_a_restart() {
    let Some(dir) = small_disk() else { return };
    let shelf = make(&dir.join("vault.db"));
    let mut confirmed = 0;
    for round in 0..6 {
        // Failing at another place each time: in the log, in its index, in the file during a checkpoint.
        fill(&dir, round * 20_000);
        let (after, error) = fill_with_rows(&shelf, confirmed);
        assert_eq!(error, StoreError::Full, "round {round}");
        confirmed = after;
        expect_pairs(&shelf, confirmed);
        free(&dir);
        shelf.commit(pair(confirmed)).unwrap();
        confirmed += 1;
    }
    drop(shelf);
    expect_pairs(&open(&dir.join("vault.db")).unwrap(), confirmed);
}

#[test]
fn st2_enospc_passes_when_space_is_freed() {
    let dir = Dir::new();
    passes(in_namespace("child_recovers_without_a_restart", dir.path()));
}

#[test]
fn child_makes_on_a_full_disk() {
    let Some(dir) = small_disk() else { return };
    for spare in [0, 4096, 8192, 16_384] {
        fill(&dir, spare);
        let shelf = open_new(&dir.join("vault.db")).unwrap();
        let first = Batch::from(vec![row(Kind::Slot, 1, 1, &[7; 40_000])]);
        assert_eq!(shelf.create(vault(1), first), Err(StoreError::Full), "{spare} bytes left");
        assert_eq!(names(&dir), ["ballast"], "nothing half made is left");
        assert_eq!(shelf.vault_id(), Ok(None));
        free(&dir);
    }
    let shelf = open_new(&dir.join("vault.db")).unwrap();
    shelf.create(vault(1), Batch::new()).unwrap();
}

#[test]
fn st2_enospc_on_making_a_vault() {
    let dir = Dir::new();
    passes(in_namespace("child_makes_on_a_full_disk", dir.path()));
}

#[test]
fn child_migrates_on_a_full_disk() {
    let Some(dir) = small_disk() else { return };
    let path = dir.join("vault.db");
    let rows: Vec<_> = (0..50).map(|number| row(Kind::Version, number, 1, &[1; 3000])).collect();
    old_schema::make(&path, vault(1), &rows).unwrap();
    let before = std::fs::read(&path).unwrap();
    for spare in [0, 100_000, 200_000, 300_000] {
        fill(&dir, spare);
        assert_eq!(error_of(open(&path)), StoreError::Full, "{spare} bytes left");
        free(&dir);
        assert!(!dir.join("vault.db.schema-0.new").exists(), "no half of a copy is left");
    }
    assert!(std::fs::read(&path).unwrap() == before, "the old store is as it was");
    assert_eq!(all(&open(&path).unwrap(), Kind::Version).unwrap().len(), 50);
}

#[test]
fn st2_enospc_on_migrating() {
    let dir = Dir::new();
    passes(in_namespace("child_migrates_on_a_full_disk", dir.path()));
}

#[test]
fn child_opens_a_read_only_disk() {
    let Some(dir) = small_disk() else { return };
    let path = dir.join("vault.db");
    let shelf = make(&path);
    shelf.commit(pair(0)).unwrap();
    drop(shelf);
    mount(&["-o", "remount,ro"], &dir);
    assert_eq!(error_of(open(&path)), StoreError::ReadOnly);
    let fresh = open_new(&dir.join("other.db")).unwrap();
    assert_eq!(fresh.create(vault(1), Batch::new()), Err(StoreError::ReadOnly));
    mount(&["-o", "remount,rw"], &dir);
    expect_pairs(&open(&path).unwrap(), 1);
}

#[test]
fn st2_erofs() {
    let dir = Dir::new();
    passes(in_namespace("child_opens_a_read_only_disk", dir.path()));
}

/// Commits until the limit on file sizes strikes; what happens then depends on who started it.
#[test]
fn child_meets_a_size_limit() {
    let Some(dir) = common::child_dir() else { return };
    let path = dir.join("vault.db");
    let shelf = open(&path).unwrap();
    let from = all(&shelf, Kind::Secret).unwrap().len() as u64;
    let mut number = from;
    loop {
        match shelf.commit(pair(number)) {
            Ok(()) => println!("\nconfirmed {}", number + 1),
            Err(error) => {
                assert!(matches!(error, StoreError::Io { .. } | StoreError::Full), "{error:?}");
                expect_pairs(&shelf, number);
                println!("\nrefused");
                return;
            }
        }
        number += 1;
    }
}

/// The child under `ulimit -f` (units of 512 bytes), the signal ignored or deadly.
fn limited(dir: &Path, ignore: bool) -> (String, bool) {
    let trap = if ignore { "trap '' XFSZ;" } else { "" };
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{trap} ulimit -c 0; ulimit -f 800; exec \"$@\""), "sh"]);
    let output = common::child_under(shell, "child_meets_a_size_limit", dir).output().unwrap();
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
}

fn confirmed(text: &str) -> u64 {
    let mut numbers = text.lines().filter_map(|line| line.strip_prefix("confirmed ")?.parse().ok());
    numbers.next_back().unwrap_or(0)
}

#[test]
fn st2_a_limit_on_file_sizes() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    drop(make(&path));
    let (text, success) = limited(dir.path(), true);
    assert!(success && text.contains("refused"), "{text}");
    let first = confirmed(&text);
    assert!(first > 5, "{text}");
    expect_pairs(&open(&path).unwrap(), first);
}

#[test]
fn st1_killed_by_a_size_limit() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    drop(make(&path));
    let (text, success) = limited(dir.path(), false);
    assert!(!success && confirmed(&text) > 5, "{text}");
    expect_pairs(&open(&path).unwrap(), confirmed(&text));
}
