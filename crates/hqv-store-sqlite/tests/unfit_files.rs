//! Files that are no vault of ours, or not now: each is told apart, and none is touched.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Dir, error_of, make, open, open_new, set_mode, write_private};
use hqv_model::Kind;
use hqv_store::conformance::{id, row, vault};
use hqv_store::{Batch, Shelf, StoreError};
use rusqlite::Connection;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Refused in the same way whether or not a vault may be made, and left as it was.
fn refused(path: &Path) -> StoreError {
    let before = std::fs::read(path).ok();
    let error = error_of(open(path));
    assert_eq!(error_of(open_new(path)), error);
    assert_eq!(std::fs::read(path).ok(), before, "a file that is refused is left as it is");
    error
}

#[test]
fn st4_missing() {
    let dir = Dir::new();
    assert_eq!(error_of(open(&dir.file("vault.db"))), StoreError::Missing);
    assert_eq!(error_of(open(&dir.file("no/such/vault.db"))), StoreError::Missing);
    assert!(dir.names().is_empty());
}

#[test]
fn st4_empty() {
    let dir = Dir::new();
    write_private(&dir.file("vault.db"), b"");
    assert_eq!(refused(&dir.file("vault.db")), StoreError::Empty);
}

#[test]
fn st4_not_a_database() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    for text in [&b"x"[..], b"DATABASE_URL=postgres://localhost/app\n", &[0; 5000], &[0xFF; 70_000]] {
        write_private(&path, text);
        assert_eq!(refused(&path), StoreError::NotAVault, "{} bytes", text.len());
    }
}

#[test]
fn st4_another_application() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    write_private(&path, b"");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("CREATE TABLE moz_places (id INTEGER); INSERT INTO moz_places VALUES (1)").unwrap();
    drop(conn);
    assert_eq!(refused(&path), StoreError::OtherApplication { id: 0 });
    let conn = Connection::open(&path).unwrap();
    conn.pragma_update(None, "application_id", 0x4242).unwrap();
    drop(conn);
    assert_eq!(refused(&path), StoreError::OtherApplication { id: 0x4242 });
    assert_eq!(dir.names(), ["vault.db"], "nothing is left beside it");
}

#[test]
fn st4_no_regular_file() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    let refused_as = |what| assert_eq!(refused(&path), StoreError::NotAFile { what });

    std::fs::create_dir(&path).unwrap();
    refused_as("a directory");
    std::fs::remove_dir(&path).unwrap();

    drop(make(&dir.file("real.db")));
    symlink(dir.file("real.db"), &path).unwrap();
    refused_as("a symbolic link");
    std::fs::remove_file(&path).unwrap();
    symlink("nowhere", &path).unwrap();
    refused_as("a symbolic link");
    std::fs::remove_file(&path).unwrap();

    let listener = UnixListener::bind(&path).unwrap();
    refused_as("a socket");
    drop(listener);
    std::fs::remove_file(&path).unwrap();

    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_eq!(error_of(open(&path)), StoreError::NotAFile { what: "a named pipe" });
}

#[test]
fn st4_a_linked_directory_is_no_obstacle() {
    let dir = Dir::new();
    std::fs::create_dir(dir.file("real")).unwrap();
    symlink(dir.file("real"), dir.file("link")).unwrap();
    drop(make(&dir.file("link/vault.db")));
    assert_eq!(open(&dir.file("real/vault.db")).unwrap().vault_id(), Ok(Some(vault(1))));
}

#[test]
fn st4_open_to_others() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    drop(make(&path));
    for mode in [0o644, 0o660, 0o604, 0o601] {
        set_mode(&path, mode);
        assert_eq!(refused(&path), StoreError::Exposed { mode });
    }
    set_mode(&path, 0o600);
    open(&path).unwrap();
}

#[test]
fn st4_owned_by_another() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    drop(make(&path));
    let other = rustix::process::geteuid().as_raw() + 1;
    if std::os::unix::fs::chown(&path, Some(other), None).is_err() {
        println!("skipped: only root can give a file away");
        return;
    }
    assert_eq!(refused(&path), StoreError::NotOurs { uid: other });
}

