//! Row AU6: records written while locked, forged segments, a checkpoint of nobody.

use hqv_audit::{AuditError, AuditIdentity, Checkpoint, Log, line::MAX_LINE};
use hqv_model::VaultId;

use crate::kit::{World, at, first_bad, get, seeded};

#[test]
fn au6_what_a_locked_start_wrote_is_adopted_counted_and_stays_marked() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.append(&get("locked/1"), 0).unwrap();
    let report = log.adopt(&world.id, at(1), 0).unwrap();
    assert_eq!((report.segments, report.earlier, report.findings.len()), (1, 0, 0));
    log.append(&get("unlocked/1"), 0).unwrap();
    log.lock(at(2), 0).unwrap();
    log.append(&get("relocked/1"), 0).unwrap();
    log.close(at(3), 0).unwrap();

    let marks: Vec<(String, bool)> =
        world.records().into_iter().rev().map(|r| (r.items[0].path.clone(), r.unproven)).collect();
    let expected = [("locked/1", true), ("unlocked/1", false), ("relocked/1", false)];
    assert_eq!(marks, expected.map(|(path, mark)| (path.to_owned(), mark)));
    for report in [world.signatures(), world.everything()] {
        assert_eq!((report.first_bad, report.unproven, report.unproven_records), (None, 1, 1));
    }
}

#[test]
fn au6_a_segment_that_no_unlock_adopted_is_bad() {
    let world = World::new();
    world.run(1, &["a/1"]);
    let lines = world.lines().len() as u64;
    let (mut log, _) = world.start(2);
    log.append(&get("locked/1"), 0).unwrap();
    // Open, closed, killed: nobody vouches for it so far.
    assert_eq!(first_bad(&world.signatures()), Some(lines + 1));
    log.close(at(2), 0).unwrap();
    assert_eq!(first_bad(&world.signatures()), Some(lines + 1));
    // The chain alone does not know better.
    let mut world = world;
    let (mut log, _) = world.start(3);
    log.adopt(&world.id, at(3), 0).unwrap();
    assert!(world.signatures().is_ok());
    world.cfg.max_segment = 5;
}

/// A writer of the disk needs no secret to make a segment: the reading key is public.
fn forge(world: &World) {
    let (mut forged, _) = Log::start(world.cfg.clone(), None, at(5), seeded(666)).unwrap();
    forged.append(&get("forged/1"), 0).unwrap();
    forged.close(at(6), 0).unwrap();
}

#[test]
fn au6_a_segment_forged_between_two_starts_is_marked_and_shown() {
    let world = World::new();
    world.run(1, &["a/1"]);
    let first = world.lines().len() as u64 + 1;
    forge(&world);
    let last = world.lines().len() as u64;
    let (mut log, _) = world.start(2);
    let report = log.adopt(&world.id, at(7), 1).unwrap();
    assert_eq!((report.segments, report.earlier), (2, 1));
    assert!(report.findings[0].contains(&format!("lines {first} to {last}")), "{:?}", report.findings);
    log.close(at(8), 1).unwrap();
    let forged = world.records().into_iter().find(|r| r.items.iter().any(|i| i.path == "forged/1")).unwrap();
    assert!(forged.unproven);
    let report = world.signatures();
    assert_eq!((report.first_bad.clone(), report.unproven), (None, 3));
    assert!(report.findings.iter().any(|f| f.line == first && f.text.contains("anyone who can write")));
}

#[test]
fn au6_a_segment_forged_after_the_unlock_is_found() {
    let world = World::new();
    world.run(1, &["a/1"]);
    let good = world.lines();
    forge(&world);
    let forged = world.lines()[good.len()..].to_vec();
    // At the end: never adopted. Between two segments: it does not fit, and nobody adopted it.
    assert_eq!(first_bad(&world.signatures()), Some(good.len() as u64 + 1));
    for place in 1..good.len() {
        let mut lines = good.clone();
        lines.splice(place..place, forged.clone());
        world.put_lines(&lines);
        assert!(!world.signatures().is_ok(), "at {place}");
    }
}

#[test]
fn au6_another_identity_can_neither_adopt_nor_read_nor_certify() {
    let world = World::new();
    let other = AuditIdentity::generate(&mut *seeded(77));
    let (mut log, _) = world.start(1);
    log.append(&get("locked/1"), 0).unwrap();
    let before = world.bytes();
    assert!(matches!(log.adopt(&other, at(1), 0), Err(AuditError::WrongIdentity)));
    assert_eq!(world.bytes(), before);
    let page = hqv_audit::Reader::open(world.dir.path(), &other).unwrap().last(9, &|_| true, None).unwrap();
    assert!(page.records.is_empty());
    assert_eq!(page.damaged.len(), 1);

    // A whole record by another identity for the same vault.
    let mut cfg = world.cfg.clone();
    cfg.public = other.public();
    std::fs::remove_file(world.file()).unwrap();
    let (mut log, _) = Log::start(cfg, None, at(2), seeded(78)).unwrap();
    log.adopt(&other, at(2), 0).unwrap();
    log.close(at(3), 0).unwrap();
    assert!(world.chain().is_ok());
    assert!(!world.signatures().is_ok());
}

