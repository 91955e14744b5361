//! What only the inside can show: faults of the disk, and what a locked daemon still holds.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs::File,
    io,
    sync::{Arc, Mutex},
};

use hqv_crypto::AuditIdentity;
use hqv_model::{Entropy, OpKind, Outcome, Timestamp, VaultId};

use crate::{
    header::{self, Header},
    line::LineType,
    reader::RecordView,
    record::{Identity, Record},
    sink::{Sink, Standing},
};

use super::*;

struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
    }
}

/// What a disk holds, whether it takes more, and whether a sync of it works.
#[derive(Default)]
struct Disk {
    bytes: Vec<u8>,
    full: bool,
    calls: u64,
    failing: bool,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Disk>>);

impl Sink for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        if disk.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        disk.calls += 1;
        disk.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn standing(&mut self) -> Standing {
        Standing::Same
    }

    fn reopen(&mut self) -> io::Result<()> {
        if self.0.lock().unwrap().full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    /// A pipe cannot be synced: it stands in for a disk that loses pages.
    fn file(&self) -> io::Result<File> {
        if self.0.lock().unwrap().failing {
            let (_, end) = io::pipe()?;
            return Ok(File::from(std::os::fd::OwnedFd::from(end)));
        }
        tempfile::tempfile()
    }
}

impl Shared {
    fn failing(&self, failing: bool) {
        self.0.lock().unwrap().failing = failing;
    }

    fn full(&self, full: bool) {
        self.0.lock().unwrap().full = full;
    }

    fn lines(&self) -> Vec<Vec<u8>> {
        let disk = self.0.lock().unwrap();
        disk.bytes.split_inclusive(|b| *b == b'\n').map(|line| line[..line.len() - 1].to_vec()).collect()
    }

    fn shape(&self) -> String {
        self.lines().iter().map(|line| char::from(line[0])).collect()
    }

    /// Verifies what is there, from a file of its own.
    fn check(&self, id: &AuditIdentity) -> crate::verify::Report {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("audit.log");
        std::fs::write(&file, &self.0.lock().unwrap().bytes).unwrap();
        let level = crate::verify::Level::Everything(id);
        crate::verify::verify(&[file], level, &Default::default(), &mut |_| ()).unwrap()
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000)
}

fn record(detail: &str) -> Record<'_> {
    let mut record = Record::new(now(), OpKind::Get, Outcome::Ok, Identity::Nobody);
    record.detail = Some(detail.into());
    record
}

fn log_on(disk: &Shared) -> (Log, AuditIdentity) {
    let id = AuditIdentity::generate(&mut Counting(1));
    let cfg = LogConfig {
        dir: PathBuf::new(),
        vault: VaultId::from_bytes([9; 16]),
        epoch: 1,
        public: id.public(),
        max_segment: 100,
    };
    let chain = Chain::start(cfg.vault);
    let log = Log::begin_at(cfg, chain, Box::new(disk.clone()), Box::new(Counting(2))).unwrap();
    (log, id)
}

#[test]
fn one_record_is_one_write() {
    let disk = Shared::default();
    let (mut log, id) = log_on(&disk);
    log.adopt(&id, now(), 1).unwrap();
    let before = disk.0.lock().unwrap().calls;
    for _ in 0..10 {
        log.append(&record(&"long".repeat(30_000)), 1).unwrap();
    }
    assert_eq!(disk.0.lock().unwrap().calls - before, 10);
}

#[test]
fn au2_a_full_disk_fails_the_record_and_leaves_the_log_as_it_was() {
    let disk = Shared::default();
    let (mut log, id) = log_on(&disk);
    log.adopt(&id, now(), 1).unwrap();
    log.append(&record("before"), 1).unwrap();
    let head = log.head();
    disk.full(true);
    for _ in 0..3 {
        assert!(log.append(&record("lost"), 1).is_err());
        assert!(log.checkpoint(now(), 1).is_err());
    }
    assert_eq!((log.head(), log.missed()), (head, 3));
    disk.full(false);
    log.append(&record("after"), 1).unwrap();
    log.close(now(), 1).unwrap();
    assert_eq!(disk.shape(), "HRRRC");
    assert_eq!(disk.check(&id).first_bad, None);
}