#[test]
fn st5_newer_schema() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    drop(make(&path));
    let conn = Connection::open(&path).unwrap();
    conn.pragma_update(None, "user_version", 2).unwrap();
    drop(conn);
    assert_eq!(refused(&path), StoreError::Newer { found: 2, known: 1 });
    assert_eq!(dir.names(), ["vault.db"], "a newer store is not copied or changed");
}

#[test]
fn st4_a_log_without_its_database() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    let shelf = make(&path);
    shelf.commit(Batch::from(vec![row(Kind::Secret, 1, 1, b"confirmed")])).unwrap();
    let log = std::fs::read(dir.file("vault.db-wal")).unwrap();
    drop(shelf);
    std::fs::remove_file(&path).unwrap();
    write_private(&dir.file("vault.db-wal"), &log);
    assert!(matches!(refused(&path), StoreError::Damaged { .. }), "a new vault must not be given an old log");
    assert_eq!(std::fs::read(dir.file("vault.db-wal")).unwrap(), log);
    // An empty log is only a left-over.
    write_private(&dir.file("vault.db-wal"), b"");
    drop(make(&path));
}

#[test]
fn a_half_made_vault_is_in_nobodys_way() {
    let dir = Dir::new();
    for suffix in ["", "-wal", "-shm", "-journal"] {
        write_private(&dir.file(&format!("vault.db.new{suffix}")), b"left by a crash");
    }
    assert_eq!(error_of(open(&dir.file("vault.db"))), StoreError::Missing);
    drop(make(&dir.file("vault.db")));
    assert_eq!(dir.names(), ["vault.db"]);
}

#[test]
fn st4_foreign_objects_in_the_schema() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    for sql in [
        "CREATE TRIGGER t AFTER UPDATE ON row BEGIN DELETE FROM row; END",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE other (x)",
        "DROP TABLE row",
        "ALTER TABLE row ADD COLUMN more BLOB",
    ] {
        drop(make(&path));
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        assert!(matches!(error_of(open(&path)), StoreError::Damaged { .. }), "{sql}");
        std::fs::remove_file(&path).unwrap();
    }
}

/// Holds the file in a way until standard input closes.
fn hold(dir: &Path, sql: &str) {
    let conn = Connection::open(dir.join("vault.db")).unwrap();
    conn.execute_batch(sql).unwrap();
    println!("\nheld");
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn child_writes() {
    if let Some(dir) = common::child_dir() {
        hold(&dir, "BEGIN IMMEDIATE");
    }
}

#[test]
fn child_shuts_others_out() {
    if let Some(dir) = common::child_dir() {
        hold(&dir, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE row SET term = term");
    }
}

struct Holder(Child);

impl Holder {
    fn start(name: &str, dir: &Path) -> Self {
        let mut command = common::child(name, dir);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "held"));
        Holder(child)
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

#[test]
fn st3_held_by_another_process() {
    let dir = Dir::new();
    let path = dir.file("vault.db");
    let shelf = make(&path);
    shelf.commit(Batch::from(vec![row(Kind::Secret, 1, 1, b"s")])).unwrap();

    let holder = Holder::start("child_writes", dir.path());
    let busy = error_of(shelf.commit(Batch::from(vec![row(Kind::Secret, 1, 2, b"t")])));
    let StoreError::Locked { pid } = busy else { panic!("{busy:?}") };
    if cfg!(target_os = "linux") {
        assert_eq!(pid, Some(holder.0.id()), "the process that holds it is named");
    }
    assert!(shelf.get(Kind::Secret, &id(1)).unwrap().is_some(), "reading goes on");
    holder.end();
    shelf.commit(Batch::from(vec![row(Kind::Secret, 1, 3, b"u")])).unwrap();
    drop(shelf);

    let holder = Holder::start("child_shuts_others_out", dir.path());
    let StoreError::Locked { pid } = error_of(open(&path)) else { panic!("another process has it") };
    if cfg!(target_os = "linux") {
        assert_eq!(pid, Some(holder.0.id()));
    }
    holder.end();
    assert_eq!(open(&path).unwrap().vault_id(), Ok(Some(vault(1))));
}
