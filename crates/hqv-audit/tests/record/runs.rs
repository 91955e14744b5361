//! Starts and stops, clean and not; torn tails; any order of what a daemon can do.

use std::fs;

use hqv_audit::{DbHead, Log, StartReport, verify::Level};
use hqv_model::OpKind;
use proptest::prelude::*;

use crate::kit::{World, at, first_bad, get, get_at, seeded};

#[test]
fn clean_runs_follow_each_other_without_a_finding() {
    let world = World::new();
    for run in 0..4 {
        world.run(run, &["a/1", "a/2"]);
    }
    let (log, report) = world.start(9);
    assert_eq!(report, StartReport::default());
    drop(log);
    assert_eq!(world.details(OpKind::UncleanEnd), Vec::<String>::new());
}

#[test]
fn an_end_without_a_signed_close_is_said_at_start_in_the_record_and_by_verify() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    let line = log.append(&get("a/1"), 1).unwrap();
    drop(log); // killed

    let (mut log, report) = world.start(2);
    assert_eq!((report.unclean, report.torn_tail), (Some(line), None));
    assert_eq!(report.findings, [format!("unclean end after {line}")]);
    log.adopt(&world.id, at(3), 1).unwrap();
    log.close(at(4), 1).unwrap();
    assert_eq!(world.details(OpKind::UncleanEnd), [format!("unclean end after {line}")]);
    for report in [world.chain(), world.signatures(), world.everything()] {
        assert_eq!((report.first_bad, report.unclean_ends), (None, vec![line]));
    }
    assert_eq!(world.paths(), ["a/1"]);
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_said_and_survived() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    log.append(&get("a/1"), 1).unwrap();
    let before = world.bytes().len();
    log.append(&get("a/2"), 1).unwrap();
    log.checkpoint(at(2), 1).unwrap();
    drop(log);
    let whole = world.bytes();
    let ends: Vec<usize> =
        whole.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1).collect();
    for end in before..=whole.len() {
        world.put(&whole[..end]);
        let kept = ends.iter().rev().find(|e| **e <= end).copied().unwrap();
        let (mut log, report) = world.start(2);
        let torn = (end > kept).then_some((end - kept) as u64);
        assert_eq!(report.torn_tail, torn, "cut at {end}");
        let last = ends.iter().position(|e| *e == kept).unwrap() as u64 + 1;
        assert_eq!(report.unclean, Some(last), "cut at {end}");
        log.close(at(3), 1).unwrap();
        assert_eq!(world.bytes()[..kept], whole[..kept]);
        if end % 20 == 0 || torn.is_none() {
            // Nobody has unlocked since, so only that is missing.
            let report = world.everything();
            assert_eq!(report.findings.iter().filter(|f| f.bad).count(), 1, "{:?}", report.findings);
            assert!(report.first_bad.unwrap().text.contains("no unlock adopted"));
        }
    }
}

#[test]
fn a_log_torn_at_any_byte_of_its_first_lines_starts_again() {
    let world = World::new();
    drop(world.start(1));
    let whole = world.bytes();
    for end in 0..whole.len() {
        world.put(&whole[..end]);
        let (mut log, report) = world.start(2);
        assert_eq!(report.torn_tail, (end > 0).then_some(end as u64));
        assert_eq!(report.unclean, None);
        log.adopt(&world.id, at(3), 0).unwrap();
        log.close(at(3), 0).unwrap();
        assert_eq!(first_bad(&world.everything()), None, "cut at {end}");
    }
}

#[test]
fn a_file_of_noise_does_not_stop_the_daemon_and_is_found() {
    for noise in [
        b"\n\n\n".to_vec(),
        b"H{}.x\nC\nA".to_vec(),
        [vec![0; 3_000_000], vec![b'\n']].concat(),
        vec![b'\n'; 1000],
    ] {
        let world = World::new();
        fs::write(world.file(), &noise).unwrap();
        fs::set_permissions(world.file(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let (mut log, report) = world.start(1);
        assert!(!report.findings.is_empty());
        log.adopt(&world.id, at(1), 0).unwrap();
        log.append(&get("a/1"), 0).unwrap();
        assert_eq!(first_bad(&world.signatures()), Some(1));
    }
}

#[test]
fn au6_a_database_that_was_put_back_is_found_by_the_state_sequence() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 5).unwrap();
    log.append(&get("a/1"), 20).unwrap();
    log.close(at(2), 20).unwrap();
    let db = |state_seq| Some(DbHead { state_seq, head: None });
    // The same, and ahead of the log: both are ordinary.
    for state in [20, 25] {
        let (_, report) = Log::start(world.cfg.clone(), db(state), at(3), seeded(state)).unwrap();
        assert_eq!(report.rolled_back, None);
    }
    let (mut log, report) = Log::start(world.cfg.clone(), db(19), at(3), seeded(40)).unwrap();
    let back = report.rolled_back.unwrap();
    assert_eq!((back.record, back.database), (25, 19));
    // Found at the start it is recorded once, and the unlock hears of it again.
    let again = log.compare(&DbHead { state_seq: 19, head: None }, at(4)).unwrap();
    assert_eq!(again, [back.to_string()]);
    log.adopt(&world.id, at(4), 19).unwrap();
    log.close(at(4), 19).unwrap();
    assert_eq!(world.details(OpKind::RolledBack), [back.to_string()]);
    let found = world.signatures().first_bad.unwrap().text;
    assert!(found.contains("vault.db was put back"), "{found}");
}

