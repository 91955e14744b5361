//! Row AU2, without rotation: the log cannot be written, was moved, deleted or cut.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use hqv_audit::{
    Log,
    verify::{Level, Options, verify},
};
use hqv_model::OpKind;

use crate::kit::{World, at, first_bad, get, get_at, seeded};

fn unlocked(world: &World) -> Log {
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    log.append(&get("a/1"), 1).unwrap();
    log
}

#[test]
fn au2_a_moved_log_is_closed_and_goes_on_under_its_name() {
    let world = World::new();
    let mut log = unlocked(&world);
    let moved = world.dir.path().join("audit.log.1");
    fs::rename(world.file(), &moved).unwrap();

    // Within the second in which the name was looked at, the old file is still written to.
    log.append(&get_at("a/2", at(1)), 1).unwrap();
    assert!(!world.file().exists());
    log.append(&get_at("a/3", at(3)), 1).unwrap();
    log.close(at(4), 1).unwrap();
    assert_eq!(world.shape(), "HRRC");
    assert_eq!(world.details(OpKind::UndoGap).len(), 1);
    assert!(world.details(OpKind::UndoGap)[0].contains("moved or deleted"));

    // Both files together are one whole record; the new one alone lacks its beginning and says so.
    let files = [moved, world.file()];
    let whole = verify(&files, Level::Everything(&world.id), &Options::default(), &mut |_| ()).unwrap();
    assert_eq!(whole.first_bad, None);
    assert!(whole.unclean_ends.is_empty());
    let alone = world.everything();
    assert!(alone.first_bad.as_ref().unwrap().text.contains("are missing"), "{alone:?}");
}

#[test]
fn au2_a_deleted_log_is_made_anew_at_the_next_checkpoint_at_the_latest() {
    let world = World::new();
    let mut log = unlocked(&world);
    fs::remove_file(world.file()).unwrap();
    log.checkpoint(at(1), 1).unwrap();
    assert!(world.file().exists());
    log.append(&get("a/2"), 1).unwrap();
    assert_eq!(world.paths(), ["a/2"]);
    assert_eq!(fs::metadata(world.file()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn au2_a_log_cut_or_written_to_under_the_daemon_is_noticed() {
    let world = World::new();
    let mut log = unlocked(&world);
    // As logrotate's copytruncate leaves it.
    OpenOptions::new().write(true).open(world.file()).unwrap().set_len(0).unwrap();
    log.append(&get_at("a/2", at(3)), 1).unwrap();
    assert!(world.details(OpKind::UndoGap)[0].contains("cut or written to"));
    assert_eq!(world.paths(), ["a/2"]);
    assert!(!world.signatures().is_ok());

    // Bytes of another program, without a newline: our next line stays a line of its own.
    let before = world.lines().len();
    OpenOptions::new().append(true).open(world.file()).unwrap().write_all(b"noise").unwrap();
    log.append(&get_at("a/3", at(6)), 1).unwrap();
    assert_eq!(world.lines()[before], b"noise\n");
    let first = log.head().0 - world.lines().len() as u64;
    assert!(first > 0);
    let page =
        hqv_audit::Reader::open(world.dir.path(), &world.id).unwrap().last(9, &|_| true, None).unwrap();
    assert_eq!(page.records[0].items[0].path, "a/3");
}

/// A place that refuses: the directory is gone, so that nothing can be opened under the log's name.
fn without_directory(world: &World, during: impl FnOnce()) {
    let elsewhere = world.dir.path().with_extension("aside");
    fs::rename(world.dir.path(), &elsewhere).unwrap();
    during();
    fs::rename(&elsewhere, world.dir.path()).unwrap();
}

#[test]
fn au2_what_cannot_be_written_fails_is_counted_and_said_later() {
    let world = World::new();
    let mut log = unlocked(&world);
    let head = log.head();
    without_directory(&world, || {
        for second in 3..6 {
            assert!(log.append(&get_at("a/lost", at(second)), 1).is_err());
        }
        assert_eq!(log.missed(), 3);
    });
    let line = log.append(&get_at("a/2", at(7)), 1).unwrap();
    assert_eq!(log.missed(), 0);
    log.close(at(8), 1).unwrap();
    let told = world.details(OpKind::UndoGap);
    let lost = format!("3 records since {} could not be written", at(3).to_rfc3339());
    assert_eq!(told, [format!("audit.log was moved away and came back; {lost}")]);
    assert_eq!(world.paths(), ["a/1", "a/2"]);
    assert!(line > head.0);
    let report = world.everything();
    assert_eq!(report.first_bad, None);
}

#[test]
fn au2_a_lock_needs_no_name_to_write_to() {
    let world = World::new();
    let mut log = unlocked(&world);
    without_directory(&world, || log.lock(at(3), 1).unwrap());
    log.append(&get_at("a/2", at(9)), 1).unwrap();
    log.close(at(9), 1).unwrap();
    assert_eq!(world.everything().first_bad, None);
    assert_eq!(world.shape(), "HCAHRCHRC");
}

#[test]
fn au2_a_log_that_is_not_ours_alone_is_refused_at_start() {
    let world = World::new();
    world.run(1, &["a/1"]);
    fs::set_permissions(world.file(), Permissions::from_mode(0o644)).unwrap();
    assert!(Log::start(world.cfg.clone(), None, at(5), seeded(9)).is_err());
    fs::set_permissions(world.file(), Permissions::from_mode(0o600)).unwrap();
    let real = world.dir.path().join("elsewhere");
    fs::rename(world.file(), &real).unwrap();
    symlink(&real, world.file()).unwrap();
    assert!(Log::start(world.cfg.clone(), None, at(5), seeded(9)).is_err());
    fs::remove_file(world.file()).unwrap();
    fs::create_dir(world.file()).unwrap();
    assert!(Log::start(world.cfg.clone(), None, at(5), seeded(9)).is_err());
    fs::remove_dir(world.file()).unwrap();
    fs::rename(&real, world.file()).unwrap();
    assert!(Log::start(world.cfg.clone(), None, at(5), seeded(9)).is_ok());
}

#[test]
fn au2_files_set_aside_by_rotation_are_read_and_verified_as_one_record() {
    let world = World::new();
    world.run(1, &["a/1"]);
    let aside = |first: u64| world.dir.path().join(format!("audit-{first}.log"));
    fs::rename(world.file(), aside(1)).unwrap();
    // The start goes on from the file that was set aside; nothing is missing, nothing is unclean.
    let (mut log, report) = world.start(2);
    assert_eq!(report, hqv_audit::StartReport::default());
    log.adopt(&world.id, at(3), 1).unwrap();
    log.append(&get("a/2"), 1).unwrap();
    log.close(at(4), 1).unwrap();
    let report = world.everything();
    assert_eq!((report.first_bad.clone(), report.first, report.segments), (None, 1, 4));
    assert_eq!(world.paths(), ["a/1", "a/2"]);
    assert_eq!(first_bad(&only(&world.file(), &world)), Some(1));
}

fn only(file: &Path, world: &World) -> hqv_audit::verify::Report {
    verify(&[file.to_owned()], Level::Signatures(&world.id.public()), &Options::default(), &mut |_| ())
        .unwrap()
}
