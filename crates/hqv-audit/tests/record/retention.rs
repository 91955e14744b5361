//! What retention drops, a signed line stands for; what somebody else drops, nothing does.

use std::fs;

use hqv_audit::{Log, Retain, Rotation, plan, verify::Level};

use crate::kit::{World, at, get_at};

/// Five files: four set aside, a record in each; a second between their beginnings.
fn five_files(world: &World) -> Log {
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(0), 0).unwrap();
    log.set_rotation(Rotation { size: 1, age: 0 });
    for second in 1..5 {
        log.append(&get_at(&format!("a/{second}"), at(second)), 1).unwrap();
    }
    log
}

fn files(world: &World) -> usize {
    fs::read_dir(world.dir.path()).unwrap().count()
}

#[test]
fn au1_what_retention_dropped_is_told_and_a_further_cut_is_found() {
    let world = World::new();
    let mut log = five_files(&world);
    let before = log.checkpoint(at(5), 1).unwrap();
    let going =
        plan(world.dir.path(), &world.id.public(), Retain::Files(2), at(9), u64::MAX).unwrap().unwrap();
    assert_eq!((going.files(), files(&world)), (2, 5));
    assert!(log.retire(&going, at(9), 1).unwrap());
    // A crash here leaves the files; the record is whole with them too.
    assert_eq!(world.everything().first_bad, None);
    let first = world.dir.path().join("audit-1.log");
    let kept = fs::read(&first).unwrap();
    fs::remove_file(&first).unwrap();
    assert_eq!(world.everything().first_bad, None, "or one of two");
    fs::write(&first, kept).unwrap();
    going.remove(world.dir.path()).unwrap();
    log.close(at(9), 1).unwrap();
    assert_eq!(files(&world), 3);
    for level in [Level::Chain, Level::Signatures(&world.id.public()), Level::Everything(&world.id)] {
        let report = world.check(level);
        assert_eq!((report.first_bad.clone(), report.first), (None, going.to() + 1));
        assert!(report.findings.iter().any(|f| f.text.contains("dropped by retention")), "{report:?}");
    }
    assert_eq!(world.against(&before).first_bad, None);
    assert_eq!(world.paths(), ["a/2", "a/3", "a/4"]);
    // One more file, by somebody who has no key.
    let oldest = world.dir.path().join(format!("audit-{}.log", going.to() + 1));
    fs::remove_file(oldest).unwrap();
    let found = world.signatures().first_bad.unwrap();
    assert!(found.line == 1 && found.text.contains("no signed line stands for them"), "{found}");
}

#[test]
fn au1_a_statement_of_retention_that_was_changed_or_moved_is_found() {
    let world = World::new();
    let mut log = five_files(&world);
    let public = world.id.public();
    let going = plan(world.dir.path(), &public, Retain::Files(1), at(9), u64::MAX).unwrap().unwrap();
    log.retire(&going, at(9), 1).unwrap();
    going.remove(world.dir.path()).unwrap();
    log.close(at(9), 1).unwrap();
    assert_eq!(world.signatures().first_bad, None);
    let lines = world.lines();
    let at_line = lines.iter().position(|line| line[0] == b'D').unwrap();
    let text = String::from_utf8(lines[at_line].clone()).unwrap();
    let to = format!("\"to\":{}", going.to());
    for changed in
        [text.replace(&to, "\"to\":1"), text.replacen("\"to\"", "\"too\"", 1), text.replacen('D', "C", 1)]
    {
        let mut with = lines.clone();
        with[at_line] = changed.into_bytes();
        world.put_lines(&with);
        assert!(!world.signatures().is_ok());
    }
    let mut without = lines.clone();
    without.remove(at_line);
    world.put_lines(&without);
    assert!(!world.signatures().is_ok());
}

#[test]
fn retention_goes_by_age_or_number_and_never_beyond_what_the_ledger_has() {
    let world = World::new();
    let _log = five_files(&world);
    let public = world.id.public();
    let count = |retain, now, upto| {
        plan(world.dir.path(), &public, retain, at(now), upto).unwrap().map_or(0, |going| going.files())
    };
    assert_eq!(count(Retain::All, 1_000_000, u64::MAX), 0);
    assert_eq!([0, 1, 3, 4, 9].map(|keep| count(Retain::Files(keep), 9, u64::MAX)), [4, 3, 1, 0, 0]);
    // The files end at 1, 2, 3 and 4 seconds.
    assert_eq!([3, 4, 5, 60].map(|now| count(Retain::Age(2000), now, u64::MAX)), [0, 1, 2, 4]);
    let second = plan(world.dir.path(), &public, Retain::Files(3), at(9), u64::MAX).unwrap().unwrap().to();
    assert_eq!(count(Retain::Files(0), 9, second), 1);
    assert_eq!(count(Retain::Files(0), 9, second - 1), 0);
    assert_eq!(count(Retain::Files(0), 9, 0), 0);
}

#[test]
fn a_locked_daemon_that_nobody_certified_drops_nothing() {
    let world = World::new();
    let mut log = five_files(&world);
    log.close(at(6), 1).unwrap();
    let (mut log, _) = world.start(2);
    let going =
        plan(world.dir.path(), &world.id.public(), Retain::Files(1), at(9), u64::MAX).unwrap().unwrap();
    let head = log.head();
    assert!(!log.retire(&going, at(9), 1).unwrap());
    assert_eq!(log.head(), head);
}
