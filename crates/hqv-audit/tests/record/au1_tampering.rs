//! Row AU1: edit, drop, swap, duplicate, insert, cut, empty, replace by an older copy.

use hqv_audit::{
    DbHead,
    verify::{Level, Options},
};

use crate::kit::{World, at, first_bad, get};

/// H C A H R R R C R R C: two checkpoints in the second segment, the last closes it.
fn sample() -> World {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    for path in ["a/1", "a/2", "a/3"] {
        log.append(&get(path), 1).unwrap();
    }
    log.checkpoint(at(2), 1).unwrap();
    for path in ["a/4", "a/5"] {
        log.append(&get(path), 2).unwrap();
    }
    log.close(at(3), 2).unwrap();
    assert_eq!(world.shape(), "HCAHRRRCRRC");
    world
}

#[test]
fn au1_an_untouched_record_is_good_at_every_level() {
    let world = sample();
    for report in [world.chain(), world.signatures(), world.everything()] {
        assert_eq!(report.first_bad, None, "{:?}", report.level);
        assert_eq!((report.lines, report.records, report.checkpoints, report.segments), (11, 5, 3, 2));
        assert_eq!((report.unproven, report.unproven_records, report.unsigned), (1, 0, 0));
        assert!(report.unclean_ends.is_empty() && report.findings.is_empty());
    }
}

/// Applies a change to the lines and gives the first bad line at the three levels.
fn tampered(change: impl FnOnce(&mut Vec<Vec<u8>>)) -> [Option<u64>; 3] {
    let world = sample();
    let mut lines = world.lines();
    change(&mut lines);
    world.put_lines(&lines);
    [world.chain(), world.signatures(), world.everything()].map(|report| first_bad(&report))
}

/// Without the identity a change is known to lie between two checkpoints; the first line there is named.
const AFTER_HEADER: Option<u64> = Some(5);

#[test]
fn au1_an_edited_record_is_found() {
    let found = tampered(|lines| {
        let other = lines[4].clone();
        lines[5] = other;
    });
    assert_eq!(found, [AFTER_HEADER, AFTER_HEADER, Some(6)]);
}

#[test]
fn au1_a_dropped_record_is_found() {
    assert_eq!(tampered(|lines| drop(lines.remove(5))), [AFTER_HEADER, AFTER_HEADER, Some(6)]);
}

#[test]
fn au1_swapped_records_are_found() {
    assert_eq!(tampered(|lines| lines.swap(5, 6)), [AFTER_HEADER, AFTER_HEADER, Some(6)]);
}

#[test]
fn au1_a_doubled_record_is_found() {
    let found = tampered(|lines| {
        let again = lines[6].clone();
        lines.insert(7, again);
    });
    assert_eq!(found, [AFTER_HEADER, AFTER_HEADER, Some(8)]);
}

#[test]
fn au1_an_inserted_line_is_found() {
    let found = tampered(|lines| lines.insert(9, b"RAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n".to_vec()));
    assert_eq!(found, [Some(9), Some(9), Some(10)]);
    let noise = tampered(|lines| lines.insert(9, b"not a line\n".to_vec()));
    assert_eq!(noise, [Some(10); 3]);
}

#[test]
fn au1_a_dropped_checkpoint_is_found() {
    // Behind it the next checkpoint no longer fits; the record before that does not open.
    assert_eq!(tampered(|lines| drop(lines.remove(7))), [AFTER_HEADER, AFTER_HEADER, Some(8)]);
}

#[test]
fn au1_a_dropped_header_or_adoption_is_found() {
    for line in [0, 2, 3] {
        let found = tampered(|lines| drop(lines.remove(line)));
        assert!(found.iter().all(Option::is_some), "line {} at {found:?}", line + 1);
    }
}

#[test]
fn au1_a_cut_in_a_line_is_found() {
    let found = tampered(|lines| {
        lines.truncate(10);
        let half = lines[9].len() / 2;
        lines[9].truncate(half);
    });
    assert_eq!(found, [Some(10); 3]);
}

#[test]
fn au1_a_cut_between_lines_is_said_and_found_by_what_is_kept_elsewhere() {
    let world = sample();
    let kept = world.lines();
    let head = world.everything().head;
    world.put_lines(&kept[..9]);
    let report = world.signatures();
    assert!(report.is_ok(), "a running daemon's log looks the same");
    assert!(report.findings.iter().any(|f| f.text.contains("no signed close")), "{:?}", report.findings);
    assert_eq!(report.unsigned, 1);

    // Also a cut exactly behind a checkpoint.
    let closing = hqv_audit::Checkpoint::parse(std::str::from_utf8(&kept[10]).unwrap()).unwrap();
    for end in [8, 9, 10] {
        world.put_lines(&kept[..end]);
        let cut = Some(end as u64 + 1);
        if (end as u64) < closing.seq() {
            assert_eq!(first_bad(&world.against(&closing)), cut);
        }
        let database = Some(DbHead { state_seq: 2, head: Some((11, head)) });
        let options = Options { database, ..Options::default() };
        assert_eq!(first_bad(&world.check_with(Level::Everything(&world.id), &options)), cut);
    }
}

