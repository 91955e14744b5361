//! `spec/vectors/audit/`: records that `spec/check_audit.py` verifies and opens as well.
//!
//! The writer must still produce the same bytes from the same random numbers, and the verifier must still
//! find what it found. `HQV_BLESS=1` writes the files anew. One record was made by the script.

use std::{fs, path::PathBuf};

use hqv_audit::{AuditIdentity, AuditPublic, Checkpoint, Log, RecordView, verify::Report};
use hqv_model::{Entropy, OpKind, Outcome, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::kit::{World, at, first_bad, get};

/// SHA-256 in counter mode: the same bytes whatever becomes of other generators.
struct Fixed {
    seed: u64,
    block: u64,
    given: Vec<Vec<u8>>,
}

impl Fixed {
    fn new(seed: u64) -> Self {
        Fixed { seed, block: 0, given: Vec::new() }
    }
}

impl Entropy for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let mut hash = Sha256::new();
            hash.update(self.seed.to_be_bytes());
            hash.update(self.block.to_be_bytes());
            self.block += 1;
            chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
        }
        self.given.push(bytes.to_vec());
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/audit")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The identity of all vectors, and its private halves in the order in which they are drawn.
fn identity() -> (AuditIdentity, Vec<Vec<u8>>) {
    let mut rng = Fixed::new(0);
    let id = AuditIdentity::generate(&mut rng);
    (id, rng.given)
}

fn world() -> World {
    let mut world = World::new();
    world.id = identity().0;
    world.cfg.public = world.id.public();
    world.cfg.max_segment = 5;
    world
}

fn start(world: &World, seed: u64, now: Timestamp) -> Log {
    Log::start(world.cfg.clone(), None, now, Box::new(Fixed::new(seed))).unwrap().0
}

fn odd(text: &str) -> hqv_audit::Record<'_> {
    let mut record = get("deploy/prod/key");
    (record.op, record.outcome) = (OpKind::Put, Outcome::Denied);
    record.code = Some(hqv_model::Code::Forbidden);
    (record.reason, record.claim, record.detail) =
        (Some(text.into()), Some("run".into()), Some("é🔑".into()));
    record
}

/// Locked start, unlock, a split record, full segments, lock, unlock, clean stop.
fn good() -> World {
    let world = world();
    let mut log = start(&world, 1, at(0));
    log.append(&get("while/locked"), 1).unwrap();
    log.adopt(&world.id, at(1), 1).unwrap();
    log.append(&odd("line\nquote\" \u{202e}\u{1b}[2J"), 2).unwrap();
    log.append(&get(&"p".repeat(48_100)), 2).unwrap();
    log.checkpoint(at(2), 3).unwrap();
    for n in 0..5 {
        log.append(&get(&format!("myapp/{n}")), 3).unwrap();
    }
    log.lock(at(3), 4).unwrap();
    log.append(&get("after/lock"), 4).unwrap();
    log.adopt(&world.id, at(4), 4).unwrap();
    log.append(&get("after/unlock"), 5).unwrap();
    log.close(at(5), 6).unwrap();
    world
}

/// Two starts that nobody unlocked, the second killed, before one that was.
fn unclean() -> World {
    let world = world();
    let mut log = start(&world, 2, at(0));
    log.close(at(1), 1).unwrap();
    let mut log = start(&world, 3, at(2));
    log.append(&get("killed"), 1).unwrap();
    drop(log);
    let mut log = start(&world, 4, at(3));
    log.adopt(&world.id, at(4), 1).unwrap();
    log.append(&get("myapp/1"), 2).unwrap();
    log.close(at(5), 2).unwrap();
    world
}

/// The records as JSON, oldest first. A path too long to print is given by its hash.
fn records(world: &World) -> Vec<Value> {
    let value = |r: &RecordView| -> Value { serde_json::from_str(&r.to_json()).unwrap() };
    let mut records: Vec<Value> = world.records().iter().map(value).collect();
    records.reverse();
    for path in records.iter_mut().filter_map(|r| r.pointer_mut("/items/0/path")) {
        let text = path.as_str().unwrap();
        if text.len() > 1000 {
            *path = json!(format!("sha256:{}", hex(&Sha256::digest(text))));
        }
    }
    records
}

