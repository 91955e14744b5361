//! One vault's record in a directory that goes away.

use std::{fs, path::PathBuf};

use hqv_audit::{
    AuditIdentity, Checkpoint, DbHead, Identity, Item, ItemKind, Log, LogConfig, MAX_SEGMENT, Reader, Record,
    RecordView, StartReport,
    verify::{Level, Options, Report, verify_dir},
};
use hqv_model::{Entropy, OpKind, Outcome, RequestId, SecretId, Timestamp, TokenId, VaultId};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use tempfile::TempDir;

pub struct Seeded(ChaCha20Rng);

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

pub fn seeded(seed: u64) -> Box<Seeded> {
    Box::new(Seeded(ChaCha20Rng::seed_from_u64(seed)))
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000 + seconds * 1000)
}

pub struct World {
    pub dir: TempDir,
    pub id: AuditIdentity,
    pub cfg: LogConfig,
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let id = AuditIdentity::generate(&mut *seeded(1));
        let cfg = LogConfig {
            dir: dir.path().to_owned(),
            vault: VaultId::from_bytes([9; 16]),
            epoch: 1,
            public: id.public(),
            max_segment: MAX_SEGMENT,
        };
        World { dir, id, cfg }
    }

    pub fn file(&self) -> PathBuf {
        self.dir.path().join("audit.log")
    }

    /// A start; every start has random numbers of its own, as a process has.
    pub fn start(&self, seed: u64) -> (Log, StartReport) {
        self.start_with(seed, None)
    }

    pub fn start_with(&self, seed: u64, db: Option<DbHead>) -> (Log, StartReport) {
        Log::start(self.cfg.clone(), db, at(0), seeded(100 + seed)).unwrap()
    }

    /// Start, unlock, the records of `paths`, clean stop.
    pub fn run(&self, seed: u64, paths: &[&str]) {
        let (mut log, _) = self.start(seed);
        log.adopt(&self.id, at(1), 0).unwrap();
        for path in paths {
            log.append(&get(path), 1).unwrap();
        }
        log.close(at(2), 1).unwrap();
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.file()).unwrap()
    }

    pub fn put(&self, bytes: &[u8]) {
        fs::write(self.file(), bytes).unwrap();
    }

    /// The lines, each with its newline.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        self.bytes().split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
    }

    pub fn put_lines(&self, lines: &[Vec<u8>]) {
        self.put(&lines.concat());
    }

    /// The types of the lines, as one word.
    pub fn shape(&self) -> String {
        self.lines().iter().map(|line| char::from(line[0])).collect()
    }

    pub fn check(&self, level: Level<'_>) -> Report {
        self.check_with(level, &Options::default())
    }

    pub fn check_with(&self, level: Level<'_>, options: &Options) -> Report {
        verify_dir(self.dir.path(), level, options, &mut |_| ()).unwrap()
    }

    pub fn chain(&self) -> Report {
        self.check(Level::Chain)
    }

    pub fn signatures(&self) -> Report {
        self.check(Level::Signatures(&self.id.public()))
    }

    pub fn everything(&self) -> Report {
        self.check(Level::Everything(&self.id))
    }

    pub fn against(&self, checkpoint: &Checkpoint) -> Report {
        let options = Options { against: Some(checkpoint.clone()), ..Options::default() };
        self.check_with(Level::Signatures(&self.id.public()), &options)
    }

    /// All records, newest first.
    pub fn records(&self) -> Vec<RecordView> {
        let page =
            Reader::open(self.dir.path(), &self.id).unwrap().last(usize::MAX, &|_| true, None).unwrap();
        assert_eq!(page.damaged, Vec::<u64>::new());
        page.records
    }

    /// The paths of all records that name one, oldest first.
    pub fn paths(&self) -> Vec<String> {
        let mut records = self.records();
        records.reverse();
        records.into_iter().flat_map(|r| r.items).map(|item| item.path).collect()
    }

    /// The details of all records of an operation, oldest first.
    pub fn details(&self, operation: OpKind) -> Vec<String> {
        let mut records = self.records();
        records.reverse();
        records.into_iter().filter(|r| r.operation == operation.as_str()).filter_map(|r| r.detail).collect()
    }
}

/// A worker's get, as the engine records it.
pub fn get(path: &str) -> Record<'static> {
    get_at(path, at(1))
}

pub fn get_at(path: &str, time: Timestamp) -> Record<'static> {
    let worker = Identity::Token {
        id: TokenId::from_bytes([1; 16]),
        ancestry: "orchestrator/worker-3".into(),
        ancestors: vec![TokenId::from_bytes([2; 16])].into(),
    };
    let mut record = Record::new(time, OpKind::Get, Outcome::Ok, worker);
    record.source = "127.0.0.1:51234".into();
    record.request = Some(RequestId::from_bytes([3; 16]));
    record.items = vec![Item {
        secret: Some(SecretId::from_bytes([4; 16])),
        version: Some(2),
        path: path.into(),
        kind: ItemKind::Exposed,
        channel: "get".into(),
    }];
    record
}

/// The line of the first bad finding.
pub fn first_bad(report: &Report) -> Option<u64> {
    report.first_bad.as_ref().map(|finding| finding.line)
}