/// Linux tells of a failed write-back once. The sync after it succeeds and proves nothing.
#[test]
fn st2_a_failed_sync_is_never_made_good_by_a_later_one() {
    let disk = Shared::default();
    let (mut log, id) = log_on(&disk);
    log.adopt(&id, now(), 1).unwrap();
    log.append(&record("before"), 1).unwrap();
    let good = log.sync_point().unwrap();
    let outcome = good.sync();
    log.synced(&good, outcome).unwrap();
    disk.failing(true);
    let lost = log.sync_point().unwrap();
    assert!(log.synced(&lost, lost.sync()).is_err());
    disk.failing(false);
    assert!(log.synced(&good, Ok(())).is_err(), "one that was under way meanwhile");
    assert!(log.sync_point().is_err());
    log.append(&record("after"), 1).unwrap();
    assert!(log.sync_point().is_err());
    // No signed end vouches for the lines: the next start calls it unclean.
    assert!(log.close(now(), 1).is_err());
    assert_eq!(disk.shape(), "HRR");
}

/// The system tells of lost pages once, also of a file that is left. That the new place could not be opened at the first
/// attempt must not make them forgotten at the second.
#[test]
fn st2_a_failed_sync_of_the_file_left_is_remembered_when_the_next_cannot_be_opened() {
    let disk = Shared::default();
    let (mut log, id) = log_on(&disk);
    log.adopt(&id, now(), 1).unwrap();
    disk.failing(true);
    disk.full(true);
    assert!(log.reopen().is_err());
    disk.failing(false);
    disk.full(false);
    log.reopen().unwrap();
    assert!(log.sync_point().is_err());
    assert!(log.close(now(), 1).is_err());
}

#[test]
fn a_nonce_is_never_used_twice_also_when_the_write_failed() {
    let disk = Shared::default();
    let (mut log, id) = log_on(&disk);
    log.adopt(&id, now(), 1).unwrap();
    disk.full(true);
    assert!(log.append(&record("one text"), 1).is_err());
    disk.full(false);
    log.append(&record("another"), 1).unwrap();
    log.append(&record("a third"), 1).unwrap();
    let counters: Vec<Vec<u8>> = disk
        .lines()
        .iter()
        .filter(|line| line[0] == b'R')
        .map(|line| {
            let mut payload = Vec::new();
            crate::line::decode_into(&line[1..], &mut payload).unwrap();
            payload[..8].to_vec()
        })
        .collect();
    // The lost record took 0. The gap's record and the one behind it took 1 and 2.
    assert_eq!(counters, [1_u64, 2, 3].map(|n| n.to_be_bytes().to_vec()));
}

#[test]
fn au2_lock_takes_effect_on_a_full_disk_and_the_gap_is_recorded() {
    let disk = Shared::default();
    let (mut log, id) = log_on(&disk);
    log.adopt(&id, now(), 1).unwrap();
    log.append(&record("before"), 1).unwrap();
    let old = *log.segment.public();
    disk.full(true);
    assert!(log.lock(now(), 1).is_err());
    assert!(log.unlock.is_none() && *log.segment.public() != old);
    assert!(log.append(&record("lost"), 1).is_err());
    disk.full(false);
    log.append(&record("after"), 1).unwrap();
    log.checkpoint(now(), 1).unwrap().verify(&id.public()).unwrap();
    log.close(now(), 1).unwrap();
    // No close before the second header: it is an unclean end, and nothing worse.
    assert_eq!(disk.shape(), "HRHRRCC");
    let report = disk.check(&id);
    assert_eq!((report.first_bad, report.unclean_ends, report.unproven), (None, vec![2], 0));
}