/// JSON in ASCII: no character in the file acts on a terminal or an editor.
fn ascii(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap();
    let escape = |c: char| match c.is_ascii() {
        true => c.to_string(),
        false => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    text.chars().map(escape).chain(["\n".to_owned()]).collect()
}

fn facts(file: &str, world: &World) -> Value {
    let report = world.everything();
    assert_eq!(report.first_bad, None);
    json!({
        "file": file,
        "lines": report.lines,
        "checkpoints": report.checkpoints,
        "segments": report.segments,
        "unproven": report.unproven,
        "unproven_records": report.unproven_records,
        "unclean_ends": report.unclean_ends,
        "head": hex(&report.head),
        "records": records(world),
    })
}

/// A change to the lines, by name; lines count from 1.
fn apply(lines: &mut Vec<Vec<u8>>, change: &Value) {
    let number = |at: usize| change[at].as_u64().unwrap() as usize;
    let line = number(1) - 1;
    match change[0].as_str().unwrap() {
        "drop" => drop(lines.remove(line)),
        "swap" => lines.swap(line, number(2) - 1),
        "double" => lines.insert(line, lines[line].clone()),
        "copy" => lines[line] = lines[number(2) - 1].clone(),
        "cut" => lines.truncate(line),
        "flip" => {
            let at = number(2);
            lines[line][at] ^= 1;
        }
        other => panic!("{other}"),
    }
}

fn tampered(world: &World) -> Vec<Value> {
    let good = world.lines();
    let changes = [
        json!(["drop", 1]),
        json!(["drop", 2]),
        json!(["drop", 4]),
        json!(["drop", 6]),
        json!(["drop", 7]),
        json!(["drop", 10]),
        json!(["drop", 11]),
        json!(["drop", 13]),
        json!(["swap", 11, 12]),
        json!(["swap", 7, 8]),
        json!(["double", 6]),
        json!(["double", 9]),
        json!(["copy", 12, 11]),
        json!(["cut", 8]),
        json!(["cut", 10]),
        json!(["flip", 1, 30]),
        json!(["flip", 3, 0]),
        json!(["flip", 6, 0]),
        json!(["flip", 6, 20]),
        json!(["flip", 9, 40]),
        json!(["flip", 11, 200]),
        json!(["flip", 7, 64_000]),
    ];
    let found = |report: Report| json!(first_bad(&report));
    let cases = changes.into_iter().map(|change| {
        let mut lines = good.clone();
        apply(&mut lines, &change);
        world.put_lines(&lines);
        let (chain, signatures, everything) = (world.chain(), world.signatures(), world.everything());
        json!({
            "change": change,
            "chain": found(chain),
            "signatures": found(signatures),
            "everything": found(everything),
        })
    });
    let cases = cases.collect();
    world.put_lines(&good);
    cases
}

fn manifest(good: &World, unclean: &World) -> Value {
    let (id, drawn) = identity();
    let AuditPublic { signing, reading } = id.public();
    json!({
        "vault": good.cfg.vault.to_string(),
        "epoch": good.cfg.epoch,
        "signing_private": hex(&drawn[0]),
        "signing_public": hex(&signing),
        "reading_private": hex(&drawn[1]),
        "reading_public": hex(&reading),
        "logs": [facts("good.txt", good), facts("unclean.txt", unclean)],
        "tampered": tampered(good),
    })
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the switch that writes the vectors anew")]
fn the_writer_still_writes_the_vectors() {
    let (good, unclean) = (good(), unclean());
    let text = ascii(&manifest(&good, &unclean));
    let files =
        [("good.txt", good.bytes()), ("unclean.txt", unclean.bytes()), ("vectors.json", text.into_bytes())];
    for (name, bytes) in files {
        let path = folder().join(name);
        if std::env::var_os("HQV_BLESS").is_some() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, &bytes).unwrap();
        }
        assert!(fs::read(&path).unwrap() == bytes, "{name} differs; HQV_BLESS=1 writes it anew");
    }
}

#[test]
fn what_the_script_wrote_is_verified_and_opened() {
    let world = world();
    world.put(&fs::read(folder().join("from-python.txt")).unwrap());
    let expected: Value =
        serde_json::from_slice(&fs::read(folder().join("from-python.json")).unwrap()).unwrap();
    let report = world.everything();
    assert_eq!((report.first_bad, report.unproven, report.unsigned), (None, 1, 0));
    assert!(report.unclean_ends.is_empty());
    assert_eq!(Value::Array(records(&world)), expected["records"]);
    for line in world.lines().iter().filter(|line| line[0] == b'C') {
        let checkpoint = Checkpoint::parse(std::str::from_utf8(line).unwrap()).unwrap();
        let certified = checkpoint.line().contains(r#""root":"audit""#);
        assert_eq!(checkpoint.verify(&world.id.public()).is_ok(), certified);
    }
}