#[test]
fn a_checkpoint_verifies_alone_with_the_public_key_and_only_that() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    let unproven = log.checkpoint(at(1), 3).unwrap();
    assert!(matches!(unproven.verify(&world.id.public()), Err(AuditError::Signature(_))));
    log.adopt(&world.id, at(1), 3).unwrap();
    log.append(&get("a/1"), 4).unwrap();
    let kept = log.checkpoint(at(2), 4).unwrap();
    let (last, _) = log.head();
    log.lock(at(3), 4).unwrap();
    let locked = log.checkpoint(at(3), 4).unwrap();

    for checkpoint in [&kept, &locked] {
        let parsed = Checkpoint::parse(&format!("  {}\n", checkpoint.line())).unwrap();
        parsed.verify(&world.id.public()).unwrap();
        assert_eq!((parsed.vault(), parsed.epoch(), parsed.state()), (world.cfg.vault, 1, 4));
        let other = AuditIdentity::generate(&mut *seeded(77));
        assert!(parsed.verify(&other.public()).is_err());
    }
    assert_eq!((kept.seq(), kept.time(), kept.closes()), (last - 1, at(2), false));
    // One changed character anywhere is refused.
    for (at, c) in kept.line().char_indices() {
        let other = if c == 'A' { 'B' } else { 'A' };
        let changed: String =
            [&kept.line()[..at], &other.to_string(), &kept.line()[at + c.len_utf8()..]].concat();
        assert!(Checkpoint::parse(&changed).and_then(|c| c.verify(&world.id.public())).is_err(), "{changed}");
    }
}

#[test]
fn a_checkpoint_kept_elsewhere_catches_a_history_written_anew() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    log.append(&get("a/1"), 1).unwrap();
    let kept = log.checkpoint(at(2), 1).unwrap();
    log.close(at(3), 1).unwrap();
    assert!(world.against(&kept).is_ok());
    let long = world.bytes();

    // The holder of the root key writes another history with all keys in order.
    std::fs::remove_file(world.file()).unwrap();
    let (mut log, _) = world.start(2);
    log.adopt(&world.id, at(1), 0).unwrap();
    log.append(&get("a/innocent"), 1).unwrap();
    log.close(at(3), 1).unwrap();
    assert!(world.everything().is_ok());
    assert_eq!(first_bad(&world.against(&kept)), Some(kept.seq()));

    // Of another vault, or signed by a stranger: refused.
    world.put(&long);
    let mut other = World::new();
    other.cfg.vault = VaultId::from_bytes([8; 16]);
    let (mut log, _) = other.start(5);
    log.adopt(&other.id, at(1), 0).unwrap();
    let foreign = log.checkpoint(at(2), 1).unwrap();
    assert!(world.against(&foreign).findings.iter().any(|f| f.bad && f.text.contains("another vault")));
}

#[test]
fn au6_many_starts_without_an_unlock_are_adopted_in_lines_of_bounded_length() {
    let world = World::new();
    for run in 0..300 {
        let (mut log, _) = world.start(run);
        log.close(at(1), 0).unwrap();
    }
    let (mut log, _) = world.start(300);
    let before = world.bytes().len();
    assert_eq!(log.adopt(&world.id, at(2), 0).unwrap().segments, 301);
    log.close(at(3), 0).unwrap();
    assert_eq!(world.shape()[601..], *"CAAHC");
    assert!(world.lines().iter().all(|line| line.len() <= MAX_LINE));
    let report = world.signatures();
    assert_eq!((report.first_bad, report.unproven), (None, 301));

    // A power cut anywhere in that: the next unlock adopts what is left.
    let whole = world.bytes();
    let lines = world.lines();
    let ends = lines.iter().scan(0, |end, line| {
        *end += line.len();
        Some(*end)
    });
    for end in ends.filter(|end| *end >= before).collect::<Vec<_>>() {
        world.put(&whole[..end]);
        let (mut log, _) = world.start(301);
        log.adopt(&world.id, at(5), 0).unwrap();
        log.close(at(6), 0).unwrap();
        let report = world.signatures();
        assert_eq!((report.first_bad, report.unproven), (None, 302), "cut at {end}");
    }
}
