//! Records over 64 KiB, and segments that are full.

use hqv_audit::{Checkpoint, Reader, line::MAX_LINE};

use crate::kit::{World, at, first_bad, get, get_at};

#[test]
fn a_long_record_is_split_into_linked_lines_and_comes_back_whole() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    let sizes = [47_000, 48_000, 49_000, 200_000, 1_000_000];
    for size in sizes {
        log.append(&get(&"p".repeat(size)), 1).unwrap();
        log.append(&get("short"), 1).unwrap();
    }
    log.close(at(2), 1).unwrap();
    assert!(world.lines().iter().all(|line| line.len() <= MAX_LINE));
    assert!(world.shape().contains("PPPPR"));
    let report = world.everything();
    assert_eq!((report.first_bad, report.records), (None, 10));
    let lengths: Vec<usize> = world.paths().iter().map(String::len).filter(|len| *len > 5).collect();
    assert_eq!(lengths, sizes);
}

#[test]
fn a_part_that_is_dropped_or_passed_off_as_a_whole_record_is_found() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    log.append(&get(&"p".repeat(120_000)), 1).unwrap();
    log.append(&get("after"), 1).unwrap();
    log.close(at(2), 1).unwrap();
    let good = world.lines();
    assert_eq!(world.shape(), "HCAHPPRRC");
    for line in 4..7 {
        let mut lines = good.clone();
        lines.remove(line);
        world.put_lines(&lines);
        assert_eq!(first_bad(&world.everything()), Some(line as u64 + 1));
        assert!(!world.signatures().is_ok());
        // The reader hands out nothing half.
        let page = Reader::open(world.dir.path(), &world.id).unwrap().last(9, &|_| true, None).unwrap();
        assert!(page.records.is_empty() && !page.damaged.is_empty());
    }
    let mut lines = good.clone();
    lines[5][0] = b'R';
    world.put_lines(&lines);
    assert_eq!(first_bad(&world.everything()), Some(6));
}

#[test]
fn full_segments_follow_each_other_certified_while_unlocked_and_while_locked() {
    let mut world = World::new();
    world.cfg.max_segment = 10;
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    for n in 0..100 {
        log.append(&get(&format!("unlocked/{n}")), 1).unwrap();
    }
    log.lock(at(2), 1).unwrap();
    for n in 0..100 {
        log.append(&get(&format!("locked/{n}")), 1).unwrap();
    }
    let checkpoint = log.checkpoint(at(3), 1).unwrap();
    checkpoint.verify(&world.id.public()).unwrap();
    log.close(at(3), 1).unwrap();
    let report = world.everything();
    assert_eq!((report.first_bad, report.records, report.segments, report.unproven), (None, 200, 21, 1));
    assert_eq!(world.paths().len(), 200);
}

#[test]
fn the_chain_of_certificates_of_a_locked_daemon_has_an_end() {
    let mut world = World::new();
    world.cfg.max_segment = 1;
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    log.lock(at(2), 1).unwrap();
    for n in 0..100 {
        log.append(&get_at(&format!("locked/{n}"), at(3)), 1).unwrap();
    }
    let checkpoint = log.checkpoint(at(4), 1).unwrap();
    checkpoint.verify(&world.id.public()).unwrap();
    assert!(checkpoint.line().len() < MAX_LINE);
    // Nothing is lost, and the next unlock begins short chains again.
    log.adopt(&world.id, at(5), 1).unwrap();
    assert!(log.checkpoint(at(6), 1).unwrap().line().len() < 1500);
    log.close(at(6), 1).unwrap();
    assert_eq!(world.paths().len(), 100);
    assert_eq!(world.everything().first_bad, None);
    assert!(Checkpoint::parse(checkpoint.line()).is_ok());
}
