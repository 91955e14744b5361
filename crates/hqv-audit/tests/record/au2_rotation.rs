//! Files set aside by size and age: whatever moment a run ends at, the record is whole and has no finding.

use std::fs;

use hqv_audit::{Follower, Rotation, StartReport};

use crate::kit::{World, at, get_at, seeded};

fn names(world: &World) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(world.dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Three records, of which the second finds the file too large.
fn turned(world: &World) -> hqv_audit::Log {
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    log.append(&get_at("a/1", at(1)), 1).unwrap();
    log.set_rotation(Rotation { size: 1, age: 0 });
    log.append(&get_at("a/2", at(2)), 1).unwrap();
    log.set_rotation(Rotation::default());
    log.append(&get_at("a/3", at(3)), 1).unwrap();
    log
}

#[test]
fn au2_a_file_is_set_aside_by_size_with_a_signed_end_and_the_number_of_its_first_line() {
    let world = World::new();
    let mut log = turned(&world);
    log.close(at(4), 1).unwrap();
    assert_eq!(names(&world), ["audit-1.log", "audit.log"]);
    let aside = fs::read_to_string(world.dir.path().join("audit-1.log")).unwrap();
    let last = aside.lines().last().unwrap();
    assert!(last.starts_with('C') && last.contains("\"close\":true"), "{last}");
    assert!(world.bytes().starts_with(b"H"));
    let report = world.everything();
    assert_eq!((report.first_bad, report.unclean_ends), (None, vec![]));
    assert_eq!(world.paths(), ["a/1", "a/2", "a/3"]);
}

#[test]
fn au2_a_file_is_set_aside_by_age_and_a_clock_set_back_sets_none_aside() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    log.set_rotation(Rotation { size: 0, age: 60_000 });
    for (second, files) in [(2, 1), (59, 1), (61, 2), (70, 2), (10, 2), (122, 3)] {
        log.append(&get_at("a/1", at(second)), 1).unwrap();
        assert_eq!(names(&world).len(), files, "after {second} s");
    }
    log.close(at(130), 1).unwrap();
    assert_eq!(world.everything().first_bad, None);
}

#[test]
fn au2_a_run_that_ends_between_two_steps_of_a_rotation_leaves_a_whole_record() {
    type Undo = fn(&World);
    let steps: [(&str, Undo); 4] = [
        ("closed, not renamed", |w| {
            fs::rename(w.dir.path().join("audit-1.log"), w.file()).unwrap();
        }),
        ("renamed, no new file", |w| fs::remove_file(w.file()).unwrap()),
        ("an empty new file", |w| w.put(b"")),
        ("a torn header", |w| {
            let half = w.bytes()[..100].to_vec();
            w.put(&half);
        }),
    ];
    for (step, undo) in steps {
        let world = World::new();
        drop(turned(&world));
        undo(&world);
        let (mut log, report) = world.start(2);
        let torn = report.torn_tail.is_some();
        assert_eq!(torn, step == "a torn header", "{step}");
        if !torn {
            assert_eq!(report, StartReport::default(), "{step}");
        }
        log.adopt(&world.id, at(5), 1).unwrap();
        log.append(&get_at("a/9", at(6)), 1).unwrap();
        log.close(at(7), 1).unwrap();
        let report = world.everything();
        assert_eq!(report.first_bad, None, "{step}");
        assert_eq!(report.unclean_ends, Vec::<u64>::new(), "{step}");
        assert_eq!(world.paths(), ["a/1", "a/9"], "{step}");
    }
}

#[test]
fn au2_a_name_that_is_taken_keeps_the_record_in_its_file() {
    let world = World::new();
    fs::write(world.dir.path().join("audit-1.log"), b"").unwrap();
    fs::remove_file(world.dir.path().join("audit-1.log")).unwrap();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    fs::create_dir(world.dir.path().join("audit-1.log")).unwrap();
    log.set_rotation(Rotation { size: 1, age: 0 });
    for second in 2..5 {
        log.append(&get_at("a/1", at(second)), 1).unwrap();
    }
    fs::remove_dir(world.dir.path().join("audit-1.log")).unwrap();
    assert_eq!(names(&world), ["audit.log"]);
    log.append(&get_at("a/2", at(70)), 1).unwrap();
    assert_eq!(names(&world), ["audit-1.log", "audit.log"], "tried again after a minute");
    log.close(at(80), 1).unwrap();
    assert_eq!(world.everything().first_bad, None);
    assert_eq!(world.paths(), ["a/1", "a/1", "a/1", "a/2"]);
}

#[test]
fn au2_a_locked_log_rotates_too_and_an_unlock_takes_it_over() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.set_rotation(Rotation { size: 1, age: 0 });
    for second in 1..50 {
        log.append(&get_at("a/1", at(second)), 1).unwrap();
    }
    assert_eq!(names(&world).len(), 32, "a chain of 32 links keeps its file");
    log.adopt(&world.id, at(60), 1).unwrap();
    log.append(&get_at("a/2", at(61)), 1).unwrap();
    log.close(at(62), 1).unwrap();
    let report = world.everything();
    assert_eq!((report.first_bad.clone(), report.unproven_records), (None, 49));
    assert_eq!(world.paths().len(), 50);
}

#[test]
fn a_follower_misses_nothing_and_repeats_nothing_across_many_files() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    let mut follower = Follower::open(world.dir.path(), &world.id, 1).unwrap();
    let (mut seen, mut wrote) = (Vec::new(), Vec::new());
    let mut sometimes = seeded(7);
    for n in 0..300_i64 {
        let mut dice = [0];
        hqv_model::Entropy::fill(&mut *sometimes, &mut dice);
        let size = u64::from(dice[0] < 80);
        log.set_rotation(Rotation { size, age: 0 });
        wrote.push(log.append(&get_at("a/1", at(2 + n / 100)), 1).unwrap());
        if dice[0] % 5 == 0 {
            seen.extend(follower.next(&world.id, 1000).unwrap().records.into_iter().map(|r| r.sequence));
        }
    }
    seen.extend(follower.next(&world.id, 1000).unwrap().records.into_iter().map(|r| r.sequence));
    assert!(names(&world).len() > 50);
    assert_eq!(seen, wrote);
    // One that begins in the middle, in a file that was set aside long ago.
    let from = wrote[100];
    let mut late = Follower::open(world.dir.path(), &world.id, from).unwrap();
    let rest: Vec<u64> = late.next(&world.id, 1000).unwrap().records.iter().map(|r| r.sequence).collect();
    assert_eq!(rest, wrote[100..]);
}