#[test]
fn au1_an_emptied_or_missing_record_is_found() {
    let world = sample();
    world.put(b"");
    assert_eq!(first_bad(&world.signatures()), Some(1));
    std::fs::remove_file(world.file()).unwrap();
    assert_eq!(first_bad(&world.signatures()), Some(1));
}

#[test]
fn au1_the_next_unlock_finds_a_cut_an_older_copy_and_an_emptied_log() {
    let database = |world: &World| {
        let report = world.everything();
        DbHead { state_seq: 2, head: Some((report.last, report.head)) }
    };
    type Change = fn(&World);
    let changes: [(&str, Change); 3] = [
        ("cut", |world| world.put_lines(&world.lines()[..9])),
        ("emptied", |world| world.put(b"")),
        ("deleted", |world| std::fs::remove_file(world.file()).unwrap()),
    ];
    for (what, change) in changes {
        let world = sample();
        let db = database(&world);
        change(&world);
        let (mut log, _) = world.start(7);
        let findings = log.compare(&db, at(9)).unwrap();
        assert!(findings.iter().any(|f| f.contains("was cut")), "{what}: {findings:?}");
        log.adopt(&world.id, at(9), 2).unwrap();
        log.close(at(9), 2).unwrap();
        let told = world.details(hqv_model::OpKind::UncleanEnd);
        assert!(told.iter().any(|detail| detail.contains("was cut")), "{what}: {told:?}");
    }
    // An older copy of the whole file, clean in itself.
    let world = World::new();
    world.run(1, &["a/1"]);
    let older = world.bytes();
    world.run(2, &["a/2"]);
    let db = database(&world);
    world.put(&older);
    assert!(world.everything().is_ok());
    let (mut log, report) = world.start(3);
    assert_eq!(report, hqv_audit::StartReport::default());
    assert!(log.compare(&db, at(9)).unwrap()[0].contains("was cut"));
}

#[test]
fn au1_a_changed_line_below_the_databases_head_is_found_at_unlock() {
    let world = sample();
    let report = world.everything();
    let db = DbHead { state_seq: 2, head: Some((10, [0; 32])) };
    let (mut log, _) = world.start(2);
    assert!(log.compare(&db, at(9)).unwrap()[0].contains("changed at or before line 10"));
    let good = DbHead { state_seq: 2, head: Some((report.last, report.head)) };
    assert!(log.compare(&good, at(9)).unwrap().is_empty());
}

/// With HQV_LONG=1 every bit, else one bit of every byte.
#[test]
#[allow(clippy::disallowed_methods, reason = "the switch for the long form of a test")]
fn au1_every_byte_flipped_is_found_and_its_line_named() {
    let world = World::new();
    world.run(1, &["a/1", "a/2"]);
    assert_eq!(world.shape(), "HCAHRRC");
    let good = world.bytes();
    let masks: &[u8] =
        if std::env::var_os("HQV_LONG").is_some() { &[1, 2, 4, 8, 16, 32, 64, 128] } else { &[1] };
    let mut line = 1;
    for (offset, byte) in good.iter().enumerate() {
        for mask in masks {
            let mut bad = good.clone();
            bad[offset] ^= mask;
            world.put(&bad);
            let report = world.everything();
            assert_eq!(first_bad(&report), Some(line), "byte {offset} with {mask}: {:?}", report.findings);
            // A part of the bytes is enough for the level that has the same checks but one.
            if offset % 16 == 0 {
                assert!(!world.signatures().is_ok(), "byte {offset} with {mask} by public key");
            }
        }
        line += u64::from(*byte == b'\n');
    }
}

#[test]
fn au1_many_findings_are_counted_and_not_kept() {
    let world = World::new();
    let noise: Vec<u8> = b"noise\n".repeat(5);
    world.put(&noise);
    let report = world.signatures();
    assert_eq!((first_bad(&report), report.findings.len(), report.lines), (Some(1), 1, 5));
    let endless = vec![b'x'; 3 * 1024 * 1024];
    world.put(&endless);
    assert_eq!(first_bad(&world.signatures()), Some(1));
}
