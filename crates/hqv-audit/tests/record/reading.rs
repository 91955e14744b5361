//! Reading newest first, from a line on, with filters, across segments, files and damage.

use hqv_audit::{Follower, Reader};
use std::ops::ControlFlow;

use crate::kit::{World, at, get, get_at};

/// Sixty records in small segments, over three unlocks and a file that was set aside.
fn sample() -> World {
    let mut world = World::new();
    world.cfg.max_segment = 7;
    for run in 0..3 {
        let (mut log, _) = world.start(run);
        log.adopt(&world.id, at(1), 0).unwrap();
        for n in 0..20 {
            log.append(&get(&format!("run-{run}/{n}")), 1).unwrap();
            if n % 6 == 0 {
                log.checkpoint(at(2), 1).unwrap();
            }
        }
        log.close(at(3), 1).unwrap();
        if run == 1 {
            std::fs::rename(world.file(), world.dir.path().join("audit-1.log")).unwrap();
        }
    }
    world
}

#[test]
fn the_newest_come_first_and_pages_follow_each_other_without_a_gap() {
    let world = sample();
    let all = world.records();
    assert_eq!(all.len(), 60);
    assert_eq!((all[0].items[0].path.as_str(), all[59].items[0].path.as_str()), ("run-2/19", "run-0/0"));
    assert!(all.windows(2).all(|pair| pair[0].sequence > pair[1].sequence));
    let reader = Reader::open(world.dir.path(), &world.id).unwrap();
    for size in [1, 7, 13, 60, 100] {
        let mut paged = Vec::new();
        let mut before = None;
        loop {
            let page = reader.last(size, &|_| true, before).unwrap();
            assert!(page.records.len() <= size);
            let Some(last) = page.records.last() else { break };
            before = Some(last.sequence);
            paged.extend(page.records);
        }
        assert_eq!(paged, all);
    }
    assert!(reader.last(0, &|_| true, None).unwrap().records.is_empty());
}

#[test]
fn a_filter_sees_every_record_until_enough_are_found() {
    let world = sample();
    let reader = Reader::open(world.dir.path(), &world.id).unwrap();
    let page = reader.last(5, &|r| r.items[0].path.ends_with("/3"), None).unwrap();
    let paths: Vec<&str> = page.records.iter().map(|r| r.items[0].path.as_str()).collect();
    assert_eq!(paths, ["run-2/3", "run-1/3", "run-0/3"]);
}

#[test]
fn from_a_line_on_the_oldest_come_first() {
    let world = sample();
    let mut all = world.records();
    all.reverse();
    let reader = Reader::open(world.dir.path(), &world.id).unwrap();
    let last = all[59].sequence;
    for seq in 0..=last + 2 {
        let expected: Vec<_> = all.iter().filter(|r| r.sequence >= seq).cloned().collect();
        assert_eq!(reader.from(seq, usize::MAX).unwrap().records, expected, "from {seq}");
        let mut walked = Vec::new();
        let damaged = reader.walk(seq, &mut |record| {
            walked.push(record);
            if walked.len() == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(damaged.unwrap().is_empty());
        assert_eq!(walked, expected[..expected.len().min(5)], "walk from {seq}");
    }
    assert_eq!(reader.from(1, 3).unwrap().records, all[..3]);
}

#[test]
fn what_does_not_open_is_named_and_the_rest_is_read() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    for n in 0..9 {
        log.append(&get(&format!("a/{n}")), 1).unwrap();
        if n % 3 == 2 {
            log.checkpoint(at(2), 1).unwrap();
        }
    }
    log.close(at(3), 1).unwrap();
    let mut lines = world.lines();
    // H C A H R R R C R R R C: the second record of the second three.
    lines[9][10] ^= 1;
    world.put_lines(&lines);
    let page = Reader::open(world.dir.path(), &world.id).unwrap().last(50, &|_| true, None).unwrap();
    let paths: Vec<&str> = page.records.iter().map(|r| r.items[0].path.as_str()).collect();
    assert_eq!(paths, ["a/8", "a/7", "a/6", "a/3", "a/2", "a/1", "a/0"]);
    // Behind the changed line the hash is another until the next checkpoint.
    assert_eq!(page.damaged, [10, 11]);
}

#[test]
fn a_torn_line_at_the_end_is_not_there_yet() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.append(&get_at("a/1", at(1)), 1).unwrap();
    let mut bytes = world.bytes();
    bytes.extend_from_slice(b"Rabc");
    world.put(&bytes);
    assert_eq!(world.paths(), ["a/1"]);
}

#[test]
fn a_follower_gets_each_record_once_through_locks_starts_torn_lines_and_a_move() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    log.append(&get("before"), 1).unwrap();
    let mut follower = Follower::open(world.dir.path(), &world.id, log.head().0 + 1).unwrap();
    let mut next = |limit| {
        let page = follower.next(&world.id, limit).unwrap();
        assert_eq!(page.damaged, Vec::<u64>::new());
        page.records.iter().flat_map(|r| &r.items).map(|item| item.path.clone()).collect::<Vec<String>>()
    };
    assert!(next(9).is_empty());
    log.append(&get("one"), 1).unwrap();
    log.append(&get("two"), 1).unwrap();
    log.lock(at(2), 1).unwrap();
    log.append(&get("three"), 1).unwrap();
    assert_eq!(next(2), ["one", "two"]);
    assert_eq!(next(9), ["three"]);
    assert!(next(9).is_empty());

    // A line in the making is left for later.
    let whole = world.bytes();
    log.append(&get("four"), 1).unwrap();
    let longer = world.bytes();
    world.put(&longer[..whole.len() + 20]);
    assert!(next(9).is_empty());
    world.put(&longer);
    assert_eq!(next(9), ["four"]);

    // Moved: the old file to its end, then the new one.
    log.append(&get_at("five", at(2)), 1).unwrap();
    std::fs::rename(world.file(), world.dir.path().join("moved")).unwrap();
    log.append(&get_at("six", at(9)), 1).unwrap();
    assert_eq!(next(9), ["five", "six"]);
    drop(log);
    let (mut log, _) = world.start(2);
    log.append(&get_at("seven", at(10)), 1).unwrap();
    assert_eq!(next(9), ["seven"]);
}