#[test]
fn au2_an_unlock_that_cannot_be_written_changes_nothing() {
    let disk = Shared::default();
    let (mut log, id) = log_on(&disk);
    log.append(&record("locked"), 1).unwrap();
    disk.full(true);
    assert!(log.adopt(&id, now(), 1).is_err());
    assert!(log.unlock.is_none() && !log.certified());
    disk.full(false);
    log.append(&record("still locked"), 1).unwrap();
    assert_eq!(log.adopt(&id, now(), 1).unwrap().segments, 1);
    log.close(now(), 1).unwrap();
    assert_eq!(disk.check(&id).first_bad, None);
}

/// Opens the record on `line` (from 0) with the keys that the log holds now.
fn opens_with_held_key(log: &Log, lines: &[Vec<u8>], line: usize) -> bool {
    let mut chain = Chain::start(log.cfg.vault);
    for before in &lines[..line] {
        chain.push(before);
    }
    let mut payload = Vec::new();
    crate::line::decode_into(&lines[line][1..], &mut payload).unwrap();
    let Ok(json) = log.segment.record_key().open_part(LineType::Record, &chain, &mut payload) else {
        return false;
    };
    RecordView::parse(json, 1, false).is_ok()
}

#[test]
fn au6_a_locked_log_can_read_and_re_sign_only_its_open_segment() {
    let disk = Shared::default();
    let (mut log, id) = log_on(&disk);
    log.adopt(&id, now(), 1).unwrap();
    log.append(&record("unlocked"), 1).unwrap();
    assert!(opens_with_held_key(&log, &disk.lines(), 1));
    log.lock(now(), 1).unwrap();
    log.append(&record("locked"), 1).unwrap();
    let lines = disk.lines();
    assert_eq!(disk.shape(), "HRCHR");
    assert!(!opens_with_held_key(&log, &lines, 1));
    assert!(opens_with_held_key(&log, &lines, 4));
    // No key of the unlock is left, and nothing ever held the identity's.
    assert!(log.unlock.is_none());
    drop(id);

    // A header at the place of the closed segment, signed with what is left.
    let id = AuditIdentity::generate(&mut Counting(1));
    for (before, holds) in [(0, false), (2, false), (3, true)] {
        let mut chain = Chain::start(log.cfg.vault);
        lines[..before].iter().for_each(|line| chain.push(line));
        log.staging.begin(chain);
        log.segment.stage_header(1, now(), &mut log.staging).unwrap();
        let forged = Header::parse(log.staging.last_anchor().unwrap()).unwrap();
        assert_eq!(forged.check(&id.public().signing).is_ok(), holds, "at line {}", before + 1);
    }
}

#[test]
fn au6_a_certificate_binds_vault_epoch_line_key_and_issuer() {
    let disk = Shared::default();
    let (mut log, id) = log_on(&disk);
    log.adopt(&id, now(), 1).unwrap();
    let lines = disk.lines();
    let header = Header::parse(&lines[0]).unwrap();
    let audit = id.public().signing;
    let check = |scope: Scope, chain: &[Link], root: Root| {
        scope.check(root, chain, &header.body.key.0, header.line(), &audit).is_ok()
    };
    let chain = &header.body.chain;
    assert!(check(header.scope, chain, Root::Audit));
    assert!(!check(Scope { epoch: 2, ..header.scope }, chain, Root::Audit));
    assert!(!check(Scope { vault: VaultId::from_bytes([8; 16]), ..header.scope }, chain, Root::Audit));
    assert!(!check(header.scope, chain, Root::None));
    assert!(!check(header.scope, &chain[1..], Root::Audit));
    assert!(!check(header.scope, &chain[..1], Root::Audit));
    assert!(!check(header.scope, &[], Root::Audit));
    let mut moved = chain.clone();
    moved[1].from = 0;
    assert!(!check(header.scope, &moved, Root::Audit));
    let endless = vec![chain[0].clone(); MAX_LINKS + 1];
    assert!(!check(header.scope, &endless, Root::Audit));
    assert!(header::check_version(2).is_err());
}