#[test]
fn a_start_that_does_not_know_the_database_leaves_it_to_the_unlock() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 20).unwrap();
    log.close(at(2), 20).unwrap();
    let (mut log, report) = world.start(2);
    assert_eq!(report.rolled_back, None);
    let found = log.compare(&DbHead { state_seq: 7, head: None }, at(4)).unwrap();
    assert!(found[0].contains("it is at state 7, and the record had seen 20"), "{found:?}");
    assert_eq!(world.details(OpKind::RolledBack), found);
}

#[test]
fn a_checkpoint_is_written_once_while_nothing_happens() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    let first = log.checkpoint(at(2), 0).unwrap();
    let again = log.checkpoint(at(3), 0).unwrap();
    assert_eq!(first.line(), again.line());
    log.append(&get("a/1"), 0).unwrap();
    assert_ne!(log.checkpoint(at(4), 0).unwrap().line(), first.line());
    assert_eq!(world.shape(), "HCAHCRC");
}

#[test]
fn the_head_and_the_file_for_syncing_belong_together() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.append(&get("a/1"), 0).unwrap();
    let point = log.sync_point().unwrap();
    point.file.sync_data().unwrap();
    assert_eq!(point.file.metadata().unwrap().len(), world.bytes().len() as u64);
    assert_eq!((point.seq, point.head), log.head());
    let report = world.chain();
    assert_eq!((report.last, report.head), log.head());
}

#[test]
fn a_closed_log_takes_nothing_more() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.close(at(1), 0).unwrap();
    log.close(at(1), 0).unwrap();
    let before = world.bytes();
    assert!(log.append(&get("a/1"), 0).is_err());
    assert!(log.adopt(&world.id, at(1), 0).is_err());
    assert!(log.checkpoint(at(1), 0).is_err());
    assert_eq!(world.bytes(), before);
}

#[derive(Debug, Clone)]
enum Step {
    Append(u16),
    Checkpoint,
    Lock,
    Unlock,
    CleanStart,
    KilledStart,
    Torn(u8),
    Pause,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any::<u16>().prop_map(Step::Append),
        2 => Just(Step::Checkpoint),
        1 => Just(Step::Lock),
        2 => Just(Step::Unlock),
        1 => Just(Step::CleanStart),
        1 => Just(Step::KilledStart),
        1 => any::<u8>().prop_map(Step::Torn),
        1 => Just(Step::Pause),
    ]
}

/// Plays the steps; returns the paths that must be in the record, and the number of unclean ends.
fn play(world: &World, steps: &[Step]) -> (Vec<String>, usize) {
    let mut expected = Vec::new();
    let mut unclean = 0;
    let mut now = 1;
    let (mut log, _) = world.start(0);
    for (n, step) in steps.iter().enumerate() {
        let state = n as u64;
        match step {
            Step::Append(size) => {
                let path = format!("p/{n}/{}", "x".repeat(usize::from(*size) % 300));
                log.append(&get_at(&path, at(now)), state).unwrap();
                expected.push(path);
            }
            Step::Checkpoint => drop(log.checkpoint(at(now), state).unwrap()),
            Step::Lock => log.lock(at(now), state).unwrap(),
            Step::Unlock => drop(log.adopt(&world.id, at(now), state).unwrap()),
            Step::CleanStart => {
                log.close(at(now), state).unwrap();
                log = world.start(state + 1).0;
            }
            Step::KilledStart | Step::Torn(_) => {
                drop(log);
                if let Step::Torn(bytes) = step {
                    let mut torn = world.bytes();
                    torn.extend(vec![b'R'; usize::from(*bytes)]);
                    world.put(&torn);
                }
                log = world.start(state + 1).0;
                unclean += 1;
            }
            Step::Pause => now += 2,
        }
    }
    log.adopt(&world.id, at(now), steps.len() as u64).unwrap();
    log.close(at(now), steps.len() as u64).unwrap();
    (expected, unclean)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_order_of_what_a_daemon_does_leaves_a_good_record(
        steps in prop::collection::vec(step(), 0..40),
        max_segment in 1_u64..12,
    ) {
        let mut world = World::new();
        world.cfg.max_segment = max_segment;
        let (expected, unclean) = play(&world, &steps);
        for level in [Level::Chain, Level::Signatures(&world.id.public()), Level::Everything(&world.id)] {
            let report = world.check(level);
            prop_assert_eq!(&report.first_bad, &None);
            prop_assert_eq!(report.unclean_ends.len(), unclean);
        }
        prop_assert_eq!(world.paths(), expected);
    }

    #[test]
    fn any_line_dropped_or_moved_is_found(
        steps in prop::collection::vec(step(), 1..25),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        let world = World::new();
        play(&world, &steps);
        let good = world.lines();
        // The last line is the close: without it the log looks like one that is being written.
        let mut lines = good.clone();
        let line = lines.remove(from.index(good.len() - 1));
        world.put_lines(&lines);
        prop_assert!(!world.signatures().is_ok());
        lines.insert(to.index(good.len() - 1), line);
        if lines != good {
            world.put_lines(&lines);
            prop_assert!(!world.signatures().is_ok());
            prop_assert!(!world.everything().is_ok());
        }
    }
}
